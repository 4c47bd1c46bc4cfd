import type { BuildkitConfig } from '../config';
import type { Engine, Kube, Processes, Registry } from '../clients';
import type { Artifact, BuiltImage, Problem, Result, Snapshot } from '../model';

/** What builders work with, for as long as a session lives. */
export interface BuildTools {
  readonly engine: Engine;
  readonly registry: Registry;
  readonly processes: Processes;
  /** What build secrets and agents may come from, and what build commands know. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where layers are kept; all of it can be made again. */
  readonly cacheDir: string;
  /** Whether images go to a registry. Else they have to be in the engine, whichever builder is wanted. */
  readonly hasRegistry: boolean;
  /** How many images are made at a time; 0: as many as there are cores. Absent: as many as each builder does well with. */
  readonly concurrency?: number;
  /** Every step is run, whatever is kept of earlier builds. */
  readonly noCache?: boolean;
  /** Registries that speak plain http, or whose certificate is not to be checked. */
  readonly insecureRegistries?: readonly string[];
  /** Where images can be made in a cluster. */
  readonly cluster?: BuildCluster;
}

export interface BuildCluster {
  readonly kube: Kube;
  readonly settings: BuildkitConfig;
  /** Whose the pods are. */
  readonly workspaceId: string;
  /** Registries that speak plain http, or whose certificate is not to be checked. */
  readonly insecureRegistries: readonly string[];
  /** A reference as pods know its registry. */
  readonly fromPods: (ref: string) => string;
  readonly onNotice: (message: string) => void;
}

/** What every image of ours says of itself. */
export const labels = { project: 'dev.slipway.project', inputs: 'dev.slipway.inputs' } as const;

/** The labels of an image that a job makes. */
export function labelsOf({ artifact, snapshot }: Pick<BuildJob, 'artifact' | 'snapshot'>): Readonly<Record<string, string>> {
  return { ...artifact.recipe.labels, [labels.project]: artifact.project, [labels.inputs]: snapshot.inputsHash };
}

export interface BuildJob {
  readonly artifact: Artifact;
  readonly snapshot: Snapshot;
  /** By name as a FROM writes it, without tag: the reference of that image of this workspace. */
  readonly bases: Readonly<Record<string, string>>;
  /** Absolute path of the workspace. */
  readonly root: string;
  /** What the image is called when it is made from exactly the snapshot. */
  readonly ref: string;
  /**
   * What has to go well before the image is called `ref`: with its problem the build has failed, and nothing has the name, so that nobody
   * takes the image for one that may be used. It is given a reference that leads to the image until then.
   */
  readonly beforeNaming?: ((reachedBy: string) => Promise<Problem | undefined>) | undefined;
  /** Nothing that was made before is used again. */
  readonly fromScratch?: true;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface Built {
  readonly image: BuiltImage;
  /** The snapshot's `inputsHash` when exactly that was sent to the builder; else another text, and nothing carries `ref`. */
  readonly sentHash: string;
  /** The kind of builder that made it. */
  readonly builder: string;
  /** Why another one than the recipe names. */
  readonly because?: string;
}

/** Makes images. Failures carry the artifact's project, and a location in the workspace. */
export interface Builder {
  build(job: BuildJob): Promise<Result<Built>>;
}

/** A builder that keeps something running between builds. */
export interface OpenBuilder extends Builder {
  /** Leaves nothing behind, whatever it is in the middle of. */
  close(): Promise<void>;
}
