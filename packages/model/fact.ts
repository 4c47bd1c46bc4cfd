import type { Known } from './known';
import type { Problem, Result } from './problem';
import type { ContainerId, Outcome, Snapshot, Step, StepId } from './step';
import type { ContainerPath, Entry, WorkspacePath } from './tree';
import type { ArtifactName, ReleaseName, Workspace } from './workspace';
import type { TargetState } from './world';

/**
 * What is wanted: images exist; releases are rolled out with them; containers also follow the disk; containers that run already follow
 * the disk, and no image is built and nothing applied; nothing of it is left.
 */
export type GoalKind = 'built' | 'deployed' | 'live' | 'attached' | 'removed';

export interface Goal {
  readonly kind: GoalKind;
  readonly artifacts: ReadonlySet<ArtifactName>;
  readonly releases: ReadonlySet<ReleaseName>;
  /** Other releases, which are to be removed while the rest goes on. Absent: none. */
  readonly leaving?: ReadonlySet<ReleaseName>;
}

/** A container of a release, as the cluster shows it now. */
export interface SeenContainer {
  readonly id: ContainerId;
  readonly artifact: ArtifactName;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  readonly running: boolean;
  /** It was started so long ago, whatever the clocks say, that its process watches its files if it ever does. */
  readonly runsLong?: true;
  /** The content tag that Slipway wrote on the pod template for this artifact. */
  readonly inputsHash: string;
  readonly restarts: number;
  /** Somebody else made its image: what it holds is asked, and not known from a record. */
  readonly isForeign?: true;
  /** The image's snapshot when this machine has its record. Without it a container is replaced, never guessed at. */
  readonly snapshot: Snapshot | undefined;
}

/** An object that a rollout waits for: `deployment/api`, `0 of 2 replicas are available`. */
export interface WaitedFor {
  readonly object: string;
  readonly message: string;
  /** The last lines of the log of a container whose probe fails: they often say why. */
  readonly detail?: string;
}

export type Rollout =
  /** `reason` is what keeps it as far as is known; it may pass. `message` has all that it waits for. */
  | { readonly state: 'progressing'; readonly message: string; readonly waiting?: readonly WaitedFor[]; readonly reason?: Problem }
  | { readonly state: 'ready' }
  | { readonly state: 'failed'; readonly problem: Problem };

/** A Service that leads to pods. */
export interface SeenService {
  readonly name: string;
  readonly namespace: string;
  /** Its first. */
  readonly port: { readonly port: number; readonly name?: string; readonly appProtocol?: string };
}

/** A release as its live objects tell: what was applied last, and how far it has come. */
export interface SeenRelease {
  readonly fingerprint: string;
  /** When it was applied, as its objects say: milliseconds since 1970. */
  readonly appliedAt: number;
  readonly images: Readonly<
    Record<ArtifactName, { readonly ref: string; readonly inputsHash: string; readonly snapshot: Snapshot | undefined }>
  >;
  readonly rollout: Rollout;
  /** Absent: nobody has looked for them. */
  readonly services?: readonly SeenService[];
}

/** Everything that can enter the loop. A fact may come late, twice or never; recording one twice changes nothing more. */
export type Fact =
  | { readonly kind: 'goalSet'; readonly goal: Goal }
  | { readonly kind: 'workspaceSeen'; readonly workspace: Workspace }
  /** Paths as they are on disk now (undefined: gone). `scanned` says that the whole of what is watched has been read once. */
  | {
      readonly kind: 'filesSeen';
      readonly entries: readonly (readonly [WorkspacePath, Entry | undefined])[];
      readonly scanned: boolean;
      readonly at: number;
    }
  | { readonly kind: 'stepStarted'; readonly id: StepId; readonly step: Step; readonly at: number }
  | { readonly kind: 'stepEnded'; readonly id: StepId; readonly outcome: Outcome; readonly at: number }
  /** A continuous target has built once more: its outputs as they were read then, or what is wrong. `run` is its step, `build` counts up from 1. */
  | { readonly kind: 'targetBuilt'; readonly run: StepId; readonly build: number; readonly made: Result<TargetState['outputs']> }
  /** One release's live state and all its containers. `revision` grows with the cluster's state; an older one is ignored. */
  | {
      readonly kind: 'releaseSeen';
      readonly release: ReleaseName;
      readonly revision: number;
      readonly live: Known<SeenRelease>;
      readonly containers: readonly SeenContainer[];
    }
  /** A new image of an artifact is wanted, whatever is there already. */
  | { readonly kind: 'rebuildAsked'; readonly artifact: ArtifactName }
  /** A container does not hold at these paths what it was thought to. */
  | { readonly kind: 'contentDoubted'; readonly container: ContainerId; readonly paths: readonly ContainerPath[] }
  /** A container was seen to hold this, which nobody brought there: it made it itself. */
  | {
      readonly kind: 'contentSeen';
      readonly container: ContainerId;
      readonly holds: readonly (readonly [ContainerPath, Entry])[];
    }
  /** The stream to a container's agent ended without being asked to. */
  | { readonly kind: 'agentLost'; readonly container: ContainerId; readonly connection: StepId; readonly problem: Problem }
  | { readonly kind: 'clockTicked'; readonly now: number };
