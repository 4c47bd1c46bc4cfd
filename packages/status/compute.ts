import type { KubeObject } from '../clients';
import { conditionOf, type Claim, type Conditioned, type DaemonSet, type Job, type Pod, type Replicated, type Service } from './shapes';

/** How far one object is from what its spec asks for, in kstatus's words. `current` is done. */
export interface ObjectStatus {
  readonly state: 'current' | 'progressing' | 'failed' | 'terminating';
  readonly message: string;
}

/** A pure function of one object. Rules: kubernetes-sigs/cli-utils, pkg/kstatus. */
export function statusOf(object: KubeObject): ObjectStatus {
  return general(object) ?? (rules.get(`${groupOf(object)}/${object.kind}`) ?? byReadyCondition)(object);
}

const current = (message: string): ObjectStatus => ({ state: 'current', message });
const progressing = (message: string): ObjectStatus => ({ state: 'progressing', message });
const failing = (message: string): ObjectStatus => ({ state: 'failed', message });

function groupOf({ apiVersion }: KubeObject): string {
  return apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
}

/** What holds for every kind, and comes before anything else that a status says: it may speak of an older spec. */
function general(object: Conditioned): ObjectStatus | undefined {
  const { deletionTimestamp, generation } = object.metadata;
  if (deletionTimestamp !== undefined) return { state: 'terminating', message: 'is being deleted' };
  const observed = object.status?.observedGeneration;
  if (generation !== undefined && observed !== undefined && observed !== generation) {
    return progressing(`generation ${generation} is not observed yet, the latest observed is ${observed}`);
  }
  for (const condition of object.status?.conditions ?? []) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Reconciling') return progressing(condition.message ?? 'is being reconciled');
    if (condition.type === 'Stalled') return failing(condition.message ?? 'is stalled');
  }
  return undefined;
}

const rules = new Map<string, (object: KubeObject) => ObjectStatus>([
  ['apps/Deployment', deployment],
  ['apps/StatefulSet', statefulSet],
  ['apps/DaemonSet', daemonSet],
  ['apps/ReplicaSet', replicaSet],
  ['batch/Job', job],
  ['/Pod', pod],
  ['/PersistentVolumeClaim', claim],
  ['/Service', service],
  ['apiextensions.k8s.io/CustomResourceDefinition', definition],
]);

function deployment({ metadata, spec = {}, status = {} }: Replicated): ObjectStatus {
  const progress = conditionOf(status.conditions, 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failing(`made no progress for ${spec.progressDeadlineSeconds ?? 600} s`);
  // Without a status the controller has not seen it; a generation that is not observed at all counts for nothing.
  if (metadata.generation !== undefined && status.observedGeneration === undefined) return progressing('is not observed yet');
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, updatedReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  if (wanted > replicas) return progressing(`${replicas} of ${wanted} replicas are there`);
  if (wanted > updatedReplicas) return progressing(`${updatedReplicas} of ${wanted} replicas are updated`);
  if (replicas > wanted)
    return progressing(`${replicas - wanted} old ${replicas - wanted === 1 ? 'replica is' : 'replicas are'} still to end`);
  if (updatedReplicas > availableReplicas) return progressing(`${availableReplicas} of ${updatedReplicas} replicas are available`);
  if (wanted > readyReplicas) return progressing(`${readyReplicas} of ${wanted} replicas are ready`);
  // Where there is no deadline the controller sets no Progressing condition.
  const hasDeadline = spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== 2 ** 31 - 1;
  if (hasDeadline && !(progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable'))
    return progressing('its new ReplicaSet is not available');
  if (conditionOf(status.conditions, 'Available')?.status !== 'True') return progressing('is not available');
  return current(`${wanted} ${wanted === 1 ? 'replica is' : 'replicas are'} available`);
}

function statefulSet({ metadata, spec = {}, status = {} }: Replicated): ObjectStatus {
  if (spec.updateStrategy?.type === 'OnDelete') return current('its pods are updated when they are deleted');
  if (metadata.generation !== undefined && status.observedGeneration === undefined) return progressing('is not observed yet');
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, readyReplicas = 0, updatedReplicas = 0, currentReplicas = 0 } = status;
  if (wanted > replicas) return progressing(`${replicas} of ${wanted} replicas are there`);
  if (wanted > readyReplicas) return progressing(`${readyReplicas} of ${wanted} replicas are ready`);
  if (replicas > wanted)
    return progressing(`${replicas - wanted} old ${replicas - wanted === 1 ? 'replica is' : 'replicas are'} still to end`);
  const partition = spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    const toUpdate = Math.max(0, wanted - partition);
    return updatedReplicas < toUpdate
      ? progressing(`${updatedReplicas} of ${toUpdate} replicas are updated`)
      : current('its partition is updated');
  }
  if (wanted > currentReplicas) return progressing(`${currentReplicas} of ${wanted} replicas are updated`);
  if (status.currentRevision !== status.updateRevision) return progressing('its updated revision is not the current one yet');
  return current(`${wanted} ${wanted === 1 ? 'replica is' : 'replicas are'} ready`);
}

function daemonSet({ metadata, spec = {}, status = {} }: DaemonSet): ObjectStatus {
  if (metadata.generation === undefined || status.observedGeneration === undefined) return progressing('is not observed yet');
  const {
    desiredNumberScheduled: wanted,
    currentNumberScheduled = 0,
    updatedNumberScheduled = 0,
    numberAvailable = 0,
    numberReady = 0,
  } = status;
  if (wanted === undefined) return progressing('is not observed yet');
  if (wanted > currentNumberScheduled) return progressing(`${currentNumberScheduled} of ${wanted} pods are there`);
  const updatesItself = spec.updateStrategy?.type !== 'OnDelete';
  if (updatesItself && wanted > updatedNumberScheduled) return progressing(`${updatedNumberScheduled} of ${wanted} pods are updated`);
  if (wanted > numberAvailable) return progressing(`${numberAvailable} of ${wanted} pods are available`);
  if (wanted > numberReady) return progressing(`${numberReady} of ${wanted} pods are ready`);
  return current(`${wanted} ${wanted === 1 ? 'pod is' : 'pods are'} ready`);
}

function replicaSet({ spec = {}, status = {} }: Replicated): ObjectStatus {
  const refused = conditionOf(status.conditions, 'ReplicaFailure');
  if (refused?.status === 'True') return progressing(refused.message ?? 'its pods cannot be made');
  const wanted = spec.replicas ?? 1;
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0, fullyLabeledReplicas = 0 } = status;
  if (wanted > fullyLabeledReplicas) return progressing(`${fullyLabeledReplicas} of ${wanted} replicas are there`);
  if (wanted > availableReplicas) return progressing(`${availableReplicas} of ${wanted} replicas are available`);
  if (wanted > readyReplicas) return progressing(`${readyReplicas} of ${wanted} replicas are ready`);
  if (replicas > wanted)
    return progressing(`${replicas - wanted} old ${replicas - wanted === 1 ? 'replica is' : 'replicas are'} still to end`);
  return current(`${wanted} ${wanted === 1 ? 'replica is' : 'replicas are'} available`);
}

/** A Job is as it should be while it runs: what waits for a release does not wait for its Jobs to end. */
function job({ spec = {}, status = {} }: Job): ObjectStatus {
  const completions = spec.completions ?? spec.parallelism ?? 1;
  const { succeeded = 0, active = 0, failed = 0 } = status;
  for (const condition of status.conditions ?? []) {
    if (condition.status !== 'True') continue;
    if (condition.type === 'Complete') return current(`completed, ${succeeded} of ${completions} succeeded`);
    if (condition.type === 'Failed')
      return failing(
        `failed after ${failed} ${failed === 1 ? 'try' : 'tries'}: ${condition.message ?? condition.reason ?? 'no reason is given'}`,
      );
    if (condition.type === 'Suspended') return current('is suspended');
  }
  return status.startTime === undefined
    ? progressing('has not started')
    : current(`runs: ${active} active, ${succeeded} succeeded, ${failed} failed`);
}

function pod({ status = {} }: Pod): ObjectStatus {
  switch (status.phase ?? '') {
    case 'Succeeded':
      return current('completed');
    case 'Failed':
      return failing(`ended with a failure${status.message === undefined ? '' : `: ${status.message}`}`);
    case 'Running': {
      if (conditionOf(status.conditions, 'Ready')?.status === 'True') return current('is ready');
      const looping = (status.containerStatuses ?? []).filter((container) => container.state?.waiting?.reason === 'CrashLoopBackOff');
      return looping.length > 0
        ? failing(`is in a crash loop: ${looping.map(({ name }) => name).join(', ')}`)
        : progressing('runs but is not ready');
    }
    case 'Pending':
      return progressing(conditionOf(status.conditions, 'PodScheduled')?.status === 'False' ? 'is not scheduled' : 'is starting');
    default:
      return progressing('is not observed yet');
  }
}

function claim({ status = {} }: Claim): ObjectStatus {
  return status.phase === 'Bound' ? current('is bound') : progressing(`is not bound (${status.phase ?? 'no phase yet'})`);
}

function service({ spec = {} }: Service): ObjectStatus {
  const waits = spec.type === 'LoadBalancer' && (spec.clusterIP === undefined || spec.clusterIP === '');
  return waits ? progressing('has no cluster IP yet') : current('is ready');
}

function definition({ status = {} }: Conditioned): ObjectStatus {
  const names = conditionOf(status.conditions, 'NamesAccepted');
  if (names?.status === 'False') return failing(names.message ?? 'its names are taken');
  const established = conditionOf(status.conditions, 'Established');
  if (established?.status === 'True') return current('is established');
  if (established?.status === 'False' && established.reason !== 'Installing') return failing(established.message ?? 'is not established');
  return progressing('is being installed');
}

/** Kinds without a rule: a Ready condition when there is one, else what is there is there. */
function byReadyCondition({ metadata: { generation }, status }: Conditioned): ObjectStatus {
  const ready = conditionOf(status?.conditions, 'Ready');
  const observed = ready?.observedGeneration;
  if (generation !== undefined && observed !== undefined && observed !== generation)
    return progressing(`what it says of being ready is of generation ${observed}, not of ${generation}`);
  if (!ready || ready.status === 'True') return current('is there');
  return progressing(ready.message ?? 'is not ready');
}
