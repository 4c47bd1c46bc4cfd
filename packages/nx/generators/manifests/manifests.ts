import type { GeneratorCallback, Tree } from '@nx/devkit';
import { nearest } from '../../../model';
import { manifestsFor, survey } from '../../../scaffold';
import { devTargets } from '../devTargets';
import { setUp } from '../init/init';
import { treeFiles } from '../treeFiles';
import { afterwards, format, nxCommands, projectsIn, readNxJson, refusal, runningDevkit } from '../workspace';

export interface ManifestsOptions {
  readonly project: string;
  readonly port?: number;
  readonly skipFormat?: boolean;
  readonly skipPackageJson?: boolean;
}

/** `nx g nx-slipway:manifests PROJECT`: a Deployment and a Service for a project that has a Dockerfile. Manifests that are there are left as they are. */
export default async function manifests(tree: Tree, options: ManifestsOptions): Promise<GeneratorCallback> {
  const devkit = runningDevkit();
  const files = treeFiles(tree);
  const projects = projectsIn(tree, devkit);
  const project = projects.find(({ name }) => name === options.project);
  if (!project) {
    const meant = nearest(
      options.project,
      projects.map(({ name }) => name),
    );
    const hint = meant === undefined ? 'npx nx show projects tells which there are' : `did you mean ${meant}?`;
    throw refusal([{ code: 'projectNotFound', message: `there is no project ${options.project}`, hint, retry: 'never', exitCode: 2 }]);
  }
  const seen = survey({ files, projects });
  const found = seen.found.find((each) => each.project === project.name);
  const there = [...(found?.manifests ?? []), ...(found?.otherManifests ?? [])];
  const guessed = manifestsFor({ project: project.name, root: project.root, port: options.port }, files);
  if (there.length === 0 && !guessed.ok) throw refusal([guessed.problem]);
  const install = setUp(tree, devkit, {
    ...(options.skipPackageJson !== undefined && { skipPackageJson: options.skipPackageJson }),
    copied: seen.copied,
  });
  if (there.length === 0 && guessed.ok) tree.write(guessed.value.path, guessed.value.manifest);
  await format(tree, options.skipFormat);
  return afterwards(tree, devkit, {
    install,
    say: async () => {
      const commands = nxCommands(tree, devkit, await devTargets(tree.root, projectsIn(tree, devkit), readNxJson(tree, devkit)));
      const made = there.length === 0 && guessed.ok ? guessed.value : undefined;
      return [
        ...(made
          ? [`${made.path} is written from the Dockerfile:`, ...made.because.map((reason) => `  ${reason}`)]
          : [`${project.name} has manifests already, which were left as they are: ${there.join(', ')}`]),
        'Next:',
        `  ${commands.dev(project.name)}`,
      ];
    },
  });
}
