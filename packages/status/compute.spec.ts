import type { KubeObject } from '../clients';
import { statusOf } from '.';

const object = (
  kind: string,
  apiVersion: string,
  fields: Record<string, unknown>,
  metadata: KubeObject['metadata'] = { generation: 2 },
): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', ...metadata },
  ...fields,
});
const deployment = (
  status: Record<string, unknown>,
  spec: Record<string, unknown> = {},
  metadata: KubeObject['metadata'] = { generation: 2 },
) =>
  object(
    'Deployment',
    'apps/v1',
    { spec: { replicas: 2, progressDeadlineSeconds: 600, ...spec }, status: { observedGeneration: 2, ...status } },
    metadata,
  );
const done = {
  replicas: 2,
  updatedReplicas: 2,
  readyReplicas: 2,
  availableReplicas: 2,
  conditions: [
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    { type: 'Available', status: 'True' },
  ],
};
const statefulSet = (status: Record<string, unknown>, spec: Record<string, unknown> = {}) =>
  object('StatefulSet', 'apps/v1', { spec: { replicas: 2, ...spec }, status: { observedGeneration: 2, ...status } });
const whole = { replicas: 2, readyReplicas: 2, currentReplicas: 2, updatedReplicas: 2, currentRevision: 'b', updateRevision: 'b' };
const daemonSet = (status: Record<string, unknown>, spec: Record<string, unknown> = {}) =>
  object('DaemonSet', 'apps/v1', { spec, status: { observedGeneration: 2, ...status } });
const everywhere = { desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2 };
const job = (status: Record<string, unknown>) => object('Job', 'batch/v1', { spec: {}, status });
const pod = (status: Record<string, unknown>, metadata: KubeObject['metadata'] = {}) => object('Pod', 'v1', { status }, metadata);
const custom = (conditions: unknown) => object('Widget', 'x.dev/v1', { status: { observedGeneration: 2, conditions } });

test.each<[string, KubeObject, string, string]>([
  ['a Deployment that is rolled out', deployment(done), 'current', '2 replicas are available'],
  [
    'whose status speaks of an older spec',
    deployment({ ...done, observedGeneration: 1 }),
    'progressing',
    'generation 2 is not observed yet, the latest observed is 1',
  ],
  ['that nobody has observed', deployment({ ...done, observedGeneration: undefined }), 'progressing', 'is not observed yet'],
  ['being deleted', deployment(done, {}, { generation: 2, deletionTimestamp: 'now' }), 'terminating', 'is being deleted'],
  ['with too few replicas', deployment({ ...done, replicas: 1 }), 'progressing', '1 of 2 replicas are there'],
  ['with too few updated', deployment({ ...done, updatedReplicas: 1 }), 'progressing', '1 of 2 replicas are updated'],
  ['with an old replica left', deployment({ ...done, replicas: 3 }), 'progressing', '1 old replica is still to end'],
  ['with too few available', deployment({ ...done, availableReplicas: 0 }), 'progressing', '0 of 2 replicas are available'],
  ['with too few ready', deployment({ ...done, readyReplicas: 1 }), 'progressing', '1 of 2 replicas are ready'],
  [
    'whose new ReplicaSet is not the available one',
    deployment({ ...done, conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' }] }),
    'progressing',
    'its new ReplicaSet is not available',
  ],
  [
    'that has no deadline',
    deployment({ ...done, conditions: [{ type: 'Available', status: 'True' }] }, { progressDeadlineSeconds: 2 ** 31 - 1 }),
    'current',
    '2 replicas are available',
  ],
  [
    'past its deadline',
    deployment({ conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] }),
    'failed',
    'made no progress for 600 s',
  ],
  ['scaled to nothing', deployment({ conditions: done.conditions }, { replicas: 0 }), 'current', '0 replicas are available'],
  ['a StatefulSet that is rolled out', statefulSet(whole), 'current', '2 replicas are ready'],
  [
    'in the middle of an update',
    statefulSet({ ...whole, currentRevision: 'a' }),
    'progressing',
    'its updated revision is not the current one yet',
  ],
  [
    'with a partition that is updated',
    statefulSet({ ...whole, updatedReplicas: 1, currentRevision: 'a' }, { updateStrategy: { rollingUpdate: { partition: 1 } } }),
    'current',
    'its partition is updated',
  ],
  [
    'with a partition that is not',
    statefulSet({ ...whole, updatedReplicas: 0 }, { updateStrategy: { rollingUpdate: { partition: 1 } } }),
    'progressing',
    '0 of 1 replicas are updated',
  ],
  [
    'whose partition is none',
    statefulSet({ ...whole, currentRevision: 'a' }, { updateStrategy: { rollingUpdate: { partition: 0 } } }),
    'progressing',
    'its updated revision is not the current one yet',
  ],
  ['updated by hand', statefulSet({}, { updateStrategy: { type: 'OnDelete' } }), 'current', 'its pods are updated when they are deleted'],
  ['a DaemonSet that is rolled out', daemonSet(everywhere), 'current', '2 pods are ready'],
  ['not updated everywhere', daemonSet({ ...everywhere, updatedNumberScheduled: 1 }), 'progressing', '1 of 2 pods are updated'],
  [
    'updated by hand',
    daemonSet({ ...everywhere, updatedNumberScheduled: 1 }, { updateStrategy: { type: 'OnDelete' } }),
    'current',
    '2 pods are ready',
  ],
  ['never observed', object('DaemonSet', 'apps/v1', { status: everywhere }), 'progressing', 'is not observed yet'],
  ['a Job that has not started', job({}), 'progressing', 'has not started'],
  ['that runs', job({ startTime: 'now', active: 1 }), 'current', 'runs: 1 active, 0 succeeded, 0 failed'],
  ['that is complete', job({ succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] }), 'current', 'completed, 1 of 1 succeeded'],
  [
    'that failed',
    job({ failed: 7, conditions: [{ type: 'Failed', status: 'True', message: 'BackoffLimitExceeded' }] }),
    'failed',
    'failed after 7 tries: BackoffLimitExceeded',
  ],
  ['a Pod that is ready', pod({ phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }), 'current', 'is ready'],
  [
    'that crashes',
    pod({ phase: 'Running', containerStatuses: [{ name: 'a', state: { waiting: { reason: 'CrashLoopBackOff' } } }] }),
    'failed',
    'is in a crash loop: a',
  ],
  ['that is done', pod({ phase: 'Succeeded' }), 'current', 'completed'],
  ['that failed', pod({ phase: 'Failed', message: 'evicted' }), 'failed', 'ended with a failure: evicted'],
  ['a claim that is bound', object('PersistentVolumeClaim', 'v1', { status: { phase: 'Bound' } }), 'current', 'is bound'],
  ['that is not', object('PersistentVolumeClaim', 'v1', { status: { phase: 'Pending' } }), 'progressing', 'is not bound (Pending)'],
  ['a Service', object('Service', 'v1', { spec: {} }), 'current', 'is ready'],
  [
    'a load balancer without an address',
    object('Service', 'v1', { spec: { type: 'LoadBalancer' } }),
    'progressing',
    'has no cluster IP yet',
  ],
  [
    'a definition that is established',
    object('CustomResourceDefinition', 'apiextensions.k8s.io/v1', { status: { conditions: [{ type: 'Established', status: 'True' }] } }),
    'current',
    'is established',
  ],
  [
    'whose names are taken',
    object('CustomResourceDefinition', 'apiextensions.k8s.io/v1', {
      status: { conditions: [{ type: 'NamesAccepted', status: 'False', message: 'taken' }] },
    }),
    'failed',
    'taken',
  ],
  ['a ConfigMap', object('ConfigMap', 'v1', { data: {} }), 'current', 'is there'],
  ['a custom resource that is not ready', custom([{ type: 'Ready', status: 'False', message: 'no disk' }]), 'progressing', 'no disk'],
  ['that is', custom([{ type: 'Ready', status: 'True' }]), 'current', 'is there'],
  [
    'that was, as it was before',
    custom([{ type: 'Ready', status: 'True', observedGeneration: 1 }]),
    'progressing',
    'what it says of being ready is of generation 1, not of 2',
  ],
  ['that is stalled', custom([{ type: 'Stalled', status: 'True', message: 'no disk' }]), 'failed', 'no disk'],
])('%s', (_name, seen, state, message) => {
  expect(statusOf(seen)).toEqual({ state, message });
});
