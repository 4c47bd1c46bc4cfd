import type { Goal, SeenContainer, SeenRelease } from './fact';
import type { Known } from './known';
import type { Problem } from './problem';
import type { BuiltImage, ContainerId, DeliveredImage, NotWritten, Snapshot, Step, StepId, SyncChange } from './step';
import type { ContainerPath, DirEntry, Entry, WorkspacePath } from './tree';
import type { ArtifactName, ReleaseName, TargetId, Workspace } from './workspace';

/** A failure is remembered with the inputs it failed for: other inputs may be tried at once, the same ones only after `retryAt`. */
export interface Failure {
  readonly inputs: string;
  readonly problem: Problem;
  readonly attempts: number;
  /** Milliseconds of the loop's clock; undefined: only other inputs can help. */
  readonly retryAt: number | undefined;
}

export interface ArtifactState {
  /** Registry answers by inputs hash. */
  readonly lookedUp: Known<DeliveredImage>;
  readonly lookedUpFor: string | undefined;
  /** In the engine, waiting for delivery. `leftToFinish`: newer input was there already, but it had been stopped for that once. */
  readonly built: { readonly snapshot: Snapshot; readonly image: BuiltImage; readonly leftToFinish: boolean } | undefined;
  /** What releases use. */
  readonly image: { readonly snapshot: Snapshot; readonly delivered: DeliveredImage; readonly leftToFinish: boolean } | undefined;
  /** A build was stopped for newer input since the last one that finished; the next is left to finish. */
  readonly stoppedOnce: boolean;
  /** A person wants a new image, whatever is there already; until it is delivered. */
  readonly anew?: boolean;
}

export interface ReleaseState {
  readonly revision: number;
  readonly live: Known<SeenRelease>;
  /** What an apply of this process ended with, until the cluster shows it. */
  readonly applied: { readonly fingerprint: string; readonly appliedAt: number; readonly at: number } | undefined;
  /** An apply began and did not end well: what is live may be half of it, whatever its annotations say. */
  readonly uncertain: boolean;
  /** The fingerprint of an apply of this process after whose rollout hooks are still to be run. */
  readonly hooksDueFor?: string;
  /** Since when what was applied last has been shown and not ready, in milliseconds of the loop's clock. */
  readonly notReadySince?: number;
}

export interface SentBatch {
  readonly step: StepId;
  readonly number: number;
  readonly changes: readonly SyncChange[];
  /** Whether the container had run long enough, when it was sent, for its process to watch its files. */
  readonly settled: boolean;
  /** Its acknowledgement, when it came before that of an earlier batch: batches count in the order in which they were sent. */
  readonly acknowledged:
    { readonly holds: readonly (readonly [ContainerPath, Entry | undefined])[]; readonly notWritten: readonly NotWritten[] } | undefined;
}

export interface ContainerState {
  readonly release: ReleaseName;
  readonly seen: SeenContainer;
  /** When it was first seen not running, since it last ran. */
  readonly stoppedAt: number | undefined;
  /** Since when it has been seen running; undefined while it is not. */
  readonly runningSince: number | undefined;
  readonly agent:
    | { readonly state: 'none' }
    | { readonly state: 'connected'; readonly connection: StepId; readonly name: string; readonly since: number };
  /** Streams that were lost soon after they were opened, one after another: somebody else may be taking the container over each time. */
  readonly losses: number;
  /** No new stream is opened before this time. */
  readonly reconnectAt: number;
  /** What it is known to hold: the image's files and what was acknowledged since. Undefined until its agent said hello. */
  readonly files: DirEntry | undefined;
  /** `files` with what is on its way. */
  readonly sent: DirEntry | undefined;
  readonly inFlight: readonly SentBatch[];
  readonly lastBatch: number;
  /** With after-commands: the files that its process has taken up, as far as is known. Undefined until its agent said hello. */
  readonly taken: DirEntry | undefined;
  /** What it will have taken up when the commands that run now end well. */
  readonly taking: DirEntry | undefined;
  /** With a reloader: paths that were written while its process may not have been watching them yet. */
  readonly unsettled: ReadonlySet<ContainerPath>;
  /** Nothing is sent before this time: a file was gone or different when it was read, and the fact about it is on its way. */
  readonly quietUntil: number;
  /** Paths that could not be written, with the hash of what was to be there ('' for nothing). They are tried again when their failure says. */
  readonly refused: ReadonlyMap<ContainerPath, string>;
}

export interface TargetState {
  /** The inputs its outputs were made from; of a continuous one those that were there when it told of them. */
  readonly madeFrom: string | undefined;
  /** Its outputs as the last good run, or build, left them. */
  readonly outputs: readonly (readonly [WorkspacePath, Entry | undefined])[];
  /** Of a continuous one: the step that has made them. */
  readonly run?: StepId;
}

export interface RunningStep {
  readonly id: StepId;
  readonly step: Step;
  readonly startedAt: number;
  readonly stopAsked: boolean;
}

/** All that the loop knows. A value: nothing in it is ever changed in place. */
export interface World {
  readonly goal: Goal;
  readonly now: number;
  readonly workspace: Workspace | undefined;
  readonly disk: DirEntry;
  /** Whether the disk has been read whole once; before that a missing file means nothing. */
  readonly scanned: boolean;
  /** When the newest not yet settled file change was noticed. */
  readonly noticedAt: number;
  readonly artifacts: ReadonlyMap<ArtifactName, ArtifactState>;
  readonly releases: ReadonlyMap<ReleaseName, ReleaseState>;
  readonly containers: ReadonlyMap<ContainerId, ContainerState>;
  readonly targets: ReadonlyMap<TargetId, TargetState>;
  readonly running: ReadonlyMap<StepId, RunningStep>;
  readonly failures: ReadonlyMap<string, Failure>;
}

/** What is not done yet, and why. */
export interface Held {
  /** Artifact, release, target or container. */
  readonly subject: string;
  readonly reason:
    | 'waitingForScan'
    | 'waitingForCluster'
    | 'waitingForTarget'
    | 'waitingForBase'
    | 'waitingForImage'
    | 'waitingForContainer'
    | 'waitingForAgent'
    | 'waitingForRebuild'
    /** With the goal `attached`: its sources need another image than the one that runs, and nobody is asked to build it. */
    | 'needsNewImage'
    | 'waitingForRollout'
    | 'waitingForRetry'
    | 'waitingForChange'
    | 'waitingForRemoval';
  readonly detail?: string;
}

/** What to do now. */
export interface Plan {
  readonly start: readonly Step[];
  readonly stop: readonly StepId[];
  readonly held: readonly Held[];
  /** The loop's clock at which something may be tried again, if nothing happens before. */
  readonly wakeAt: number | undefined;
}
