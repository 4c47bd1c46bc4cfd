import { mergeConfig, readConfig, type BuildkitConfig, type ManifestContainer, type ProfileChoice } from '../config';
import { hooksOf } from './hooks';
import type { Project, Release, Workspace, WorkspacePath } from '../model';
import { nearest, together, type Artifact, type Problem } from '../model';
import { isImage, parseReference } from '../tag';
import { imageOf, type ProjectImage } from './artifact';
import { defaultRepoOf, type DefaultRepo } from './defaultRepo';
import { isSafeUrl, isUrl, type NotFetched } from './fetchedManifests';
import type { GraphFacts, GraphProject } from './graphSource';
import { manifestsOf, type SourceFacts } from './manifestSources';
import { containersBy, makeImages, neededProjects } from './needed';
import { outputsOf } from './outputs';
import { forwardsOf } from './forwards';
import { cannotBeMade, lackingImage } from './lackingImages';
import { releaseOf } from './release';
import { imagesOf, type ImageSettings } from './imageSettings';
import { dependenciesQuestionOf, type DependenciesQuestion, type ListedDependencies } from './customImage';
import { profiled, unknownProfiles } from './profiles';
import { requiredServices } from './requiredServices';
import { circles, circularImages } from './requires';
import { saidOfProject, saidOfWorkspace, type SaidSetting } from './saidSettings';
import type { ConfigAt, ProjectSettings } from './settings';
import { targetsOf } from './targets';
import { unheeded } from './unheeded';
import { joinPath, recorded, type WorkspaceFiles } from './workspaceFiles';

export interface WorkspaceFacts {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly graph: GraphFacts;
  readonly files: WorkspaceFiles;
  /** In dev the stage named `dev` is built, when there is one and the config names none, and for one platform. */
  readonly mode: 'dev' | 'deploy';
  /** The platform of this machine: `linux/amd64`. */
  readonly machine?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The answers to `dependenciesQuestions`. */
  readonly listedDependencies?: ListedDependencies;
  /** Of `manifestUrls`, those that could not be had; the others are among the files. */
  readonly notFetched?: NotFetched;
  /** From the command line; wins over SLIPWAY_DEFAULT_REPO and the config. */
  readonly defaultRepo?: string;
  readonly profiles?: ChosenProfiles;
  /** Projects that all is about: of the others only what these run, stand on or require is put together. Absent: all projects. */
  readonly only?: readonly string[];
}

/** See `ProfileChoice`. */
export type ChosenProfiles = Pick<ProfileChoice, 'asked' | 'context'>;

/** What the root's config says of the whole workspace. */
export interface WorkspaceSettings {
  readonly defaultRepo: DefaultRepo;
  /** Where projects are deployed that name no namespace. */
  readonly defaultNamespace?: string;
  readonly multiLevelRepo: boolean | undefined;
  readonly insecureRegistries: readonly string[];
  readonly push: boolean | undefined;
  readonly buildConcurrency: number | undefined;
  /** Bytes of a build context above which something is said. */
  readonly contextLimit: number;
  readonly buildkit: BuildkitConfig;
  readonly allowContexts: readonly string[];
  /** Releases that dev leaves deployed when it ends. */
  readonly keep: ReadonlySet<string>;
  /** Profiles that are active, of any config. */
  readonly profiles: readonly string[];
}

export interface Assembled {
  readonly workspace: Workspace;
  readonly settings: WorkspaceSettings;
  /** Paths whose change means assembling again; a directory stands for the names in it. */
  readonly configFiles: readonly WorkspacePath[];
  /** What holds for all is not known, or something was asked for that is not there: nothing may be done with this workspace. */
  readonly refused?: Problem;
}

const configName = 'slipway.yaml';
/** Megabytes. */
const usualContextLimit = 100;

/** Puts together what the graph, config files, Dockerfiles and manifests say. What is wrong with one project is a problem of the workspace; the others go on. */
export function assemble(facts: WorkspaceFacts): Assembled {
  const files = recorded(facts.files);
  const graph = normalized(facts.graph);
  const problems: Problem[] = [];
  const { root, settings, choice } = settingsOfAll({ ...facts, graph, files });
  if (root) problems.push(...root.problems);
  const chosenRepo = defaultRepoOf({ flag: facts.defaultRepo, env: facts.env, config: root?.config?.defaultRepo });
  const defaultRepo = chosenRepo.repo;

  const configs = [...new Set([root, ...settings.map(({ own }) => own)])].filter((config) => config !== undefined);
  const refused = unreadableRoot(root) ?? unknownProfiles(configs, choice.asked);
  for (const { project, own } of settings) {
    if (own && own !== root) problems.push(...own.problems.map((problem) => ({ ...problem, project: project.name })));
  }
  const everyManifests = settings.map((each) => ({
    ...each,
    manifests: manifestsOf({ ...each, files, env: facts.env, notFetched: facts.notFetched }),
  }));
  const needed = facts.only && neededProjects(facts.only, settings);
  const withManifests = needed ? everyManifests.filter(({ project }) => needed.has(project.name)) : everyManifests;
  const containers = containersBy(everyManifests, needed);
  const outputs = outputsOf(graph);
  const allImages = everyManifests.flatMap(({ manifests, ...each }) => imagesOf(each).map((image) => ({ ...image, manifests })));
  const { mode, env, listedDependencies: listed, machine } = facts;
  const configPaths = configs.map(({ path }) => path);
  const makeImage = (each: (typeof allImages)[number]): ProjectImage | undefined => {
    const { own, project, image } = each;
    // With a wrong config the image would be another one.
    if (own && !own.config) return own.path === configName && project.root !== '' ? undefined : unreadable(each);
    const known = { listed, mode, machine, env, defaultRepo, files, outputs, configPaths, allImages };
    const made = imageOf({ ...each, ...known, containers: containers(image) });
    return made && about(made);
  };
  const used = withManifests.flatMap(({ manifests }) => [...manifests.containers.map((container) => container.image), ...manifests.images]);
  const isNeeded = ({ project, image }: ImageSettings): boolean =>
    needed?.has(project.name) !== false || used.some((name) => isImage(name, { image, repo: defaultRepo }));
  const images = makeImages(allImages, { isNeeded, makeImage });
  const named = onWhatCanBeMade(withoutCircles(withUniqueNames(images)));
  problems.push(...withManifests.flatMap(({ manifests }) => manifests.problems), ...named.flatMap((image) => image.problems));

  const made = new Set(named.map((image) => image.settings.artifact));
  const drafts = named.flatMap(({ artifact, required }) => {
    const requires = [...new Set(required.map(({ name }) => name))].filter((each) => made.has(each));
    if (!artifact) return [];
    const settingsOfIt = settings.find((each) => each.project.name === artifact.project);
    const hooks = settingsOfIt ? hooksOf(settingsOfIt, ['build', 'sync']) : [];
    return [{ ...artifact, requires, ...(hooks.length > 0 && { hooks }) }];
  });
  const byProject = new Map(everyManifests.map((each) => [each.project.name, each]));
  const { targets, byArtifact } = targetsOf({
    graph,
    outputs,
    artifacts: drafts,
    files,
    deployFilesOf(project) {
      const known = byProject.get(project);
      return known ? deployFilesOf(known, drafts) : [];
    },
    watching: facts.mode === 'dev',
  });
  const artifacts = drafts.map((draft): Artifact => ({ ...draft, targets: byArtifact.get(draft.name) ?? [] }));

  const misspelt = withManifests.flatMap(({ project, manifests }) => {
    const uses = { own: manifests.containers, containers, defaultRepo };
    return artifacts.filter((each) => each.project === project.name).flatMap((each) => misspeltImage(each, uses) ?? []);
  });
  problems.push(...misspelt);
  const services = requiredServices(everyManifests.map((each) => ({ ...each, deploys: each.manifests.sources.length > 0 })));
  problems.push(...services.problems);
  const missing = named.filter((image) => !image.artifact);
  const all = withManifests.flatMap((each) => {
    // Where it is cannot be known either.
    if (each.own && !each.own.config) return [];
    const request = { ...each, artifacts, defaultRepo };
    const release = releaseOf(request);
    if (!release) return [];
    const { lacksImage, problem } = lackingImage(each, { missing, defaultRepo });
    if (problem) problems.push(problem);
    const isWhole = !lacksImage && !misspelt.some(({ project }) => project === each.project.name);
    return [{ release, isWhole, forwards: forwardsOf(request), keep: each.config.dev?.keep === true }];
  });
  const released = all.filter(({ isWhole }) => isWhole);
  const broken = all.filter(({ isWhole }) => !isWhole).map(({ release }): Release => release);
  const notices = root && graph.projects.every((project) => project.root !== '') ? unheeded(root) : [];
  const workspace: Workspace = {
    root: facts.root,
    projects: byName(
      graph.projects.map(({ name, root: at, dependencies }): Project => {
        const requires = services.byProject.get(name);
        return { name, root: at, dependencies, ...(requires && { requires }) };
      }),
    ),
    artifacts: byName(artifacts),
    releases: byName(released.map(({ release }): Release => release)),
    targets: new Map(targets.map((target) => [target.id, target])),
    forwards: released.flatMap(({ forwards }) => forwards),
    problems,
    ...(broken.length > 0 && { brokenReleases: byName(broken) }),
    ...(notices.length > 0 && { notices }),
  };
  const keep = new Set(released.filter((each) => each.keep).map(({ release }) => release.name));
  return {
    workspace,
    settings: {
      defaultRepo: chosenRepo,
      ...(root?.config?.defaultNamespace !== undefined && { defaultNamespace: root.config.defaultNamespace }),
      multiLevelRepo: root?.config?.multiLevelRepo,
      insecureRegistries: root?.config?.insecureRegistries ?? [],
      push: root?.config?.push,
      buildConcurrency: root?.config?.build?.concurrency,
      contextLimit: (root?.config?.build?.contextLimit ?? usualContextLimit) * 1_000_000,
      buildkit: root?.config?.build?.buildkit ?? {},
      allowContexts: root?.config?.allowContexts ?? [],
      keep,
      profiles: [...new Set(configs.flatMap(({ active = [] }) => active))],
    },
    configFiles: [...files.asked].sort(),
    ...(refused && { refused }),
  };
}

/** What the settings of projects come from. */
export type SettingsFacts = Pick<WorkspaceFacts, 'graph' | 'files' | 'mode' | 'env' | 'profiles'>;

/** What has to be asked of tools before a workspace can be put together. */
export function dependenciesQuestions(facts: SettingsFacts): readonly DependenciesQuestion[] {
  return settingsSaying('custom', facts).flatMap((each) => imagesOf(each).flatMap((image) => dependenciesQuestionOf(image) ?? []));
}

/** The settings of projects in whose config, or the root's, a word stands. Hardly a config has it, and not to look closer at the others is fast. */
function settingsSaying(word: string, facts: SettingsFacts): readonly ProjectSettings[] {
  const { graph, files } = facts;
  const says = (folder: WorkspacePath): boolean => files.textOf(joinPath(folder, configName))?.includes(word) === true;
  const projects = says('') ? graph.projects : graph.projects.filter(({ root }) => says(root));
  return projects.length === 0 ? [] : settingsOfAll({ ...facts, graph: { ...graph, projects } }).settings;
}

/** Manifests that have to be fetched before a workspace can be put together. */
export function manifestUrls(facts: SettingsFacts): readonly string[] {
  return settingsSaying('fetchManifests', facts).flatMap(({ config }) =>
    config.apply?.fetchManifests === true ? (config.manifests ?? []).filter((each) => isUrl(each) && isSafeUrl(each)) : [],
  );
}

/** What each slipway.yaml says that holds, for the workspace and by project. */
export function saidSettings(facts: SettingsFacts): {
  readonly workspace: readonly SaidSetting[];
  readonly projects: ReadonlyMap<string, { readonly profiles: readonly string[]; readonly said: readonly SaidSetting[] }>;
} {
  const { root, settings } = settingsOfAll(facts);
  const projects = settings.map((each) => {
    const profiles = [...new Set([...(root?.active ?? []), ...(each.own?.active ?? [])])];
    return [each.project.name, { profiles, said: saidOfProject(each) }] as const;
  });
  return { workspace: saidOfWorkspace(root), projects: new Map(projects) };
}

interface AllSettings {
  readonly root: ConfigAt | undefined;
  readonly settings: readonly ProjectSettings[];
  readonly choice: ProfileChoice;
}

function settingsOfAll(facts: SettingsFacts): AllSettings {
  const choice = choiceOf(facts);
  const reading = { files: facts.files, choice };
  const root = configAt(configName, reading);
  return { root, choice, settings: normalized(facts.graph).projects.map((project) => settingsOf(project, { root, ...reading })) };
}

function normalized(graph: GraphFacts): GraphFacts {
  return { ...graph, projects: graph.projects.map((project) => ({ ...project, root: joinPath('', project.root) })) };
}

interface ConfigReading {
  readonly files: WorkspaceFiles;
  readonly choice: ProfileChoice;
}

function choiceOf({ env, mode, profiles }: Pick<WorkspaceFacts, 'env' | 'mode' | 'profiles'>): ProfileChoice {
  return { asked: [], context: () => undefined, ...profiles, env, mode };
}

function configAt(path: WorkspacePath, { files, choice }: ConfigReading): ConfigAt | undefined {
  const text = files.textOf(path);
  return text === undefined ? undefined : profiled({ path, ...readConfig({ path, text, isRoot: path === configName }) }, choice);
}

function settingsOf(project: GraphProject, { root, ...reading }: { readonly root: ConfigAt | undefined } & ConfigReading): ProjectSettings {
  // A project at the root has the root's config as its own.
  if (project.root === '') return { project, own: root, inherited: root, config: root?.config ?? { version: 1 } };
  // A profile of the root that is active by itself is so everywhere.
  const asked = [...(root?.active ?? []).filter((name) => !reading.choice.asked.includes(name)), ...reading.choice.asked];
  const own = configAt(joinPath(project.root, configName), { ...reading, choice: { ...reading.choice, asked } });
  return { project, own, inherited: root, config: mergeConfig(root?.config, own?.config) };
}

/** All mistakes of the root's config. Without it the namespace, the registry and the clusters that are allowed would be others than it says. */
function unreadableRoot(root: ConfigAt | undefined): Problem | undefined {
  const [first, ...others] = root?.config ? [] : (root?.problems ?? []);
  return first && together([first, ...others]);
}

/** The image of a project whose config cannot be read: it has the default name as far as is known, and no artifact. */
function unreadable(settings: ImageSettings): ProjectImage {
  return { settings, artifact: undefined, required: [], problems: [] };
}

/** An image of several tells which of them its problems are about. */
function about(image: ProjectImage): ProjectImage {
  const { nameInProject, artifact } = image.settings;
  return nameInProject === undefined ? image : { ...image, problems: image.problems.map((problem) => ({ ...problem, artifact })) };
}

interface Uses {
  readonly own: readonly ManifestContainer[];
  readonly containers: (image: string) => readonly ManifestContainer[];
  readonly defaultRepo: string | undefined;
}

/** An image that no manifest names, beside a manifest with almost its name: the cluster would look for that one in vain. */
function misspeltImage({ image, project }: Artifact, { own, containers, defaultRepo }: Uses): Problem | undefined {
  if (containers(image).some((container) => isImage(container.image, { image, repo: defaultRepo }))) return undefined;
  const wrong = own.find((container) => {
    const reference = parseReference(container.image);
    const isBare = reference.ok && reference.value.tag === undefined && reference.value.digest === undefined;
    return isBare && nearest(container.image, [image]) !== undefined;
  });
  if (!wrong) return undefined;
  const { location } = wrong;
  return {
    code: 'manifestImageUnknown',
    message: `${location.file}:${location.line ?? 1}: no project makes the image ${wrong.image}, and no manifest names ${image}`,
    hint: `perhaps ${image} was meant`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project,
    location,
  };
}

/** Two images of one name could not be told apart in manifests, nor two that are called alike in all that is told. */
function withUniqueNames(images: readonly ProjectImage[]): readonly ProjectImage[] {
  const firstOfImage = new Map<string, ImageSettings>();
  const firstOfName = new Map<string, ImageSettings>();
  return images.map((image) => {
    const { settings } = image;
    const sameName = firstOfName.get(settings.artifact);
    const sameImage = firstOfImage.get(settings.image);
    if (!sameName) firstOfName.set(settings.artifact, settings);
    if (!sameImage) firstOfImage.set(settings.image, settings);
    const problem = sameName ? artifactNameTaken(settings, sameName) : sameImage && imageNameTaken(settings, sameImage);
    return problem ? about({ ...image, artifact: undefined, problems: [...image.problems, problem] }) : image;
  });
}

function imageNameTaken(settings: ImageSettings, other: ImageSettings): Problem {
  return {
    code: 'imageNameTaken',
    message: `${settings.artifact}: ${other.artifact} has an image named ${settings.image} too`,
    hint: `give one of them another name with ${settings.imageKey}.name in slipway.yaml`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project: settings.project.name,
    ...nameLocation(settings),
  };
}

function artifactNameTaken(settings: ImageSettings, other: ImageSettings): Problem {
  return {
    code: 'artifactNameTaken',
    message: `two images are called ${settings.artifact}: ${other.imageKey} of ${other.project.name}, and ${settings.imageKey} of ${settings.project.name}`,
    hint: 'name the one that stands in images otherwise',
    retry: 'whenInputChanges',
    exitCode: 2,
    project: settings.project.name,
    ...nameLocation(settings),
  };
}

/** Where a name stands, or, when nothing names it, what it is the name of. */
function nameLocation({ own }: ImageSettings): Pick<Problem, 'location'> {
  return own?.config?.image ? { location: own.locate(['image', 'name']) } : {};
}

/** Images that wait for each other would wait for ever. */
function withoutCircles(images: readonly ProjectImage[]): readonly ProjectImage[] {
  const standing = images.map(({ settings, required }) => ({ name: settings.artifact, project: settings.project.name, required }));
  const problems = circles(standing, circularImages);
  return images.map((image) => {
    const problem = problems.get(image.settings.artifact);
    return problem ? about({ ...image, artifact: undefined, problems: [...image.problems, problem] }) : image;
  });
}

/** Under the name of an image that cannot be made the builder would find somebody else's, or an older one. */
function onWhatCanBeMade(images: readonly ProjectImage[]): readonly ProjectImage[] {
  const broken = new Map(images.filter((image) => !image.artifact).map((image) => [image.settings.artifact, image]));
  const next = images.map((image) => {
    const { settings, artifact, required } = image;
    const base = artifact && required.find(({ name }) => broken.has(name));
    const brokenBase = base && broken.get(base.name);
    if (!brokenBase) return image;
    const { image: said, hint } = cannotBeMade(brokenBase);
    const problem: Problem = {
      code: 'baseBroken',
      message: `${settings.artifact}: it stands on ${said}`,
      hint,
      retry: 'whenInputChanges',
      exitCode: 2,
      project: settings.project.name,
      ...(base.location && { location: base.location }),
    };
    return about({ ...image, artifact: undefined, problems: [problem] });
  });
  return next.every((image, at) => image === images[at]) ? images : onWhatCanBeMade(next);
}

function deployFilesOf(
  { project, own, manifests }: ProjectSettings & { readonly manifests: SourceFacts },
  artifacts: readonly Artifact[],
): WorkspacePath[] {
  const itsOwn = artifacts.filter((each) => each.project === project.name);
  const ignores = [
    joinPath(project.root, '.dockerignore'),
    ...itsOwn.flatMap(({ recipe: { dockerfile } }) => [dockerfile, `${dockerfile}.dockerignore`]),
  ];
  return [...manifests.inputs.map(({ path }) => path), ...ignores, ...(own ? [own.path] : [])];
}

function byName<T extends { readonly name: string }>(values: readonly T[]): ReadonlyMap<string, T> {
  return new Map(values.map((value) => [value.name, value]));
}
