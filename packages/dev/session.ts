import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import type { BuildCluster } from '../build';
import {
  connectEngine,
  contextName,
  isLocalHost,
  openRegistry,
  processes,
  type Engine,
  type Kube,
  type KubeTarget,
  type Registry,
} from '../clients';
import { approachCluster, contextMemoryFile, type ApproachedCluster } from '../deploy';
import { defaultRepoOf } from '../graph';
import { failed, succeeded, type Problem, type Release, type ReleaseName, type Result, type Workspace } from '../model';
import { chooseDelivery, type Delivery, type DeliveryOptions } from '../registry';
import { count } from '../report';
import { filesBelow } from '../source';
import { ImageNames } from './imageNames';
import type { CommandOptions, DoctorDocument } from './command';
import { readWorkspace, type ReadWorkspace } from './readWorkspace';
import { goalFor } from './selection';
import { untilAborted } from './untilAborted';

export type Check = DoctorDocument['checks'][number];

/**
 * What a command needs of the world outside: an engine where an image needs one, or `anyEngine`, to say whether there is one; a cluster, or
 * `clusterUnlessRepo`, where none is needed for images that go to a registry which is named.
 */
export type Need = 'workspace' | 'cluster' | 'clusterUnlessRepo' | 'engine' | 'anyEngine' | 'delivery';

/** Everything a command works with, looked at and found right before any work is done. */
export interface Session {
  readonly options: CommandOptions;
  readonly read: ReadWorkspace;
  readonly workspaceId: string;
  /** The cluster, once the guard has let in. */
  readonly kube: Kube | undefined;
  /** Where the kubeconfig leads, whether anything may be done there or not. */
  readonly target: KubeTarget | undefined;
  /** The one that images are built in. */
  readonly engine: Engine;
  readonly registry: Registry;
  readonly delivery: Delivery | undefined;
  readonly names: ImageNames;
  /** Nothing is to be changed. */
  readonly dryRun?: boolean;
  /** No image is to be built: what is not there is missing. */
  readonly noBuild?: boolean;
  readonly checks: readonly Check[];
}

export interface Preflight {
  readonly checks: readonly Check[];
  readonly problems: readonly Problem[];
  readonly session: Session | undefined;
}

/**
 * Looks at all that is needed, at once, and tells all that is missing: the same for every command and for `doctor`. It has done
 * nothing that would have to be undone, so an interrupt ends it at once.
 */
export function preflight(
  options: CommandOptions,
  needs: ReadonlySet<Need>,
  mode: 'dev' | 'deploy',
  reading: Promise<Result<ReadWorkspace>> = readFor(options, mode),
): Promise<Preflight> {
  const interrupted: Preflight = {
    checks: [],
    problems: [{ code: 'interrupted', message: 'interrupted before anything was done', retry: 'never', exitCode: 1 }],
    session: undefined,
  };
  return Promise.race([lookAround(options, needs, reading), untilAborted(options.signal).then(() => interrupted)]);
}

/** The context that a command works in, for as long as it does: whoever makes another one the current one means the next command. */
export function contextOf({ target }: Pick<Session, 'target'>): { readonly context?: string } {
  return target ? { context: target.context } : {};
}

/** What a command reads of its workspace; `only`: what these projects need of it. */
export function readFor(options: CommandOptions, mode: 'dev' | 'deploy', only?: readonly string[]): Promise<Result<ReadWorkspace>> {
  const { root, graph, env, defaultRepo } = options;
  const profiles = { asked: askedProfiles(options), context: once(() => contextName(options)) };
  return readWorkspace({ root, graph, mode, env, profiles, ...(defaultRepo !== undefined && { defaultRepo }), ...(only && { only }) });
}

/** The profiles that a command is asked for. */
export function askedProfiles({ profiles, env }: Pick<CommandOptions, 'profiles' | 'env'>): readonly string[] {
  const list = profiles ?? env['SLIPWAY_PROFILE'] ?? '';
  return list.split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()]));
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

async function lookAround(options: CommandOptions, needs: ReadonlySet<Need>, reading: Promise<Result<ReadWorkspace>>): Promise<Preflight> {
  const engine = connectEngine({ env: options.env });
  const builds = needs.has('engine') || needs.has('anyEngine');
  const needsEngine = (read: Result<ReadWorkspace>): boolean =>
    !read.ok || needsBuilder(read.value.workspace, options.projects, ['docker', 'docker+layers']);
  const [read, asked, answered] = await Promise.all([
    reading,
    needs.has('cluster') ? clusterOf(options) : needs.has('clusterUnlessRepo') ? clusterUnlessRepo(options, reading) : undefined,
    needs.has('anyEngine') ? engine.ping() : reading.then((known) => (builds && needsEngine(known) ? engine.ping() : undefined)),
  ]);
  const profiles = read.ok ? read.value.settings.profiles : [];
  if (profiles.length > 0)
    options.report({ kind: 'notice', message: `${profiles.length === 1 ? 'profile' : 'profiles'} ${profiles.join(', ')}` });
  const buildsThere = read.ok && builds && needsBuilder(read.value.workspace, options.projects, ['buildkit']);
  const cluster = asked ?? (buildsThere ? await clusterOf(options) : undefined);
  const checks: Check[] = [];
  const problems: Problem[] = [];
  const note = (name: string, message: string, result: Result<unknown>): void => {
    if (result.ok) checks.push({ name, ok: true, message });
    else {
      checks.push({
        name,
        ok: false,
        message: result.problem.message,
        ...(result.problem.hint !== undefined && { hint: result.problem.hint }),
      });
      problems.push(result.problem);
    }
  };

  const registry = registryFor(options, read.ok ? read.value.settings.insecureRegistries : []);
  note(
    'workspace',
    read.ok ? `${count(read.value.workspace.projects.size, 'project')}, ${count(read.value.workspace.artifacts.size, 'image')}` : '',
    read,
  );
  const needed = needsEngine(read);
  const noteEngine = (answer: NonNullable<typeof answered>, isNeeded: boolean): void => {
    if (answer.ok || isNeeded) note('engine', answer.ok ? `Docker ${answer.value.version}, ${answer.value.platform}` : '', answer);
    else checks.push({ name: 'engine', ok: true, message: 'none answers, and no image here needs one' });
  };
  if (answered) noteEngine(answered, needed);
  if (cluster) note('cluster', cluster.ok ? `${cluster.value.version} at ${cluster.value.approached.target.server}` : '', cluster);
  let kube: Kube | undefined;
  let delivery: Delivery | undefined;
  if (cluster?.ok && read.ok) {
    const entered = await cluster.value.approached.enter({
      allowContexts: read.value.settings.allowContexts,
      memoryFile: contextMemoryFile(options.env, homedir()),
      ...(options.acceptContext === true && { acceptContext: true }),
    });
    note('context', entered.ok ? entered.value.because : '', entered);
    if (entered.ok) kube = entered.value.kube;
  }
  if (needs.has('delivery') && read.ok && problems.length === 0) {
    const chosen = await chooseDelivery(deliveryOptions({ options, settings: read.value.settings, kube, engine, registry }));
    if (read.value.settings.defaultRepo.from === 'SKAFFOLD_DEFAULT_REPO') {
      options.report({
        kind: 'notice',
        message: 'SKAFFOLD_DEFAULT_REPO says where images go; SLIPWAY_DEFAULT_REPO is the name to use from now on',
      });
    }
    note('images', chosen.ok ? chosen.value.because : '', chosen);
    if (chosen.ok) delivery = chosen.value;
    // Where images are copied from the engine, it has them all.
    if (builds && delivery && delivery.repo === undefined && !needed && answered?.ok !== true)
      noteEngine(answered ?? (await engine.ping()), true);
  }
  if (!read.ok || problems.length > 0) return { checks, problems, session: undefined };
  const names = namesFor({ options, read: read.value, delivery });
  const session: Session = {
    options,
    read: read.value,
    workspaceId: workspaceIdOf(options.root),
    kube,
    target: kube?.target,
    engine: delivery?.engine ?? engine,
    registry,
    delivery,
    names,
    checks,
  };
  return { checks, problems, session };
}

export function namesFor({ options, read, delivery }: Pick<Session, 'options' | 'read' | 'delivery'>): ImageNames {
  return new ImageNames({ ...options, workspace: read.workspace, delivery, processes, now: new Date() });
}

interface DeliverySources {
  readonly options: CommandOptions;
  readonly settings: ReadWorkspace['settings'];
  readonly kube: Kube | undefined;
  readonly engine: Engine;
  readonly registry: Registry;
}

/** Registries with the logins of this machine; those that the config or the environment names may be spoken to in plain http. */
export function registryFor(options: CommandOptions, insecureRegistries: readonly string[]): Registry {
  return openRegistry({ env: options.env, insecure: allInsecure(options, insecureRegistries) });
}

function allInsecure({ env }: CommandOptions, insecureRegistries: readonly string[]): readonly string[] {
  const fromEnv = (env['SLIPWAY_INSECURE_REGISTRIES'] ?? '').split(',').map((name) => name.trim());
  return [...insecureRegistries, ...fromEnv.filter((name) => name !== '')];
}

/** Registries that speak plain http, or whose certificate is not to be checked. */
export function insecureRegistriesOf({ read, options }: Pick<Session, 'read' | 'options'>): readonly string[] {
  return allInsecure(options, read.settings.insecureRegistries);
}

/** Where images can be made in the cluster; undefined: there is none, or images do not go through a registry. */
export function buildClusterOf({ kube, read, options, workspaceId, delivery }: Session): BuildCluster | undefined {
  if (!kube || delivery?.repo === undefined) return undefined;
  const { buildkit, insecureRegistries } = read.settings;
  const { hostFromPods, repo } = delivery;
  const fromPods = (ref: string): string =>
    hostFromPods !== undefined && ref.startsWith(`${repo}/`) ? hostFromPods + ref.slice(repo.length) : ref;
  const own = [repo, buildkit.cacheRepo].flatMap((each) => (each === undefined ? [] : [fromPods(`${each}/`).replace(/\/.*/, '')]));
  return {
    kube,
    settings: buildkit,
    workspaceId,
    insecureRegistries: [...allInsecure(options, insecureRegistries), ...own.filter(isLocalHost)],
    fromPods,
    onNotice: (message) => options.report({ kind: 'notice', message }),
  };
}

/** How to find out where images go. */
export function deliveryOptions({ options, settings, kube, engine, registry }: DeliverySources): DeliveryOptions {
  const { repo, from } = settings.defaultRepo;
  return {
    ...(kube && { kube }),
    engine,
    registry,
    processes,
    engineAt: (variables) => connectEngine({ env: { ...options.env, ...variables } }),
    ...(repo !== undefined && { defaultRepo: { repo, from: from ?? '', multiLevel: settings.multiLevelRepo } }),
    push: options.push ?? settings.push,
  };
}

type FoundCluster = Result<{ readonly approached: ApproachedCluster; readonly version: string }>;

/** Building for a registry that is named, wherever that is said, needs no cluster. Undefined: none is asked. */
async function clusterUnlessRepo(options: CommandOptions, reading: Promise<Result<ReadWorkspace>>): Promise<FoundCluster | undefined> {
  const early = mayNameRepo(options) ? undefined : clusterOf(options);
  const read = await reading;
  if (!read.ok) return undefined;
  const { defaultRepo, push } = read.value.settings;
  return defaultRepo.repo !== undefined && (options.push ?? push) !== false ? undefined : (early ?? clusterOf(options));
}

/** Whether something may name a registry, as far as that can be told before the workspace has been read. */
function mayNameRepo({ root, env, defaultRepo }: CommandOptions): boolean {
  const said = defaultRepoOf({ flag: defaultRepo, env, config: undefined }).repo;
  return said !== undefined || filesBelow(root).textOf('slipway.yaml')?.includes('defaultRepo') === true;
}

async function clusterOf(options: CommandOptions): Promise<FoundCluster> {
  const approached = await approachClusterOf(options);
  if (!approached.ok) return approached;
  const version = await approached.value.version();
  return version.ok ? succeeded({ approached: approached.value, version: version.value }) : failed(version.problem);
}

/** The cluster that a command's flags and environment name. Nothing is asked of it yet. */
export function approachClusterOf({ env, kubeconfig, context }: Pick<CommandOptions, 'env' | 'kubeconfig' | 'context'>) {
  return approachCluster({ env, ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) });
}

/** A short hash of the workspace's name, the same in every checkout: what a colleague or CI deployed is found again. */
export function workspaceIdOf(root: string): string {
  return createHash('sha256').update(nameOf(root)).digest('hex').slice(0, 12);
}

function nameOf(root: string): string {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    if (
      typeof manifest === 'object' &&
      manifest !== null &&
      'name' in manifest &&
      typeof manifest.name === 'string' &&
      manifest.name !== ''
    )
      return manifest.name;
  } catch {
    // Without a readable package.json the folder's name is as good.
  }
  return basename(root);
}

/** What says where objects go that name no namespace themselves. */
interface NamespaceSources {
  readonly options: Pick<Session['options'], 'namespace'>;
  readonly target: Pick<NonNullable<Session['target']>, 'namespace'> | undefined;
  readonly read: { readonly settings: Pick<Session['read']['settings'], 'defaultNamespace'> };
}

/** Where a release lives: the flag's namespace, else the config's, else the kubeconfig's. */
export function namespaceOf({ options, target, read }: NamespaceSources, release: Pick<Release, 'namespace'>): string {
  return options.namespace ?? release.namespace ?? read.settings.defaultNamespace ?? target?.namespace ?? 'default';
}

/** A release by its name, and where it lives. */
export interface Place {
  readonly release: ReleaseName;
  readonly namespace: string;
}

/** Where releases live; names that the workspace does not know are left out. */
export function placesOf(session: Session, workspace: Workspace, releases: Iterable<ReleaseName>): readonly Place[] {
  return [...releases].flatMap((name) => {
    const release = workspace.releases.get(name);
    return release ? [{ release: name, namespace: namespaceOf(session, release) }] : [];
  });
}

/** Where this machine keeps what it knows of images it has seen. */
export function recordsFolder(root: string): string {
  return join(root, '.slipway', 'images');
}

/** Where layers are kept that builders have made or fetched. */
export function layersFolder(root: string): string {
  return join(root, '.slipway', 'layers');
}

/** Whether an image of these projects, or one that it stands on, is made by one of these kinds of builders. */
function needsBuilder(workspace: Workspace, projects: readonly string[], kinds: readonly string[]): boolean {
  const goal = goalFor(workspace, 'deployed', { projects });
  const { artifacts } = workspace;
  const seen = new Set<string>();
  const byThem = (name: string): boolean => {
    const artifact = artifacts.get(name);
    if (!artifact || seen.has(name)) return false;
    seen.add(name);
    return kinds.includes(artifact.recipe.builder.replace(/\/.*/, '')) || artifact.requires.some(byThem);
  };
  return goal.ok && [...goal.goal.artifacts].some(byThem);
}

export function imageNamesOf(workspace: Workspace): Readonly<Record<string, string>> {
  return Object.fromEntries([...workspace.artifacts.values()].map(({ name, image }) => [name, image]));
}

/**
 * What a mistake keeps from being deployed can be looked at and removed all the same: its objects are known by their labels. Not where it is
 * unknown in which namespace they are, as of a project whose config cannot be read, unless a flag names it.
 */
export function withBrokenReleases(session: Session): Session {
  const { workspace } = session.read;
  const releases = new Map([...workspace.releases, ...(workspace.brokenReleases ?? [])]);
  if (session.options.namespace !== undefined)
    for (const { project } of workspace.problems) {
      if (project === undefined || releases.has(project)) continue;
      releases.set(project, { name: project, project, sources: [], inputs: [], artifacts: [] });
    }
  return { ...session, read: { ...session.read, workspace: { ...workspace, releases } } };
}
