import type { Hook } from './hook';
import type { Location, Problem } from './problem';
import type { Release } from './release';
import type { DeliveredImage } from './step';
import type { ContainerPath, WorkspacePath } from './tree';

export type ArtifactName = string;
export type ReleaseName = string;
/** `project:target`, as Nx writes it. */
export type TargetId = string;

/** What a change of an input asks for: copying it into running containers, or a new image. */
export type OnChange = 'sync' | 'rebuild';

/** How changed files take effect in a running container. */
export type ReloadPolicy =
  | { readonly kind: 'hot'; readonly because: string }
  /** Only by its after-commands. */
  | { readonly kind: 'command'; readonly because: string }
  | { readonly kind: 'rebuild'; readonly because: string };

/**
 * How a file that is there is replaced: its bytes overwritten where they are, which every reloader notices, or by renaming a new file over it, so that whoever opens it reads all of the old one or
 * all of the new one.
 */
export type WriteMode = 'in-place' | 'atomic';

/** A command that is run in the container when files were copied there: it compiles them, or makes the process take them up. */
export interface AfterCommand {
  readonly run: readonly string[];
  /** Whether a changed file of the workspace asks for it. Absent: every one does. */
  readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean;
  readonly timeoutMs: number;
}

/** As an `AfterCommand`, but run before the files are copied; when it fails they are not. */
export type BeforeCommand = AfterCommand;

/**
 * A file or directory of the workspace that an image takes, and what it becomes. One path may be in several inputs (a
 * package.json that is copied for an install and copied again with the sources). Where two inputs land on one container path the later wins.
 */
export interface Input {
  readonly path: WorkspacePath;
  /** Where it lands in the final stage: for a directory its content lands there. Absent when it lands nowhere that is known. */
  readonly containerPath?: ContainerPath;
  readonly onChange: OnChange;
  /** One phrase for people: `copied to /app/src (Dockerfile:9)`. */
  readonly because: string;
  /** Whether a path below (or at) `path` belongs to it: ignore rules, wildcards. Pure; the same answer for ever. Absent: everything does. */
  readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean;
  /** Copying would bring its changes; a new image is asked for only because the process would not take them up. */
  readonly onlyForProcess?: boolean;
  /** Permission bits, when the instruction sets them (`--chmod`). */
  readonly mode?: number;
  /** A rule of the config says so, whatever the Dockerfile and the process ask for. */
  readonly byRule?: true;
  /** The image does not bring it there: it is only copied into running containers, and no part of the image. */
  readonly onlySynced?: true;
  /** Absent: in place. */
  readonly write?: WriteMode;
  /** What only the container has there, and would be of this input here, is removed. */
  readonly mirror?: true;
}

/** Files that processes in a container make, and the workspace gets. */
export interface Pull {
  /** What is looked at in the container: a file, or a directory. */
  readonly from: ContainerPath;
  /** How many levels below `from` are looked at. */
  readonly depth: number;
  /** The glob that files there match, absolute. */
  readonly pattern: string;
  /** The directory that stands for `base`: what is below the one lands below the other. */
  readonly to: WorkspacePath;
  readonly base: ContainerPath;
  /** Nothing is written outside of this directory. */
  readonly within: WorkspacePath;
}

/** The variants of Skaffold's gitCommit. */
export type GitVariant = 'Tags' | 'CommitSha' | 'AbbrevCommitSha' | 'TreeSha' | 'AbbrevTreeSha';

export interface GitTagger {
  readonly kind: 'gitCommit';
  readonly variant: GitVariant;
  readonly prefix: string;
  /** Never `-dirty`. */
  readonly ignoreChanges: boolean;
}

export interface DateTimeTagger {
  readonly kind: 'dateTime';
  /** A layout of Go's `time` package. */
  readonly format: string;
  /** Absent: this machine's. */
  readonly timezone?: string;
}

/** Makes a tag from one thing. */
export type PlainTagger =
  | { readonly kind: 'inputDigest' }
  | { readonly kind: 'sha256' }
  | GitTagger
  | DateTimeTagger
  | { readonly kind: 'envTemplate'; readonly template: string };

export interface CustomTagger {
  readonly kind: 'custom';
  readonly template: string;
  /** By the name that the template has for them. */
  readonly components: Readonly<Record<string, PlainTagger>>;
}

/** How the tag is made that people know an image by. An image is always found by its content, whatever that tag is. */
export type Tagger = PlainTagger | CustomTagger;

/** What the builder needs besides files. Everything in it enters the content tag. */
export interface BuildRecipe {
  /** Builder kind with the version of what it makes: `docker/1`. Two builders never share a tag. */
  readonly builder: string;
  readonly context: WorkspacePath;
  /** What says how it is made: the Dockerfile, or the config that has the command. */
  readonly dockerfile: WorkspacePath;
  /** Of an image that a command makes. */
  readonly command?: BuildCommand;
  readonly target?: string;
  readonly args: Readonly<Record<string, string>>;
  /** Templates of arguments that name the image itself (`IMAGE_TAG`, `IMAGE_REPO`): filled in when its tag is known, which is made from all the rest. */
  readonly lateArgs?: Readonly<Record<string, string>>;
  /** Arguments that get the reference of an image of this workspace: argument → that image's name as manifests have it. */
  readonly baseArgs?: Readonly<Record<string, string>>;
  /** One platform, or several with commas between them: `linux/amd64,linux/arm64`. */
  readonly platform?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** As `lateArgs`. */
  readonly lateLabels?: Readonly<Record<string, string>>;
  /** The network that commands have. */
  readonly network?: BuildNetwork;
  /** Addresses by the name that commands know them by. */
  readonly addHosts?: Readonly<Record<string, string>>;
}

/** The platforms that an image is made for; none: that of its builder. */
export function platformsOf({ platform }: Pick<BuildRecipe, 'platform'>): readonly string[] {
  return platform === undefined ? [] : platform.split(',');
}

export interface BuildCommand {
  /** For a shell when it is a text. */
  readonly run: string | readonly string[];
  /** Where it runs. */
  readonly folder: WorkspacePath;
  /** The config that has it. */
  readonly config: WorkspacePath;
  /** Variables beside those that say what is to be made. */
  readonly env: Readonly<Record<string, string>>;
  /** As `lateArgs`. */
  readonly lateEnv?: Readonly<Record<string, string>>;
}

export type BuildNetwork = 'default' | 'none' | 'host';

/** A text that commands of a build may read, and that is no part of the image. */
export interface BuildSecret {
  readonly id: string;
  readonly from:
    | { readonly kind: 'env'; readonly name: string }
    /** Of the workspace, or absolute, or below `~/`. */
    | { readonly kind: 'file'; readonly path: string };
  readonly location?: Location;
}

/** An agent with keys that commands of a build may use. */
export interface BuildSsh {
  readonly id: string;
  /** Absolute, or below `~/`. Absent: what SSH_AUTH_SOCK names. */
  readonly socket?: string;
  readonly location?: Location;
}

/** How an image is made, where that changes nothing of what it is: no part of its tag. */
export interface BuildSettings {
  /** Images whose layers may be used again. Templates, as `lateArgs`. */
  readonly cacheFrom: readonly string[];
  /** The image tells which steps its layers are of, so that another machine can use them again. */
  readonly inlineCache: boolean;
  /** References under which the steps of the build are kept in registries. Templates, as `lateArgs`. */
  readonly cacheTo: readonly string[];
  /** Asks the registry for base images that the engine has. */
  readonly pull: boolean;
  readonly noCache: boolean;
  /** Of the engine. Absent: as it has it. */
  readonly buildkit?: 'needed' | 'none';
  readonly secrets: readonly BuildSecret[];
  readonly ssh: readonly BuildSsh[];
}

export interface Notice {
  readonly message: string;
  readonly hint: string;
}

/** An image of the workspace. */
export interface Artifact {
  readonly name: ArtifactName;
  readonly project: string;
  /** As it stands in manifests, without registry and tag: `shop/worker`. */
  readonly image: string;
  readonly recipe: BuildRecipe;
  /** Absent: nothing in particular. */
  readonly settings?: BuildSettings;
  /** Why the recipe has its builder, as one phrase for people: `RUN npm ci (apps/api/Dockerfile:4) needs an engine`. */
  readonly builderBecause?: string;
  /** The config names that builder: no other makes the image. */
  readonly builderAsked?: true;
  /** Absent: its content is its tag. */
  readonly tag?: Tagger;
  readonly inputs: readonly Input[];
  /** Artifacts of this workspace whose images it stands on. */
  readonly requires: readonly ArtifactName[];
  /** Of its build, and of what is copied into its containers. */
  readonly hooks?: readonly Hook[];
  /** Targets whose outputs are among the inputs. */
  readonly targets: readonly TargetId[];
  readonly reload: ReloadPolicy;
  /** Run in this order in the container before a batch, each only when the one before ended well. Absent: nothing is. */
  readonly before?: readonly BeforeCommand[];
  /** Run in this order after a batch, each only when the one before ended well. */
  readonly after: readonly AfterCommand[];
  /** What people should know of how it is configured: no mistake, but perhaps not what was meant. */
  readonly notices?: readonly Notice[];
  /** What its containers make that the workspace gets. Absent: nothing. */
  readonly pulls?: readonly Pull[];
  /** Files that are removed here stay in its containers. */
  readonly keepsRemoved?: true;
  /** It was made elsewhere, and is used as it is; nothing of how it is made counts. */
  readonly given?: DeliveredImage;
  /** Of one that was given: the `inputsHash` of what it was made from, where the document of its build says so. */
  readonly givenInputs?: string;
}

/** A task of the workspace's own runner that makes files which images take. */
export interface Target {
  readonly id: TargetId;
  readonly project: string;
  readonly inputs: readonly { readonly path: WorkspacePath; readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean }[];
  readonly outputs: readonly WorkspacePath[];
  readonly dependsOn: readonly TargetId[];
  /** Whether the runner runs those before it by itself. Then only one of its processes runs at a time: two would run what they share twice. */
  readonly runsDependencies: boolean;
  /** It watches its inputs itself and writes its outputs again and again, until it is stopped. */
  readonly continuous?: true;
}

export interface PortForward {
  readonly release: ReleaseName;
  /** `service/worker`, `deployment/worker` or `pod/x`. */
  readonly resource: string;
  readonly namespace?: string;
  readonly port: number | string;
  /** A demand when `strict`, else a wish. */
  readonly localPort: number;
  readonly strict: boolean;
  /** The config names it; it comes before what is only usual. */
  readonly asked?: true;
  /** Of this machine. Absent: only the machine itself reaches it. */
  readonly address?: string;
  /** Absent: it is not known to be a web server. */
  readonly scheme?: 'http' | 'https';
}

/** A project whose services another one needs when it runs. */
export interface RequiredService {
  readonly project: string;
  /** The image that it is deployed with where it does not run yet. Absent: its own. */
  readonly image?: string;
}

export interface Project {
  readonly name: string;
  readonly root: WorkspacePath;
  /** Names of projects of this workspace that it depends on directly. */
  readonly dependencies: readonly string[];
  /** Absent: none. */
  readonly requires?: readonly RequiredService[];
}

/** Everything the workspace says, assembled from the project graph, config, Dockerfiles and manifests. Replaced whole. */
export interface Workspace {
  readonly root: string;
  readonly projects: ReadonlyMap<string, Project>;
  readonly artifacts: ReadonlyMap<ArtifactName, Artifact>;
  readonly releases: ReadonlyMap<ReleaseName, Release>;
  /** What would be releases if the images that they run could be made: where they are is known. Each of their projects has a problem. Absent: none. */
  readonly brokenReleases?: ReadonlyMap<ReleaseName, Release>;
  readonly targets: ReadonlyMap<TargetId, Target>;
  readonly forwards: readonly PortForward[];
  /** What is wrong with single projects; the others go on. */
  readonly problems: readonly Problem[];
  /** What people should know of how it is configured, beside what is told of single images. Absent: nothing. */
  readonly notices?: readonly Notice[];
}

/** The project a path lies in: the one with the longest root, or undefined. */
export function projectOf(projects: Iterable<Project>, path: WorkspacePath): Project | undefined {
  let best: Project | undefined;
  for (const project of projects) {
    const inside = project.root === '' || path === project.root || path.startsWith(`${project.root}/`);
    if (inside && (!best || project.root.length > best.root.length)) best = project;
  }
  return best;
}
