import type { Duplex, Readable, Writable } from 'node:stream';
import type { Problem, Result } from '../model';

/** Any object of the cluster, as its JSON. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name?: string;
    readonly generateName?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly generation?: number;
    readonly creationTimestamp?: string;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly {
      readonly kind: string;
      readonly name: string;
      readonly uid: string;
      readonly controller?: boolean;
    }[];
  };
  readonly [key: string]: unknown;
}

/** Names a kind of object: `{apiVersion: 'apps/v1', kind: 'Deployment'}`. */
export interface KindRef {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObjectRef extends KindRef {
  readonly name: string;
  readonly namespace?: string;
}

/** Which cluster: what a kubeconfig says, without asking the cluster. */
export interface KubeTarget {
  readonly context: string;
  readonly cluster: string;
  readonly server: string;
  /** The context's namespace, else `default`. */
  readonly namespace: string;
  /** The kubeconfig files that were read. */
  readonly files: readonly string[];
}

export interface Exec {
  /** Bytes to the process; `end` is its end of input. It has no errors: `ended` tells. `write` returns false and `drain` fires by what the socket has buffered, so a slow link is felt. */
  readonly stdin: Writable;
  /** Both must be read or resumed: what nobody takes holds up everything, the end too. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves once, when the stream is over for whatever reason. Without an exit code there is a problem, unless it was closed from here. */
  readonly ended: Promise<{ readonly exitCode: number | undefined; readonly problem: Problem | undefined }>;
  close(): void;
}

export interface WatchEvents {
  /** The full state at first and after every relist: everything that is there now. */
  readonly onList: (objects: readonly KubeObject[], resourceVersion: string) => void;
  readonly onChange: (kind: 'added' | 'modified' | 'deleted', object: KubeObject) => void;
  /** It goes on by itself, with backoff; this is for telling people. */
  readonly onTrouble: (problem: Problem) => void;
  /** A connection stands, at first and after every loss. */
  readonly onConnected?: () => void;
}

/**
 * A Kubernetes API server, with its context pinned for the life of the object. Failures: `clusterUnreachable` (exit 3, afterDelay),
 * `clusterRefused` (401 with exit 3, 403), `credentialsFailed` (exit 3), `clusterFailed` (500, webhooks: afterDelay), `objectInvalid` (422, 400:
 * whenInputChanges, the field in the message), `objectConflict`, `objectNotFound`, `namespaceNotFound`, `kindUnknown`, `podGone`, `execRefused`,
 * `execLost`, `containerNotReady` (its log), `aborted` (by the signal).
 */
export interface Kube {
  readonly target: KubeTarget;
  version(): Promise<Result<string>>;
  /** Server-side apply. `fieldManager` is `usualFieldManager` when none is named; `force` takes over fields of other managers. */
  apply(
    object: KubeObject,
    options?: { readonly force?: boolean; readonly dryRun?: boolean; readonly namespace?: string; readonly fieldManager?: string },
  ): Promise<Result<KubeObject>>;
  get(ref: ObjectRef): Promise<Result<KubeObject | undefined>>;
  list(
    kind: KindRef,
    options?: {
      readonly namespace?: string;
      readonly labelSelector?: string;
      readonly fieldSelector?: string;
      /** Only the first so many are asked for. */
      readonly limit?: number;
    },
  ): Promise<Result<readonly KubeObject[]>>;
  /** Deleting what is not there succeeds. */
  delete(
    ref: ObjectRef,
    options?: { readonly gracePeriodSeconds?: number; readonly propagation?: 'Background' | 'Foreground' },
  ): Promise<Result<void>>;
  /** Lists, then watches, and goes on through every disconnect until stopped. */
  watch(
    kind: KindRef,
    options: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string },
    events: WatchEvents,
  ): { stop(): void };
  /** Whether the API server knows a kind, and whether its objects live in namespaces. */
  resource(kind: KindRef): Promise<Result<{ readonly plural: string; readonly namespaced: boolean } | undefined>>;
  exec(request: {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
    readonly command: readonly string[];
    readonly signal?: AbortSignal;
  }): Promise<Result<Exec>>;
  /**
   * A container's log lines, from `sinceTime` on and following when asked. Ends when the container does, and without an error also when the
   * connection is lost: who follows looks whether the container still runs, and asks again from the last time on.
   */
  logs(request: {
    readonly namespace: string;
    readonly pod: string;
    readonly container: string;
    readonly follow?: boolean;
    readonly previous?: boolean;
    readonly tailLines?: number;
    readonly sinceTime?: string;
    readonly timestamps?: boolean;
    readonly signal?: AbortSignal;
  }): Promise<Result<Readable>>;
  /**
   * One connection to a port of a pod. A refused or lost one ends with an `error` event, which must be listened to. `end()` cannot be told to
   * the pod: the stream stays open until the pod closes it or it is destroyed.
   */
  portForward(request: {
    readonly namespace: string;
    readonly pod: string;
    readonly port: number;
    readonly signal?: AbortSignal;
  }): Promise<Result<Duplex>>;
}
