import type { BuildNetwork, GitVariant, HookStage, HookSystem, WriteMode } from '../model';
import type { ApplyConfig, HelmConfig, KustomizeConfig } from './deployConfig';

/** What a slipway.yaml says. */
export interface Config {
  readonly version: 1;
  /** Root only. */
  readonly defaultRepo?: string;
  /** Root only. */
  readonly multiLevelRepo?: boolean;
  /** Root only. */
  readonly insecureRegistries?: readonly string[];
  /** Root only. */
  readonly push?: boolean;
  /** Root only. */
  readonly allowContexts?: readonly string[];
  readonly image?: ImageConfig;
  /** Several images of one project, by their names in it. Null: one of which nothing is said. */
  readonly images?: Readonly<Record<string, NamedImageConfig | null>>;
  readonly sync?: SyncConfig;
  readonly reload?: 'auto' | 'hot' | 'rebuild' | { readonly command: readonly string[] };
  readonly manifests?: readonly string[];
  readonly apply?: ApplyConfig;
  readonly kustomize?: KustomizeConfig;
  readonly helm?: HelmConfig;
  readonly namespace?: string;
  /** Root only. */
  readonly defaultNamespace?: string;
  readonly hooks?: HooksConfig;
  readonly rollout?: { readonly deadline?: number; readonly tolerateFailuresUntilDeadline?: boolean };
  readonly portForward?: readonly ForwardConfig[];
  readonly requires?: readonly RequiredServiceConfig[];
  /** Root only. */
  readonly build?: { readonly concurrency?: number; readonly contextLimit?: number; readonly buildkit?: BuildkitConfig };
  readonly dev?: { readonly keep?: boolean };
  /** By name. Null: one that changes nothing here. */
  readonly profiles?: Readonly<Record<string, ProfileConfig | null>>;
}

/** What is otherwise while a profile is active. */
export type ProfileConfig = Omit<Config, 'version' | 'profiles'> & { readonly activation?: readonly ActivationConfig[] };

/** When a profile is active without being asked for: all that is said must hold. */
export interface ActivationConfig {
  readonly env?: string;
  readonly context?: string;
  readonly mode?: 'dev' | 'deploy';
}

/** What is said of an image. */
export interface ImageConfig {
  readonly name?: string;
  readonly context?: string;
  readonly builder?: 'auto' | 'docker' | 'layers' | 'buildkit' | 'custom';
  readonly docker?: {
    readonly file?: string;
    readonly target?: string;
    readonly args?: Readonly<Record<string, string | number | boolean>>;
    readonly labels?: Readonly<Record<string, string | number | boolean>>;
    readonly network?: BuildNetwork;
    readonly addHosts?: Readonly<Record<string, string>>;
    readonly secrets?: readonly SecretConfig[];
    readonly ssh?: readonly (string | { readonly id: string; readonly socket: string })[];
    readonly cacheFrom?: readonly string[];
    readonly cacheTo?: 'inline' | readonly string[];
    readonly pull?: boolean;
    readonly noCache?: boolean;
    readonly buildkit?: 'auto' | boolean;
  };
  readonly platform?: string;
  /** Instead of `platform`. */
  readonly platforms?: readonly string[];
  readonly custom?: CustomConfig;
  readonly tag?: TagConfig;
  readonly requires?: readonly RequireConfig[];
}

/** One of several images of a project; what it says of `sync` and `reload` comes before what the project says. */
export interface NamedImageConfig extends ImageConfig {
  readonly sync?: SyncConfig;
  readonly reload?: Config['reload'];
}

/** How a buildkitd is run in the cluster. */
export interface BuildkitConfig {
  readonly namespace?: string;
  readonly image?: string;
  readonly serviceAccount?: string;
  readonly pullSecret?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** As in a pod. */
  readonly tolerations?: readonly Readonly<Record<string, string | number>>[];
  readonly resources?: Readonly<Record<'requests' | 'limits', Readonly<Record<string, string | number>> | undefined>>;
  readonly cacheRepo?: string;
}

export interface HookConfig {
  readonly run: CommandConfig;
  readonly os?: readonly HookSystem[];
  readonly dir?: string;
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  readonly timeout?: number;
  /** Of sync and deploy alone, with `pods`. */
  readonly container?: string;
  readonly pods?: string;
  /** Of sync alone. */
  readonly when?: readonly string[];
}

export type HooksConfig = Readonly<
  Partial<Record<HookStage, { readonly before?: readonly HookConfig[]; readonly after?: readonly HookConfig[] }>>
>;

export interface SyncRuleConfig {
  readonly src: string;
  readonly dest: string;
  readonly strip?: string;
  readonly write?: WriteMode;
  readonly mirror?: boolean;
}

export interface PullConfig {
  readonly src: string;
  readonly dest?: string;
}

export interface SyncConfig {
  readonly mode?: 'infer' | 'auto' | 'manual' | 'off';
  readonly infer?: readonly string[];
  readonly write?: WriteMode;
  readonly rules?: readonly SyncRuleConfig[];
  readonly pull?: readonly PullConfig[];
  readonly before?: readonly {
    readonly run: readonly string[];
    readonly where?: 'container' | 'host';
    readonly when?: readonly string[];
    readonly timeout?: number;
  }[];
  readonly after?: readonly { readonly run: readonly string[]; readonly when?: readonly string[]; readonly timeout?: number }[];
  readonly ignore?: readonly string[];
}

export interface PlainTagConfigs {
  readonly gitCommit?: {
    readonly variant?: GitVariant;
    readonly prefix?: string;
    readonly ignoreChanges?: boolean;
  } | null;
  readonly dateTime?: { readonly format?: string; readonly timezone?: string } | null;
  readonly envTemplate?: string;
}

/** A name stands for a tagger without settings; a map has one key. */
export type PlainTagConfig = 'inputDigest' | 'gitCommit' | 'sha256' | 'dateTime' | PlainTagConfigs;

export type TagConfig =
  PlainTagConfig | { readonly custom: { readonly template: string; readonly components?: Readonly<Record<string, PlainTagConfig>> } };

/** A text is for a shell. */
export type CommandConfig = string | readonly string[];

export interface CustomConfig {
  readonly command: CommandConfig;
  readonly env?: Readonly<Record<string, string | number | boolean>>;
  /** One of `paths`, `dockerfile`, `go` and `command`; `paths` may come with `go`. */
  readonly dependencies?: {
    readonly paths?: readonly string[];
    readonly ignore?: readonly string[];
    readonly dockerfile?: string;
    readonly go?: string | readonly string[];
    readonly command?: CommandConfig;
  };
}

/** One of `env` and `src`. */
export interface SecretConfig {
  readonly id: string;
  readonly env?: string;
  readonly src?: string;
}

/** A project whose image comes first, and the build argument that gets its reference. */
export type RequireConfig = string | { readonly project: string; readonly artifact?: string; readonly arg?: string };

/** A project whose services have to run, and the image that they are deployed with. */
export type RequiredServiceConfig = string | { readonly project: string; readonly image?: string };

export interface ForwardConfig {
  readonly resource: string;
  readonly port: number | string;
  readonly localPort?: number;
  readonly strict?: boolean;
  readonly address?: string;
  readonly namespace?: string;
}

/** The root's settings as defaults under a project's own. What names one project's things (image name, port-forwards) is not inherited. */
export function mergeConfig(root: Config | undefined, project: Config | undefined): Config {
  const own = project ?? { version: 1 };
  if (!root) return own;
  const inherited = { ...root, ...own };
  return {
    version: 1,
    ...present('namespace', inherited.namespace),
    ...present('manifests', inherited.manifests),
    ...present('reload', inherited.reload),
    ...((root.sync ?? own.sync) && { sync: { ...root.sync, ...own.sync } }),
    ...present('portForward', own.portForward),
    ...present('requires', own.requires),
    ...present('kustomize', own.kustomize),
    ...present('helm', own.helm),
    ...present('hooks', own.hooks),
    image: mergeImage(root.image, own.image),
    ...(own.images && { images: own.images }),
    ...((root.apply ?? own.apply) && { apply: { ...root.apply, ...own.apply } }),
    ...((root.rollout ?? own.rollout) && { rollout: { ...root.rollout, ...own.rollout } }),
    dev: { ...root.dev, ...own.dev },
  };
}

/** What is said of one image over what is said of all. */
export function mergeImage(defaults: ImageConfig = {}, own: ImageConfig = {}): ImageConfig {
  const { docker, context, builder, tag } = defaults;
  const { platform, platforms } = own.platform === undefined && own.platforms === undefined ? defaults : own;
  return {
    ...(context !== undefined && { context }),
    ...(builder !== undefined && { builder }),
    ...(platform !== undefined && { platform }),
    ...(platforms !== undefined && { platforms }),
    ...(tag !== undefined && { tag }),
    ...own,
    docker: {
      ...docker,
      ...own.docker,
      args: { ...docker?.args, ...own.docker?.args },
      labels: { ...docker?.labels, ...own.docker?.labels },
      addHosts: { ...docker?.addHosts, ...own.docker?.addHosts },
    },
  };
}

function present<Key extends keyof Config>(key: Key, value: Config[Key] | undefined): Pick<Config, Key> | object {
  return value === undefined ? {} : { [key]: value };
}
