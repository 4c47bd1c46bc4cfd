import type { Problem } from './problem';
import type { ContainerPath, DirEntry, Entry, WorkspacePath } from './tree';
import type { AfterCommand, ArtifactName, ReleaseName, TargetId, WriteMode } from './workspace';

/** The runtime's own id (`containerd://…`): a container that restarts in place is another one. */
export type ContainerId = string;

/** The state of an artifact's sources at one moment, as far as its image is concerned. */
export interface Snapshot {
  /** Covers the recipe and every input; the content tag is made from it. */
  readonly inputsHash: string;
  /** Covers the recipe and the inputs whose change needs a new image. */
  readonly rebuildHash: string;
  /** Covers where inputs land. Syncing into a container that was made with another layout would delete what it runs on. */
  readonly layoutHash: string;
  /** Every input file by workspace path: what a builder packs, and checks against what it packed. */
  readonly sources: DirEntry;
  /** The syncable files by container path. */
  readonly tree: DirEntry;
  /** Those of them that the image itself brings. Absent: all. */
  readonly imageTree?: DirEntry;
}

/** Where a finished image is. */
export interface BuiltImage {
  readonly location: 'engine' | 'registry';
  /** With registry and content tag: `localhost:5000/shop/worker:3f2a…`. */
  readonly ref: string;
  /** The engine's image id or the registry's digest. */
  readonly id: string;
}

/** An image that the cluster can pull. */
export interface DeliveredImage {
  /** What a manifest gets: name, tag and digest. */
  readonly ref: string;
  readonly digest: string;
}

/** One file to write, link to make, directory to make, or path to remove in a container. */
export interface SyncChange {
  readonly path: ContainerPath;
  /** The file of the workspace it is read from; absent for a removal or a directory. */
  readonly source?: WorkspacePath;
  readonly after: Entry | undefined;
  /** Of a file. Absent: in place. */
  readonly write?: WriteMode;
}

export type Step =
  | { readonly kind: 'lookUp'; readonly artifact: ArtifactName; readonly snapshot: Snapshot }
  | { readonly kind: 'runTarget'; readonly target: TargetId; readonly inputsHash: string }
  /** Runs a continuous target. It ends when it is asked to, or by a failure. */
  | { readonly kind: 'watchTarget'; readonly target: TargetId; readonly inputsHash: string }
  | {
      readonly kind: 'build';
      readonly artifact: ArtifactName;
      readonly snapshot: Snapshot;
      /** Images of this workspace that it stands on. */
      readonly bases: Readonly<Record<ArtifactName, string>>;
      /** From the ground up: nothing that was made before is used again. */
      readonly anew?: true;
    }
  | { readonly kind: 'deliver'; readonly artifact: ArtifactName; readonly snapshot: Snapshot; readonly image: BuiltImage }
  | {
      readonly kind: 'apply';
      readonly release: ReleaseName;
      readonly fingerprint: string;
      readonly images: Readonly<Record<ArtifactName, { readonly ref: string; readonly snapshot: Snapshot }>>;
    }
  /** Runs what is to be run after a rollout. */
  | { readonly kind: 'runHooks'; readonly release: ReleaseName; readonly fingerprint: string }
  | { readonly kind: 'remove'; readonly release: ReleaseName }
  | { readonly kind: 'connect'; readonly container: ContainerId }
  | {
      readonly kind: 'sync';
      readonly container: ContainerId;
      /** Counts up per container from 1. */
      readonly batch: number;
      readonly changes: readonly SyncChange[];
      /** When the first of the changes was noticed, in milliseconds of the loop's clock. */
      readonly noticedAt: number;
      /** The container holds all of it already; it is written once more so that a reloader which was not yet watching takes it up. */
      readonly again: boolean;
    }
  | {
      readonly kind: 'reload';
      readonly container: ContainerId;
      readonly commands: readonly Pick<AfterCommand, 'run' | 'timeoutMs'>[];
      /** The files that they take up; until they have ended well nobody knows what the process runs of them. */
      readonly paths: readonly ContainerPath[];
      readonly treeHash: string;
    };

export type StepKind = Step['kind'];

/** One start of one step. */
export type StepId = string;

/** What a step touches; two steps with one key never run at once. A failure is remembered under it. */
export function stepKey(step: Step): string {
  switch (step.kind) {
    case 'lookUp':
    case 'build':
    case 'deliver':
      return `${step.kind}:${step.artifact}`;
    case 'runTarget':
    case 'watchTarget':
      return `${step.kind}:${step.target}`;
    case 'apply':
    case 'runHooks':
    case 'remove':
      return `${step.kind}:${step.release}`;
    case 'connect':
    case 'reload':
      return `${step.kind}:${step.container}`;
    case 'sync':
      return `sync:${step.container}:${String(step.batch)}`;
  }
}

/** A path of a batch of which nobody knows what it holds now; the others of the batch are none the worse for it. */
export interface NotWritten {
  readonly path: ContainerPath;
  /** Why it was refused. Undefined for one that only went together with others, and is to be sent again. */
  readonly problem: Problem | undefined;
}

/** Milliseconds that a sync batch spent where. */
export interface SyncTiming {
  /** From the noticed event to the step's start. */
  readonly detect: number;
  readonly read: number;
  readonly send: number;
  /** From the last byte sent to the acknowledgement. */
  readonly apply: number;
  readonly total: number;
}

/** What happened to a step. `run` never rejects: everything that can go wrong is here. */
export type Outcome =
  | { readonly kind: 'failed'; readonly problem: Problem }
  /** It was asked to stop and left nothing behind. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'lookedUp'; readonly image: DeliveredImage | undefined }
  | {
      readonly kind: 'targetRan';
      /** The outputs as they were read after the run, before anything else could change them. */
      readonly outputs: readonly (readonly [WorkspacePath, Entry | undefined])[];
      /** An input was written while it ran, even if it is as before now: nobody knows what the run has read, so it is not credited. */
      readonly touched: boolean;
    }
  | { readonly kind: 'built'; readonly image: BuiltImage; readonly sentHash: string }
  | { readonly kind: 'delivered'; readonly image: DeliveredImage }
  | { readonly kind: 'applied'; readonly fingerprint: string; /** As it was written on the objects. */ readonly appliedAt: number }
  | { readonly kind: 'hooksRan' }
  | { readonly kind: 'removed' }
  | {
      readonly kind: 'connected';
      readonly agent: string;
      /** Container path → what was written there last (undefined: removed, null: a write that was never acknowledged). */
      readonly ledger: readonly (readonly [ContainerPath, Entry | undefined | null])[];
    }
  | {
      readonly kind: 'synced';
      /** What each path of the batch now holds: the content actually sent, which may be newer than what was asked for. */
      readonly holds: readonly (readonly [ContainerPath, Entry | undefined])[];
      readonly notWritten: readonly NotWritten[];
      readonly bytes: number;
      readonly timing: SyncTiming;
    }
  | { readonly kind: 'reloaded' };
