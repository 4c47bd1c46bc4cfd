import type { Hook } from './hook';
import type { WorkspacePath } from './tree';
import type { ArtifactName, ReleaseName } from './workspace';

/** What is applied and removed together: everything that a project deploys. */
export interface Release {
  readonly name: ReleaseName;
  readonly project: string;
  readonly namespace?: string;
  /** In the order in which they are applied. */
  readonly sources: readonly ManifestSource[];
  /** Every file that says what is applied. */
  readonly inputs: readonly ReleaseInput[];
  /** Artifacts whose images it may run. */
  readonly artifacts: readonly ArtifactName[];
  /** What its manifests name, as far as they can be read without a tool. */
  readonly named?: { readonly kinds: readonly NamedKind[]; readonly namespaces: readonly string[] };
  /** Its config says what is forwarded of it. Absent: its Services are, whichever tool makes them. */
  readonly namesForwards?: true;
  /** How its objects are applied. Absent: as usual. */
  readonly apply?: ApplyOptions;
  /** Of its rendering and its deployment. */
  readonly hooks?: readonly Hook[];
  /** Absent: as `usualPatience`. */
  readonly patience?: Patience;
}

export interface NamedKind {
  readonly apiVersion: string;
  readonly kind: string;
}

/** What is not as usual when objects are applied. */
export interface ApplyOptions {
  /** Takes over fields that others manage, and makes anew what cannot be changed in place. */
  readonly force?: boolean;
  /** Whose name the cluster writes on the fields. Absent: `usualFieldManager`. */
  readonly fieldManager?: string;
  /** A changed ConfigMap or Secret rolls the pods that read it. Absent: it does. */
  readonly rollOnConfigChange?: boolean;
  readonly createNamespace?: boolean;
  /** Where objects of other kinds than those of Kubernetes name images. */
  readonly imageFields?: readonly ImageField[];
}

export const usualFieldManager = 'slipway';

export interface ImageField {
  readonly kind: string;
  /** As of `eachTextAt`. */
  readonly path: string;
}

/** How long a rollout may take for a command that ends. */
export interface Patience {
  readonly deadlineMs: number;
  /** What is wrong with it counts only at the deadline: a cluster may grow a node meanwhile. */
  readonly toleratesFailures: boolean;
}

export const usualPatience: Patience = { deadlineMs: 600_000, toleratesFailures: false };

/** A file that a release is made from, or a directory of them. */
export interface ReleaseInput {
  readonly path: WorkspacePath;
  /** As of an `Input`. */
  readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean;
  /** One phrase for people: `a manifest of worker`. */
  readonly because: string;
}

/** Where objects come from, one member for each kind of deployer, with all that it is told. Everything in it enters the fingerprint. */
export type ManifestSource = KubectlSource | KustomizeSource | HelmSource;

/** Manifests as they stand in files. */
export interface KubectlSource {
  readonly kind: 'kubectl';
  readonly manifests: readonly WorkspacePath[];
  /** Those of them that are templates, and the variables that they name. */
  readonly hydrated?: { readonly manifests: readonly WorkspacePath[]; readonly variables: Readonly<Record<string, string>> };
}

/** What `kustomize build` makes of a folder with a kustomization. */
export interface KustomizeSource {
  readonly kind: 'kustomize';
  readonly path: WorkspacePath;
  readonly buildArgs: readonly string[];
}

/** How a chart takes the reference of an image: in one value, or in `repository` and `tag`, or with `registry` by itself, below the value. */
export type ImageStrategy = 'fqn' | 'repository+tag' | 'registry+repository+tag';

/** A release of helm's own: it stands in `helm list`, and its hooks run. */
export interface HelmSource {
  readonly kind: 'helm';
  readonly name: string;
  readonly chart:
    | {
        readonly kind: 'local';
        readonly path: WorkspacePath;
        /** It names charts that are to be put into `charts/` first. */ readonly hasDependencies: boolean;
      }
    | { readonly kind: 'remote'; readonly name: string; readonly repo?: string; readonly plainHttp?: boolean };
  readonly version?: string;
  /** Default: the release's. */
  readonly namespace?: string;
  readonly createNamespace: boolean;
  readonly valuesFiles: readonly WorkspacePath[];
  readonly values: Readonly<Record<string, unknown>>;
  readonly setValues: Readonly<Record<string, string | number | boolean>>;
  /** With variables of the environment filled in, and those of images not yet. */
  readonly setValueTemplates: Readonly<Record<string, string>>;
  readonly setFiles: Readonly<Record<string, WorkspacePath>>;
  /** Path of a value → image as manifests name it. */
  readonly images: Readonly<Record<string, string>>;
  readonly imageStrategy: ImageStrategy;
  readonly wait: boolean;
  /** Of helm itself. Absent: helm's own, five minutes. */
  readonly timeoutMs?: number;
  /** Those of the release's inputs that it is made from. */
  readonly inputs: readonly WorkspacePath[];
}

/** Whether a name in a template stands for a part of an image's reference: IMAGE, IMAGE_TAG, IMAGE_TAG_shop_pricing. */
export function isImageVariable(name: string): boolean {
  return /^IMAGE(_|$)/.test(name);
}
