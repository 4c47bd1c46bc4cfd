import { readdirSync, readFileSync, type Dirent } from 'node:fs';
import { createRequire } from 'node:module';
import { join, posix } from 'node:path';
import type { CreateNodes, CreateNodesResultArray, NxJsonConfiguration, ProjectConfiguration, TargetConfiguration } from '@nx/devkit';
import { readConfig, yaml } from '../config';
import { imageFiles, isDeployedByDefault, manifestFiles, type WorkspaceFiles } from '../graph';
import { filesBelow, recallConfigs } from '../source';

/** Options of the plugin in `nx.json`: what its targets are called. */
export interface PluginOptions {
  readonly buildTargetName?: string;
  readonly deployTargetName?: string;
  readonly deleteTargetName?: string;
  readonly syncTargetName?: string;
  readonly logsTargetName?: string;
  readonly renderTargetName?: string;
  readonly devTargetName?: string;
}

type Inputs = readonly string[];

/** What the tasks before it made: from Nx 24 on, what is affected follows it from task to task. */
const outputsOfDependencies = { dependentTasksOutputFiles: '**/*', transitive: true } as const;

/** What a project's folder shows without being built: the ground its targets stand on. */
interface Ground {
  readonly hasImage: boolean;
  readonly hasManifests: boolean;
  /** What the image is made from, as inputs of a target; undefined when it is not known before the build. */
  readonly imageInputs: Inputs | undefined;
  /** Where manifests are, likewise. */
  readonly manifestInputs: Inputs | undefined;
  /** It already has a target or script named `dev`. */
  readonly hasOwnDev: boolean;
}

/**
 * The glob is that of project files and not of Dockerfiles: whatever it matches Nx takes for project configuration, whose
 * change affects every task of the project and of its dependents, and a Dockerfile without a project would become a project without a name.
 */
const projectFiles = '**/{package,project}.json';

/** Nx 22 reads `createNodesV2` first, later ones `createNodes`; both are the same. */
export const createNodes: CreateNodes<PluginOptions> = [
  projectFiles,
  (files, options, context) => {
    recallConfigs(context.workspaceRoot);
    const onDisk = filesBelow(context.workspaceRoot);
    const readiness = knowsReadiness(context.workspaceRoot);
    const roots = new Map<string, string>();
    for (const file of [...files].sort()) roots.set(posix.dirname(file), file);
    const results: CreateNodesResultArray = [];
    for (const [root, file] of roots) {
      const ground = groundOf(context.workspaceRoot, root, onDisk);
      if (!ground || (!ground.hasImage && !ground.hasManifests)) continue;
      results.push([file, { projects: { [root]: inferred(ground, options ?? {}, context.nxJsonConfiguration, readiness) } }]);
    }
    return results;
  },
];

export const createNodesV2 = createNodes;

function groundOf(workspaceRoot: string, root: string, files: WorkspaceFiles): Ground | undefined {
  const folder = join(workspaceRoot, root);
  const names = namesIn(folder);
  const packageJson = names.has('package.json') ? jsonAt(join(folder, 'package.json')) : undefined;
  const projectJson = names.has('project.json') ? jsonAt(join(folder, 'project.json')) : undefined;
  // A package.json that is no project of Nx must not become one: it would have no name, and break every nx command.
  if (!projectJson && (root === '.' ? packageJson?.['nx'] === undefined : typeof packageJson?.['name'] !== 'string')) return undefined;

  const inK8s = names.get('k8s') === true ? [...namesIn(join(folder, 'k8s'))] : [];
  const manifestsInK8s = inK8s.some(([name, isFolder]) => !isFolder && isDeployedByDefault(name));
  // At the workspace's root the config holds everybody's defaults, and says nothing of a project there.
  const config = root !== '.' && names.has('slipway.yaml') ? configAt(workspaceRoot, posix.join(root, 'slipway.yaml')) : undefined;
  const hasImage = names.has('Dockerfile') || saysAny(config, ['image', 'images']);
  const hasManifests = manifestsInK8s || saysAny(config, ['manifests', 'kustomize', 'helm']);
  const at = { root: root === '.' ? '' : root, files };
  const image = hasImage ? imageFiles(at) : undefined;
  const manifests = hasManifests ? manifestFiles(at) : undefined;
  return {
    hasImage,
    hasManifests,
    imageInputs: image && [...image.included.map(ofWorkspace), ...image.excluded.map((glob) => `!${ofWorkspace(glob)}`)],
    manifestInputs: manifests?.map(ofWorkspace),
    hasOwnDev: hasOwnDev(projectJson, packageJson),
  };
}

/**
 * All are named from the workspace's root: an image takes what it likes, from projects it does not depend on and from projects inside its own,
 * whose files `{projectRoot}` does not cover.
 */
function ofWorkspace(glob: string): string {
  return `{workspaceRoot}/${glob}`;
}

function inferred(ground: Ground, options: PluginOptions, nxJson: NxJsonConfiguration, readiness: boolean): Partial<ProjectConfiguration> {
  const names = {
    build: options.buildTargetName ?? 'k8s-build',
    deploy: options.deployTargetName ?? 'k8s-deploy',
    delete: options.deleteTargetName ?? 'k8s-delete',
    sync: options.syncTargetName ?? 'k8s-sync',
    logs: options.logsTargetName ?? 'k8s-logs',
    render: options.renderTargetName ?? 'k8s-render',
    dev: options.devTargetName ?? (ground.hasOwnDev ? 'k8s-dev' : 'dev'),
  };
  const targets: Record<string, TargetConfiguration> = {};
  if (ground.hasImage) targets[names.build] = buildTarget(ground, nxJson);
  if (ground.hasManifests) {
    targets[names.deploy] = deployTarget(ground, ground.hasImage ? names.build : undefined);
    targets[names.delete] = {
      executor: 'nx-slipway:delete',
      metadata: described('Removes from the cluster what was deployed', 'delete', {}),
    };
    if (ground.hasImage) {
      targets[names.sync] = {
        executor: 'nx-slipway:sync',
        metadata: described('Keeps containers that run already in step with the files on disk', 'sync', { once: true }),
      };
    }
    targets[names.logs] = {
      executor: 'nx-slipway:logs',
      metadata: described('Shows what the containers have logged', 'logs', { follow: true }),
    };
    targets[names.render] = {
      executor: 'nx-slipway:render',
      metadata: described('Prints the manifests as they would be applied', 'render', { output: 'rendered.yaml' }),
    };
    targets[names.dev] = devTarget(ground.hasOwnDev && options.devTargetName === undefined, readiness);
  }
  return { targets, metadata: { targetGroups: { Kubernetes: Object.keys(targets) } } };
}

function buildTarget(ground: Ground, nxJson: NxJsonConfiguration): TargetConfiguration {
  return {
    executor: 'nx-slipway:build',
    dependsOn: ['build', '^build'],
    // Never through a named input: an exclusion inside one wins over an explicit include beside it, so a Dockerfile that `production`
    // leaves out would not be seen.
    inputs: [
      ...(ground.imageInputs ?? [
        '{projectRoot}/**/*',
        nxJson.namedInputs?.['production'] ? '^production' : '^default',
        '{workspaceRoot}/.dockerignore',
      ]),
      '{workspaceRoot}/slipway.yaml',
      outputsOfDependencies,
      // What is installed in the workspace is in no image but by a lock file that it copies, or by what a build bundles.
      ...(ground.imageInputs ? [{ externalDependencies: [] }] : []),
    ],
    // From Nx 24 on, what is affected follows declared outputs from the task that makes them to those that read them.
    outputs: ['{workspaceRoot}/.slipway/images/{projectName}.json'],
    // A hit would leave the record of an image that nobody has looked for: whoever asks for the image alone would be told that it is there.
    cache: false,
    metadata: described('Builds the image and puts it where the cluster finds it', 'build', { defaultRepo: 'registry.example/team' }),
  };
}

function deployTarget(ground: Ground, buildTargetName: string | undefined): TargetConfiguration {
  return {
    executor: 'nx-slipway:deploy',
    // With its options: the image has to be where this cluster finds it.
    ...(buildTargetName === undefined ? {} : { dependsOn: [{ target: buildTargetName, params: 'forward' as const }] }),
    inputs: [
      ...(ground.manifestInputs ?? ['{projectRoot}/**/*']),
      '{workspaceRoot}/slipway.yaml',
      outputsOfDependencies,
      { externalDependencies: [] },
    ],
    cache: false,
    metadata: described('Applies the manifests with the images of this state of the files, and waits for the rollout', 'deploy', {
      namespace: 'shop',
    }),
  };
}

function devTarget(besideOwnDev: boolean, readiness: boolean): TargetConfiguration {
  const what = 'Deploys, then keeps the running containers in step with the files on disk';
  const target: TargetConfiguration = {
    executor: 'nx-slipway:dev',
    metadata: described(besideOwnDev ? `${what} (named k8s-dev because the project has a dev target of its own)` : what, 'dev', {
      keep: true,
    }),
  };
  return readiness ? { ...target, readyWhen: { signal: true } } : target;
}

function described(description: string, command: string, options: Record<string, unknown>): NonNullable<TargetConfiguration['metadata']> {
  return { technologies: ['kubernetes', 'docker'], description, help: { command: `npx slipway ${command} --help`, example: { options } } };
}

/** Whether the workspace's Nx lets a task say that it is ready: since 24. */
function knowsReadiness(workspaceRoot: string): boolean {
  try {
    const nxPackage = createRequire(join(workspaceRoot, 'package.json'))('nx/package.json') as { readonly version: string };
    return Number.parseInt(nxPackage.version, 10) >= 24;
  } catch {
    return false;
  }
}

function hasOwnDev(projectJson: JsonObject | undefined, packageJson: JsonObject | undefined): boolean {
  const nxOfPackage = objectIn(packageJson, 'nx');
  const configured = [objectIn(objectIn(projectJson, 'targets'), 'dev'), objectIn(objectIn(nxOfPackage, 'targets'), 'dev')];
  // An entry with neither only sets options of the inferred target.
  if (configured.some((target) => target && ('executor' in target || 'command' in target))) return true;
  const included = nxOfPackage?.['includedScripts'];
  if (Array.isArray(included) && !included.includes('dev')) return false;
  return typeof objectIn(packageJson, 'scripts')?.['dev'] === 'string';
}

/** Names in a folder, and whether each is a folder itself. */
function namesIn(folder: string): ReadonlyMap<string, boolean> {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return new Map();
  }
  return new Map(entries.map((entry) => [entry.name, entry.isDirectory()]));
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectIn(parent: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = parent?.[key];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** A file that is not JSON is Nx's own to report; it says nothing here. */
function jsonAt(file: string): JsonObject | undefined {
  try {
    return objectIn({ file: JSON.parse(readFileSync(file, 'utf8')) as unknown }, 'file');
  } catch {
    return undefined;
  }
}

/** The keys of a config. One that cannot be read yet is not a reason to take targets away: they tell what is wrong with it. */
function configAt(workspaceRoot: string, path: string): JsonObject | 'unreadable' | undefined {
  try {
    const text = readFileSync(join(workspaceRoot, path), 'utf8');
    const right = readConfig({ path, text, isRoot: false }).config;
    return objectIn({ file: right ?? (yaml().parse(text) as unknown) }, 'file');
  } catch {
    return 'unreadable';
  }
}

function saysAny(config: JsonObject | 'unreadable' | undefined, keys: readonly string[]): boolean {
  if (config === 'unreadable') return true;
  return config !== undefined && keys.some((key) => config[key] !== undefined);
}
