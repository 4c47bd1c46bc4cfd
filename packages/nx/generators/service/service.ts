import type { GeneratorCallback, ProjectConfiguration, TargetConfiguration, Tree } from '@nx/devkit';
import { joinPath } from '../../../graph';
import type { Problem, Project, Result, WorkspacePath } from '../../../model';
import {
  defaultPorts,
  isPackageFolder,
  kindDescriptions,
  packageJson,
  packagePatterns,
  serviceFiles,
  serviceFolder,
  serviceKinds,
  serviceName,
  servicePort,
  survey,
  unignored,
  type BuildCommand,
  type ServiceKind,
  type ServiceSources,
} from '../../../scaffold';
import type { Devkit } from '../../devkit';
import { devTargets } from '../devTargets';
import { addLines, setUp } from '../init/init';
import { treeFiles } from '../treeFiles';
import { afterwards, format, nxCommands, projectsIn, readNxJson, refusal, runningDevkit } from '../workspace';

export interface ServiceOptions {
  readonly name: string;
  readonly kind?: ServiceKind;
  /** The folder of the service. */
  readonly directory?: string;
  readonly port?: number;
  readonly skipFormat?: boolean;
  readonly skipPackageJson?: boolean;
}

/** `nx g nx-slipway:service NAME`: a new service, with everything that `dev` needs. One that is there already is left as it is. */
export default async function service(tree: Tree, options: ServiceOptions): Promise<GeneratorCallback> {
  const devkit = runningDevkit();
  const files = treeFiles(tree);
  const projects = projectsIn(tree, devkit);
  const patterns = packagePatterns(files);
  const kind = options.kind ?? 'node';
  const directory = joinPath('', options.directory ?? `${serviceFolder(patterns)}/${options.name}`);
  const port = options.port ?? defaultPorts[kind];
  const existing = projects.find(({ name }) => name === options.name);
  const problems = problemsOf({ ...options, port }, { directory, kind, existing, projects, tree });
  if (problems.length > 0) throw refusal(problems);

  const { copied } = survey({ files, projects });
  let install = setUp(tree, devkit, { ...(options.skipPackageJson !== undefined && { skipPackageJson: options.skipPackageJson }), copied });
  const sources = existing ? undefined : serviceFiles(kind, { name: options.name, port, baseTsconfig: baseTsconfig(tree, directory) });
  if (sources) {
    const isPackage = isPackageFolder(directory, patterns);
    const needed = write(tree, devkit, { name: options.name, directory, sources, isPackage });
    const outputs = (sources.build?.outputs ?? []).map((output) => joinPath(directory, output));
    addLines(tree, '.gitignore', unignored(files.textOf('.gitignore'), outputs));
    install ||= needed && options.skipPackageJson !== true;
  }
  await format(tree, options.skipFormat);
  return afterwards(tree, devkit, {
    install,
    say: async () => {
      const commands = nxCommands(tree, devkit, await devTargets(tree.root, projectsIn(tree, devkit), readNxJson(tree, devkit)));
      const dev = ['Next:', `  ${commands.dev(options.name)}`];
      if (!sources) return [`${options.name} is there already, in ${existing?.root ?? directory}: nothing of it was changed.`, ...dev];
      return [
        `${options.name} is made in ${directory}: ${kindDescriptions[kind]}. It listens on ${port}.`,
        ...dev,
        `and, while that runs, an edit of ${joinPath(directory, sources.entry)}.`,
      ];
    },
  });
}

interface Surroundings {
  readonly directory: WorkspacePath;
  readonly kind: string;
  readonly existing: Project | undefined;
  readonly projects: readonly Project[];
  readonly tree: Tree;
}

/** All that is wrong with the options, at once. */
function problemsOf(
  options: ServiceOptions & { readonly port: number },
  { directory, kind, existing, projects, tree }: Surroundings,
): readonly Problem[] {
  const problems: Problem[] = [];
  const check = (result: Result<unknown>) => {
    if (!result.ok) problems.push(result.problem);
  };
  const wrong = (message: string, hint: string) => problems.push({ code: 'wrongUse', message, hint, retry: 'never', exitCode: 2 });
  check(serviceName(options.name));
  check(servicePort(options.port));
  if (!serviceKinds.some((known) => known === kind)) wrong(`${kind} is no kind of service`, `one of ${serviceKinds.join(', ')}`);
  const asked = (options.directory ?? '').replaceAll('\\', '/');
  if (/^([a-zA-Z]:)?\//.test(asked) || asked.split('/').includes('..') || directory === '') {
    wrong(`${options.directory ?? ''} cannot be the folder of a service`, 'give one below the root of the workspace, relative to it');
  } else if (existing !== undefined && existing.root !== directory) {
    if (options.directory !== undefined)
      wrong(`there is a project ${existing.name} already, in ${existing.root || 'the root'}`, 'choose another name');
  } else if (existing === undefined && tree.exists(directory) && (tree.isFile(directory) || tree.children(directory).length > 0)) {
    const owner = projects.find(({ root }) => root === directory);
    wrong(
      `${directory} is there already${owner === undefined ? '' : `, and is the project ${owner.name}`}`,
      `choose another folder with --directory, or write manifests for what is there: nx g nx-slipway:manifests ${owner?.name ?? 'PROJECT'}`,
    );
  }
  return problems;
}

interface NewService {
  readonly name: string;
  readonly directory: WorkspacePath;
  readonly sources: ServiceSources;
  /** Where a package.json makes the folder a package of the workspace. */
  readonly isPackage: boolean;
}

/** Writes the files and declares the project as its workspace does. Gives whether packages have to be installed. */
function write(tree: Tree, devkit: Devkit, { name, directory, sources, isPackage }: NewService): boolean {
  for (const [path, text] of Object.entries(sources.files)) tree.write(joinPath(directory, path), text);
  const root = tree.exists('package.json') ? devkit.readJson<RootPackage>(tree, 'package.json') : {};
  const scope = /^(@[^/]+)\//.exec(root.name ?? '')?.[1];
  const packageName = scope === undefined ? name : `${scope}/${name}`;
  const had = { ...root.dependencies, ...root.devDependencies };
  const missing = Object.fromEntries(Object.entries(sources.devDependencies).filter(([dependency]) => had[dependency] === undefined));
  // Nx runs the command itself: by way of a script of the package, each edit would wait for npm to start.
  const { build, ...withoutBuild } = sources;
  const targets = build ? { build: buildTarget(build, directory) } : {};

  if (isPackage && sources.npm !== 'no') {
    const nx = { ...(packageName !== name && { name }), ...(build && { targets }) };
    const more = Object.keys(nx).length === 0 ? {} : { nx };
    const text = packageJson({ packageName, sources: { ...withoutBuild, devDependencies: missing }, withDevDependencies: true, more });
    tree.write(joinPath(directory, 'package.json'), text);
    return true;
  }
  // Nx knows the root by the place of the file.
  const project: Omit<ProjectConfiguration, 'root'> & { readonly $schema: string } = {
    $schema: `${upFrom(directory)}/node_modules/nx/schemas/project-schema.json`,
    name,
    projectType: 'application',
    sourceRoot: directory,
    targets,
  };
  tree.write(joinPath(directory, 'project.json'), `${JSON.stringify(project, undefined, 2)}\n`);
  if (sources.npm === 'inImage') {
    tree.write(joinPath(directory, 'package.json'), packageJson({ packageName, sources: withoutBuild, withDevDependencies: false }));
  }
  if (Object.keys(missing).length === 0 || !tree.exists('package.json')) return false;
  devkit.updateJson<RootPackage>(tree, 'package.json', (json) => ({
    ...json,
    devDependencies: Object.fromEntries(
      Object.entries({ ...json.devDependencies, ...missing }).sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  }));
  return true;
}

interface RootPackage {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function buildTarget({ command, outputs }: BuildCommand, directory: WorkspacePath): TargetConfiguration {
  return {
    executor: 'nx:run-commands',
    options: { command, cwd: directory },
    cache: true,
    dependsOn: ['^build'],
    inputs: ['production', '^production'],
    outputs: outputs.map((output) => `{projectRoot}/${output}`),
  };
}

function baseTsconfig(tree: Tree, directory: WorkspacePath): string | undefined {
  return tree.exists('tsconfig.base.json') ? `${upFrom(directory)}/tsconfig.base.json` : undefined;
}

/** From a folder to the root of the workspace. */
function upFrom(directory: WorkspacePath): string {
  return directory.replace(/[^/]+/g, '..');
}
