import type { WaitedFor } from './fact';
import type { Problem } from './problem';
import type { SyncTiming } from './step';
import type { ContainerPath, WorkspacePath } from './tree';
import type { ArtifactName, ReleaseName, TargetId } from './workspace';

/** What a change asks of one artifact. */
export type Action = 'sync' | 'target-then-sync' | 'target-then-rebuild' | 'rebuild' | 'redeploy' | 'none';

/** What happened, for people and for `--events FILE`, where each is one JSON object a line: `{"v":1,"at":<ms since 1970>,"kind":…}`. Secrets never enter one. */
export type Event =
  /** Everything wanted is rolled out, every container in step, and the disk is being watched. Said again after a time of not being so. */
  | { readonly kind: 'ready'; readonly containers: number; readonly ms: number }
  | {
      readonly kind: 'decision';
      readonly artifact: ArtifactName;
      readonly action: Action;
      readonly files: readonly WorkspacePath[];
      readonly containerPaths: readonly ContainerPath[];
      readonly because: string;
    }
  | {
      readonly kind: 'synced';
      readonly artifact: ArtifactName;
      readonly pod: string;
      readonly container: string;
      /** Files and links, those that were removed too. */
      readonly files: number;
      readonly removed: number;
      /** The first few of all that was written, made or removed. */
      readonly paths: readonly ContainerPath[];
      readonly bytes: number;
      readonly ms: SyncTiming;
      /** It was sent though no file had changed: the container is new, came back, or held other files. */
      readonly replay: boolean;
    }
  /** The workspace got files that a container had made or changed. */
  | {
      readonly kind: 'pulled';
      readonly artifact: ArtifactName;
      readonly pod: string;
      readonly container: string;
      readonly files: number;
      /** The first few. */
      readonly paths: readonly WorkspacePath[];
      readonly bytes: number;
    }
  | {
      readonly kind: 'started';
      readonly what: 'lookUp' | 'runTarget' | 'watchTarget' | 'build' | 'deliver' | 'apply' | 'runHooks' | 'remove' | 'connect' | 'reload';
      readonly subject: string;
      readonly because?: string;
    }
  /** A line that a tool printed while it worked for the subject. Programs are told it with `--verbosity debug` only. */
  | {
      readonly kind: 'output';
      readonly subject: string;
      readonly line: string;
      /** It is what was asked for, however quick the tool is. */ readonly asked?: true;
    }
  /** Commands of `sync.after` ended well in a container: what was copied is what runs. */
  | {
      readonly kind: 'reloaded';
      readonly artifact: ArtifactName;
      readonly pod: string;
      readonly container: string;
      readonly commands: readonly (readonly string[])[];
      readonly ms: number;
    }
  | { readonly kind: 'targetRan'; readonly target: TargetId; readonly ms: number }
  | {
      readonly kind: 'built';
      readonly artifact: ArtifactName;
      readonly ref: string;
      readonly ms: number;
      /** `layers`, `docker`, `docker+layers` (the engine made the first part), `buildx`, `buildkit` or `custom`. */
      readonly builder: string;
      /** Why it was that one. */
      readonly because?: string;
    }
  | {
      readonly kind: 'delivered';
      readonly artifact: ArtifactName;
      readonly ref: string;
      readonly digest: string;
      readonly ms: number;
      readonly because: string;
    }
  | {
      readonly kind: 'applied';
      readonly release: ReleaseName;
      readonly namespace: string;
      readonly objects: readonly string[];
      readonly changed: readonly string[];
      /** What an earlier apply brought and the manifests have no more; absent when there is nothing. */
      readonly pruned?: readonly string[];
      readonly ms: number;
    }
  | {
      readonly kind: 'rollout';
      readonly release: ReleaseName;
      readonly state: 'progressing' | 'ready' | 'failed';
      readonly message: string;
      /** What one that is progressing waits for, each by itself. `detail`: the end of the log of a container whose probe fails. */
      readonly waiting?: readonly WaitedFor[];
      /** What keeps one that is progressing, when it is known: a code as of `failed`. */
      readonly code?: string;
      readonly ms?: number;
    }
  /** The pods that an edit asked for are ready: where the time since it was noticed went, one part after another. */
  | {
      readonly kind: 'rolledOut';
      readonly release: ReleaseName;
      /** The first few. */
      readonly files: readonly WorkspacePath[];
      readonly fileCount: number;
      /** `build` has what comes before it too: targets, and asking whether the image is there. `schedule` is until a new container exists. */
      readonly ms: Readonly<Record<'detect' | 'build' | 'deliver' | 'apply' | 'schedule' | 'ready' | 'total', number>>;
    }
  | {
      readonly kind: 'connected';
      readonly artifact: ArtifactName;
      readonly pod: string;
      readonly container: string;
      readonly agent: string;
      readonly kept: number;
    }
  | { readonly kind: 'held'; readonly subject: string; readonly reason: string; readonly detail?: string }
  /** A hold is over: what was waited for is there, or no longer wanted. */
  | { readonly kind: 'continued'; readonly subject: string; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly subject: string;
      readonly code: string;
      readonly message: string;
      readonly hint?: string;
      readonly problem: Problem;
      /** The command ends when it gets no further, as `deploy` does. Absent: it goes on, and tries again what may pass by itself. */
      readonly givesUp?: true;
    }
  /** What had failed is right again. */
  | { readonly kind: 'mended'; readonly subject: string }
  | {
      readonly kind: 'forwarded';
      readonly release: ReleaseName;
      readonly resource: string;
      readonly port: number | string;
      readonly localPort: number;
      readonly url: string;
    }
  /** How a service is, when that changes; `removed`: it is no longer one of those. `because` is the reason of a hold, the kind of a step, or the code of a problem. */
  | {
      readonly kind: 'service';
      readonly service: string;
      readonly state: 'waiting' | 'building' | 'syncing' | 'ready' | 'failed' | 'removed';
      readonly because?: string;
      readonly detail?: string;
    }
  | { readonly kind: 'removed'; readonly release: ReleaseName; readonly objects: readonly string[] }
  | { readonly kind: 'notice'; readonly subject?: string; readonly message: string; readonly hint?: string }
  /** It was asked to end; `removes` says that what was deployed is deleted first. */
  | { readonly kind: 'stopping'; readonly removes: boolean }
  | { readonly kind: 'stopped'; readonly reason: string; readonly kept: boolean }
  /** A line of a container's log; shown to people, not written to the events file. `replicas`: how many pods like its own there are. */
  | {
      readonly kind: 'log';
      /** The release it belongs to. */
      readonly service: ReleaseName;
      readonly artifact: ArtifactName;
      readonly pod: string;
      readonly container: string;
      /** When it was written, as the node says. */
      readonly time?: string;
      readonly line: string;
      readonly replicas: number;
    };

export type Report = (event: Event) => void;
