import type { Engine } from '../clients';
import type { Artifact, BuiltImage, Result, Snapshot } from '../model';

export interface BuildJob {
  readonly artifact: Artifact;
  readonly snapshot: Snapshot;
  /** By name as a FROM writes it, without tag: the reference of that image of this workspace. */
  readonly bases: Readonly<Record<string, string>>;
  /** Absolute path of the workspace. */
  readonly root: string;
  /** What the image is called when it is made from exactly the snapshot. */
  readonly ref: string;
  readonly engine: Engine;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface Built {
  readonly image: BuiltImage;
  /** The snapshot's `inputsHash` when exactly that was sent to the builder; else another text, and nothing carries `ref`. */
  readonly sentHash: string;
}

/** Makes images. Failures carry the artifact's project, and a location in the workspace. */
export interface Builder {
  build(job: BuildJob): Promise<Result<Built>>;
}
