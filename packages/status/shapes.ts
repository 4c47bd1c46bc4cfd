import type { KubeObject } from '../clients';

/** What is read of kinds whose shape the API server vouches for. A field that may be left out may really be. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
  /** The spec that it speaks of. */
  readonly observedGeneration?: number;
}

export interface Conditioned extends KubeObject {
  readonly status?: { readonly observedGeneration?: number; readonly conditions?: readonly Condition[] };
}

export interface TerminatedState {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly finishedAt?: string;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  /** Empty until the runtime has made one. */
  readonly containerID?: string;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly running?: { readonly startedAt?: string };
    readonly terminated?: TerminatedState;
  };
  readonly lastState?: { readonly terminated?: TerminatedState };
}

export interface KeyRef {
  readonly name?: string;
  readonly key: string;
}

export interface ContainerSpec {
  readonly name: string;
  readonly image?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number }[];
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
  };
  /** `Always` makes an init container one that runs beside the others. */
  readonly restartPolicy?: string;
  readonly env?: readonly {
    readonly name: string;
    readonly valueFrom?: { readonly configMapKeyRef?: KeyRef; readonly secretKeyRef?: KeyRef };
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name?: string }; readonly secretRef?: { readonly name?: string } }[];
}

export interface Pod extends KubeObject {
  readonly spec?: {
    readonly containers?: readonly ContainerSpec[];
    readonly initContainers?: readonly ContainerSpec[];
    readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[];
    readonly readinessGates?: readonly { readonly conditionType: string }[];
    readonly restartPolicy?: string;
  };
  readonly status?: {
    readonly phase?: string;
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly Condition[];
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

/** Of all containers of a pod, in the order in which they start. */
export function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

export interface Replicated extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly progressDeadlineSeconds?: number;
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } };
  };
  readonly status?: {
    readonly replicas?: number;
    readonly readyReplicas?: number;
    readonly availableReplicas?: number;
    readonly updatedReplicas?: number;
    readonly currentReplicas?: number;
    readonly fullyLabeledReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly observedGeneration?: number;
    readonly conditions?: readonly Condition[];
  };
}

export interface DaemonSet extends KubeObject {
  readonly spec?: { readonly updateStrategy?: { readonly type?: string } };
  readonly status?: {
    readonly desiredNumberScheduled?: number;
    readonly currentNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
    readonly numberReady?: number;
    readonly observedGeneration?: number;
  };
}

export interface Job extends KubeObject {
  readonly spec?: { readonly parallelism?: number; readonly completions?: number };
  readonly status?: {
    readonly succeeded?: number;
    readonly active?: number;
    readonly failed?: number;
    readonly startTime?: string;
    readonly conditions?: readonly Condition[];
  };
}

export interface Claim extends KubeObject {
  readonly status?: { readonly phase?: string };
}

export interface Service extends KubeObject {
  readonly spec?: {
    readonly type?: string;
    readonly clusterIP?: string;
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly port: number;
      readonly protocol?: string;
      readonly name?: string;
      readonly appProtocol?: string;
    }[];
  };
}

export interface KubeEvent extends KubeObject {
  readonly reason?: string;
  readonly message?: string;
  readonly type?: string;
  readonly involvedObject?: { readonly uid?: string };
  readonly firstTimestamp?: string;
  readonly lastTimestamp?: string;
  readonly eventTime?: string;
}

/** When an event was last the case, milliseconds since 1970. Each way of making one fills another field. */
export function timeOf({ lastTimestamp, eventTime, metadata }: KubeEvent): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp ?? '') || 0;
}

/** When it was first the case. */
export function firstTimeOf(event: KubeEvent): number {
  return Date.parse(event.firstTimestamp ?? '') || timeOf(event);
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** When a node got a pod, or, of a container that ran before, when that ended; milliseconds since 1970, 0 when nobody knows. */
export function waitsSince({ status, metadata }: Pod, container?: ContainerStatus): number {
  const { lastTransitionTime = metadata.creationTimestamp } = conditionOf(status?.conditions, 'PodScheduled') ?? {};
  const ended = container?.lastState?.terminated?.finishedAt;
  return Math.max(Date.parse(lastTransitionTime ?? '') || 0, Date.parse(ended ?? '') || 0);
}

/** More than clocks of clusters differ. */
const longMs = 60_000;

/** Whether a container has run for a good while; `now` in milliseconds since 1970, by a clock that may not be the cluster's. */
export function runsLong(state: { readonly running?: { readonly startedAt?: string } } | undefined, now: number): boolean {
  const startedAt = Date.parse(state?.running?.startedAt ?? '');
  return !Number.isNaN(startedAt) && now - startedAt > longMs;
}

export function isReady(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp === undefined && conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}
