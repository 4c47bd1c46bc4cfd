import type { KubeObject } from '../clients';
import { fakeKube } from '../testkit/fakeKube';
import { applied, followRelease, labels, rolloutIs, template } from '../testkit/followedRelease';
import type { ReleaseSighting } from '.';

const crashing = {
  phase: 'Running',
  containerStatuses: [
    {
      name: 'worker',
      containerID: 'containerd://1',
      restartCount: 5,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, reason: 'Error' } },
    },
  ],
};

describe('what was applied just now, of which no watch has told yet,', () => {
  const of = (kind: string, name: string, at: number, more: object = {}): KubeObject => ({
    ...{ apiVersion: kind === 'Job' ? 'batch/v1' : 'v1', kind, ...more },
    metadata: { name, namespace: 'shop', labels, annotations: applied(`f${at}`, at, 1) },
  });
  const saysOf = (text: string) => (sighting: ReleaseSighting) =>
    rolloutIs('progressing')(sighting) && JSON.stringify(sighting).includes(text);
  const awaiting = (name: string) => {
    const rollout = { state: 'progressing', message: `the cluster has not shown yet what was applied: ${name}` };
    return { live: { value: { rollout } } };
  };
  const begin = async (objects: readonly KubeObject[]) => {
    const kube = fakeKube({ namespaces: ['shop'] });
    for (const object of [of('Service', 'web', 1), ...objects]) kube.put(object);
    const following = followRelease(kube);
    await following.until(rolloutIs('ready'));
    kube.put(of('Service', 'web', 2));
    await following.until(({ live }) => live.state === 'found' && live.value.appliedAt === 2);
    return { kube, ...following };
  };

  test('is waited for, as a bare pod beside what is there', async () => {
    const { kube, watch, seen, until, stop } = await begin([]);
    const before = seen.length;
    watch.expect([of('Service', 'web', 2), of('Pod', 'user', 2)], 2);
    expect(seen.slice(before)).toMatchObject([awaiting('pod/user')]);
    kube.put(of('Pod', 'user', 2, { status: { phase: 'Pending' } }));
    await until(saysOf('is starting'));
    expect(seen.slice(before).filter(rolloutIs('ready'))).toEqual([]);
    kube.put(of('Pod', 'user', 2, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }));
    await until(rolloutIs('ready'));
    stop();
  });

  test('is waited for though one of its name was there before; and not when it has come and gone', async () => {
    const { kube, watch, seen, until, stop } = await begin([of('Job', 'migrate', 1, { status: { startTime: 'then' } })]);
    const job = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', namespace: 'shop' };
    const before = seen.length;
    watch.expect([of('Job', 'migrate', 2)], 2);
    expect(seen.slice(before)).toMatchObject([awaiting('job/migrate')]);
    await kube.delete(job);
    kube.put(of('Job', 'migrate', 2));
    await until(saysOf('has not started'));
    expect(seen.slice(before).filter(rolloutIs('ready'))).toEqual([]);
    await kube.delete(job);
    await until(rolloutIs('ready'));
    stop();
  });

  test('is waited for of kinds that the cluster was taught', async () => {
    const { kube, watch, seen, until, stop } = await begin([]);
    const kind = { apiVersion: 'example.test/v1', kind: 'Widget' };
    const widget = (at: number, status: string): KubeObject =>
      of('Widget', 'one', at, { ...kind, status: { conditions: [{ type: 'Ready', status, message: 'no wheels' }] } });
    kube.put(widget(1, 'True'));
    await watch.follow([{ kind, namespace: 'shop' }]);
    const before = seen.length;
    watch.expect([widget(2, '')], 2);
    expect(seen.slice(before)).toMatchObject([awaiting('widget/one')]);
    kube.put(widget(2, 'False'));
    await until(saysOf('no wheels'));
    expect(seen.slice(before).filter(rolloutIs('ready'))).toEqual([]);
    kube.put(widget(2, 'True'));
    await until(rolloutIs('ready'));
    stop();
  });
});

test.each<[string, object, object, string]>([
  [
    'DaemonSet',
    { desiredNumberScheduled: 1, currentNumberScheduled: 1, updatedNumberScheduled: 0 },
    { 'pod-template-generation': '1' },
    '0 of 1 pods are updated',
  ],
  ['Deployment', { replicas: 1, updatedReplicas: 0 }, {}, '0 of 1 replicas are updated'],
])(
  'a pod from before a change of its %s may be in any trouble, though nothing of the change has been shown but itself',
  async (kind, status, podLabels, message) => {
    const kube = fakeKube({ namespaces: ['shop'] });
    const generation = { 'deprecated.daemonset.template.generation': '2', 'deployment.kubernetes.io/revision': '2' };
    const { metadata } = kube.put({
      ...{ apiVersion: 'apps/v1', kind, spec: { replicas: 1 }, status: { observedGeneration: 1, ...status } },
      metadata: { name: 'worker', namespace: 'shop', labels, annotations: { ...applied('f1', 1, 1), ...generation } },
    });
    const ownerReferences = [{ kind, name: 'worker', uid: metadata.uid ?? '', controller: true }];
    const replicaSet = kube.put({
      ...{ apiVersion: 'apps/v1', kind: 'ReplicaSet' },
      metadata: {
        name: 'old',
        namespace: 'shop',
        labels: template,
        annotations: { 'deployment.kubernetes.io/revision': '1' },
        ownerReferences,
      },
    });
    const ofReplicaSet = [{ kind: 'ReplicaSet', name: 'old', uid: replicaSet.metadata.uid ?? '', controller: true }];
    kube.put({
      ...{ apiVersion: 'v1', kind: 'Pod', status: crashing },
      metadata: {
        ...{ name: 'old', namespace: 'shop', labels: { ...template, ...podLabels } },
        ownerReferences: kind === 'Deployment' ? ofReplicaSet : ownerReferences,
      },
    });
    const { seen, until, stop } = followRelease(kube);
    const { live } = await until((sighting) => sighting.live.state === 'found');
    expect(live).toMatchObject({ value: { rollout: { state: 'progressing', message: `${kind.toLowerCase()}/worker: ${message}` } } });
    expect(seen.filter(rolloutIs('failed'))).toEqual([]);
    stop();
  },
);
