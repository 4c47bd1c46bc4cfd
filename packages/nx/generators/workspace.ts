import { execSync } from 'node:child_process';
import type { GeneratorCallback, NxJsonConfiguration, Tree } from '@nx/devkit';
import type { Problem, Project } from '../../model';
import { joinPath } from '../../graph';
import type { NextCommands } from '../../scaffold';
import { devkitOf, generatorsDevkitOf, type Devkit } from '../devkit';

export const pluginName = 'nx-slipway';

/** The devkit of the Nx that runs a generator. */
export function runningDevkit(): Devkit {
  const devkit = devkitOf(__dirname);
  if (!devkit) throw new Error(`${pluginName} found no nx beside it, though nx runs this generator`);
  return devkit;
}

export function readNxJson(tree: Tree, devkit: Devkit): NxJsonConfiguration {
  return tree.exists('nx.json') ? devkit.readJson<NxJsonConfiguration>(tree, 'nx.json') : {};
}

/** The projects that files of the workspace declare. */
export function projectsIn(tree: Tree, devkit: Devkit): readonly Project[] {
  const projects = [...devkit.getProjects(tree)].map(([name, { root }]): Project => ({ name, root: joinPath('', root), dependencies: [] }));
  return projects.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What is typed next in an Nx workspace, by way of its package manager. `devTarget` knows a project's target by name. */
export function nxCommands(tree: Tree, devkit: Devkit, devTarget: (project: string) => string): NextCommands {
  const { exec } = devkit.getPackageManagerCommand(devkit.detectPackageManager(tree.root), tree.root);
  return {
    dev: (project) => `${exec} nx run ${project}:${devTarget(project)}`,
    manifests: (project) => `${exec} nx g ${pluginName}:manifests ${project}`,
    from: (path) => `${exec} nx g ${pluginName}:init --from=${path}`,
    service: () => `${exec} nx g ${pluginName}:service api`,
    projectFile: 'package.json or project.json',
  };
}

/** Formats as the workspace does, where @nx/devkit is: what was written is in order without it. */
export async function format(tree: Tree, skipFormat: boolean | undefined): Promise<void> {
  if (skipFormat !== true) await generatorsDevkitOf(__dirname)?.formatFiles(tree);
}

/** What is done when the files are on the disk: packages are installed where that is needed, and then the last words are said. */
export function afterwards(
  tree: Tree,
  devkit: Devkit,
  { install, say }: { readonly install: boolean; readonly say: () => Promise<readonly string[]> },
): GeneratorCallback {
  return async () => {
    if (install) {
      const { install: command } = devkit.getPackageManagerCommand(devkit.detectPackageManager(tree.root), tree.root);
      execSync(command, { cwd: tree.root, stdio: 'inherit' });
    }
    process.stdout.write(`\n${(await say()).join('\n')}\n`);
  };
}

/** Ends a generator before it has written anything. Nx shows the message and no more. */
export function refusal(problems: readonly Problem[]): Error {
  return new Error(problems.map(({ message, hint }) => (hint === undefined ? message : `${message}\n  → ${hint}`)).join('\n'));
}
