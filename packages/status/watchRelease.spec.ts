import type { KubeObject } from '../clients';
import { emptyDir, type Snapshot } from '../model';
import { fakeKube } from '../testkit/fakeKube';
import { applied, followRelease, labels, rolloutIs, template } from '../testkit/followedRelease';
import { shareWatches, type ReleaseSighting, type WatchedKube, type WatchReleaseRequest } from '.';

const done = (generation: number) => ({
  observedGeneration: generation,
  replicas: 1,
  updatedReplicas: 1,
  readyReplicas: 1,
  availableReplicas: 1,
  conditions: [
    { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
    { type: 'Available', status: 'True' },
  ],
});

/** A cluster with a Deployment, its ReplicaSets and pods, moved by hand. */
function cluster() {
  const kube = fakeKube({ namespaces: ['shop'] });
  const uids = new Map<number, string>();
  const deploy = (fingerprint: string, at: number, image = 'in1', objects = 1) =>
    kube.put({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'worker',
        namespace: 'shop',
        labels,
        annotations: {
          ...applied(fingerprint, at, objects),
          'slipway.dev/images': JSON.stringify({ worker: { ref: `reg/worker:${image}`, inputsHash: image } }),
        },
      },
      spec: { replicas: 1, image },
    });
  const replicaSet = (revision: number) => {
    const { metadata } = kube.put({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: {
        name: `worker-${revision}`,
        namespace: 'shop',
        labels: template,
        annotations: { 'deployment.kubernetes.io/revision': String(revision) },
        ownerReferences: [
          {
            kind: 'Deployment',
            name: 'worker',
            uid: kube.all('Deployment')[0]?.metadata.uid ?? '',
            controller: true,
          },
        ],
      },
    });
    uids.set(revision, metadata.uid ?? '');
  };
  const pod = (name: string, revision: number, status: unknown, more: Partial<KubeObject['metadata']> = {}) =>
    kube.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        namespace: 'shop',
        labels: template,
        annotations: { 'slipway.dev/artifacts': JSON.stringify({ worker: { artifact: 'worker', inputs: `in${revision}` } }) },
        ownerReferences: [{ kind: 'ReplicaSet', name: `worker-${revision}`, uid: uids.get(revision) ?? 'foreign', controller: true }],
        ...more,
      },
      spec: { containers: [{ name: 'worker', image: 'reg/worker' }] },
      status,
    });
  const setStatus = (status: unknown) => {
    for (const object of kube.all('Deployment')) kube.put({ ...object, status });
  };
  return { kube, deploy, replicaSet, pod, setStatus };
}

const running = (id: string) => ({
  phase: 'Running',
  containerStatuses: [{ name: 'worker', containerID: id, restartCount: 0, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
});
const crashing = (id: string, exitCode: number, restartCount: number, reason = 'Error') => ({
  phase: 'Running',
  containerStatuses: [
    {
      name: 'worker',
      containerID: id,
      restartCount,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode, reason } },
    },
  ],
});

describe('watchRelease', () => {
  test('a release that is not there is absent, not unknown', async () => {
    const { until, stop } = followRelease(fakeKube());
    expect(await until(({ live }) => live.state !== 'unknown')).toMatchObject({ live: { state: 'absent' }, containers: [] });
    stop();
  });

  test('follows a rollout from what was applied to ready, and its containers', async () => {
    const { kube, deploy, replicaSet, pod, setStatus } = cluster();
    const { seen, until, stop } = followRelease(kube);
    await until(({ live }) => live.state === 'absent');
    deploy('f1', 1);
    expect(await until(rolloutIs('progressing'))).toMatchObject({
      live: { value: { fingerprint: 'f1', images: { worker: { ref: 'reg/worker:in1', inputsHash: 'in1' } } } },
    });
    replicaSet(1);
    pod('worker-1-a', 1, { phase: 'Pending', containerStatuses: [{ name: 'worker', containerID: '', state: { waiting: {} } }] });
    pod('worker-1-a', 1, running('containerd://1'));
    const { containers } = await until((sighting) => sighting.containers.length > 0);
    expect(containers).toMatchObject([
      { id: 'containerd://1', artifact: 'worker', pod: 'worker-1-a', container: 'worker', running: true, inputsHash: 'in1', restarts: 0 },
    ]);
    setStatus(done(1));
    await until(rolloutIs('ready'));
    expect(seen.map(({ revision }) => revision)).toEqual(seen.map((_, index) => index + 1));
    stop();
  });

  test('what a container was made from is seen once it is known, though nothing about the container has changed', async () => {
    const { kube, deploy, pod, replicaSet } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    pod('worker-1-a', 1, running('containerd://1'));
    const images = new Map<string, Snapshot>();
    const { until, stop, watch } = followRelease(kube, { snapshotOf: (hash) => images.get(hash) });
    await until(({ containers }) => containers.length === 1);
    const known: Snapshot = { inputsHash: 'in1', rebuildHash: '', layoutHash: '', sources: emptyDir, tree: emptyDir };
    images.set('in1', known);
    watch.lookAgain();
    expect((await until(({ containers }) => containers[0]?.snapshot !== undefined)).containers).toMatchObject([{ snapshot: known }]);
    stop();
  });

  test('tells what it has of an object, but of none that goes by itself, nor of other labels', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    pod('worker-1-a', 1, running('containerd://1'));
    kube.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'foreign', namespace: 'shop' } });
    const { until, stop, watch } = followRelease(kube);
    await until(({ containers }) => containers.length === 1);
    const worker = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker', namespace: 'shop' };
    expect(watch.seen(worker)).toEqual(kube.all('Deployment')[0]);
    expect(watch.seen({ ...worker, namespace: 'other' })).toBeUndefined();
    expect(watch.seen({ ...worker, apiVersion: 'apps/v2' })).toBeUndefined();
    expect(watch.seen({ apiVersion: 'v1', kind: 'Pod', name: 'worker-1-a', namespace: 'shop' })).toBeUndefined();
    expect(watch.seen({ apiVersion: 'v1', kind: 'Service', name: 'foreign', namespace: 'shop' })).toBeUndefined();
    stop();
  });

  test('an older status says nothing of a newer spec', async () => {
    const { kube, deploy, setStatus } = cluster();
    deploy('f1', 1, 'in1');
    setStatus(done(1));
    const { until, stop } = followRelease(kube);
    await until(rolloutIs('ready'));
    deploy('f2', 2, 'in2');
    expect(await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f2')).toMatchObject({
      live: { value: { rollout: { state: 'progressing' } } },
    });
    setStatus(done(2));
    await until(rolloutIs('ready'));
    stop();
  });

  test('the image that runs stays known while the next apply has not come to its workload', async () => {
    const { kube, deploy } = cluster();
    deploy('f1', 1, 'in1');
    const { until, stop } = followRelease(kube);
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1');
    kube.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop', labels, annotations: applied('f2', 2, 2) },
    });
    expect(await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f2 incomplete')).toMatchObject({
      live: { value: { images: { worker: { ref: 'reg/worker:in1', inputsHash: 'in1' } } } },
    });
    stop();
  });

  test('an apply that has only just begun is given time to end, whoever does it', async () => {
    const { kube, deploy } = cluster();
    deploy('f1', Date.now() - 2500, 'in1', 2);
    const { until, stop } = followRelease(kube);
    expect(await until(({ live }) => live.state === 'found')).toMatchObject({
      live: { value: { fingerprint: 'f1', rollout: { state: 'progressing' } } },
    });
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1 incomplete');
    stop();
  });

  test('tells which Services lead to its pods, by the first port that connections can be made to', async () => {
    const kube = fakeKube({ namespaces: ['shop'] });
    const put = (name: string, spec: object) =>
      kube.put({
        ...{ apiVersion: 'v1', kind: 'Service', spec },
        metadata: { name, namespace: 'shop', labels, annotations: applied('f1', 1, 3) },
      });
    put('web', {
      selector: { app: 'web' },
      ports: [
        { port: 53, protocol: 'UDP' },
        { name: 'http', port: 80, protocol: 'TCP' },
      ],
    });
    put('api', { selector: { app: 'api' }, ports: [{ port: 8080, appProtocol: 'grpc' }] });
    put('elsewhere', { ports: [{ port: 5432 }] });
    const { until, stop } = followRelease(kube);
    const { live } = await until(rolloutIs('ready'));
    expect(live.state === 'found' && live.value.services).toEqual([
      { name: 'api', namespace: 'shop', port: { port: 8080, appProtocol: 'grpc' } },
      { name: 'web', namespace: 'shop', port: { port: 80, name: 'http' } },
    ]);
    stop();
  });

  test('an apply of which an object is missing is not what was wanted', async () => {
    const { kube, deploy } = cluster();
    deploy('f1', 1, 'in1', 2);
    const { until, stop } = followRelease(kube);
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1 incomplete');
    const config: KubeObject = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: 'shop', labels, annotations: applied('f1', 1, 2) },
    };
    kube.put(config);
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1');
    await kube.delete({ apiVersion: 'v1', kind: 'ConfigMap', name: 'settings', namespace: 'shop' });
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1 incomplete');
    stop();
  });

  test('what an older apply left over takes no part', async () => {
    const { kube, deploy } = cluster();
    kube.put({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'old', namespace: 'shop', labels, annotations: applied('f0', 1, 1) } });
    deploy('f1', 2);
    const { until, stop } = followRelease(kube);
    await until(({ live }) => live.state === 'found' && live.value.fingerprint === 'f1');
    stop();
  });

  test('a release deleted from outside is absent, and its containers are gone', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    pod('worker-1-a', 1, running('containerd://1'));
    const { until, stop } = followRelease(kube);
    await until(({ containers }) => containers.length === 1);
    await kube.delete({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'worker', namespace: 'shop' });
    expect(await until(({ live }) => live.state === 'absent')).toMatchObject({ containers: [] });
    stop();
  });

  test('containers of the old and the new revision are there, those of a pod that ends and of foreign pods are not', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f2', 2);
    replicaSet(1);
    replicaSet(2);
    pod('old', 1, running('containerd://1'));
    pod('new', 2, running('containerd://2'));
    pod('ending', 2, running('containerd://3'), { deletionTimestamp: 'now' });
    pod('foreign', 3, running('containerd://4'));
    const { until, stop } = followRelease(kube);
    const { containers } = await until((sighting) => sighting.containers.length > 0);
    expect(containers.map(({ pod: name, inputsHash }) => [name, inputsHash])).toEqual([
      ['old', 'in1'],
      ['new', 'in2'],
    ]);
    stop();
  });

  test('a crash loop fails at once, with the last lines of the container that crashed', async () => {
    const { kube, deploy, replicaSet, pod, setStatus } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    for (const line of ['starting', 'Error: no database']) kube.log({ namespace: 'shop', pod: 'worker-1-a', container: 'worker' }, line);
    const { until, seen, stop } = followRelease(kube);
    pod('worker-1-a', 1, crashing('containerd://1', 3, 2));
    setStatus({ observedGeneration: 1, replicas: 1, updatedReplicas: 1 });
    expect(await until(rolloutIs('failed'))).toMatchObject({
      live: {
        value: {
          rollout: {
            problem: {
              code: 'containerCrashed',
              message: expect.stringContaining('exit code 3') as string,
              detail: 'starting\nError: no database',
            },
          },
        },
      },
    });
    const failures = seen.length;
    pod('worker-1-a', 1, crashing('containerd://2', 3, 3));
    const again = await until(({ containers }) => containers[0]?.id === 'containerd://2');
    expect(again).toMatchObject({ live: { value: { rollout: { state: 'failed' } } } });
    expect(seen.slice(failures).every(rolloutIs('failed'))).toBe(true);
    stop();
  });

  /** A warning about an object, as a controller or the kubelet records it. */
  const warn = (kube: ReturnType<typeof fakeKube>, about: KubeObject | undefined, [reason, message]: readonly [string, string]) =>
    kube.put({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: `${about?.metadata.name ?? ''}.${reason}`, namespace: 'shop' },
      type: 'Warning',
      reason,
      message,
      involvedObject: { uid: about?.metadata.uid },
      lastTimestamp: '2026-01-01T00:00:00Z',
    });

  test('what a probe was answered comes by an event, and is a reason, not a failure', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    const { until, stop } = followRelease(kube);
    const put = pod('worker-1-a', 1, running('containerd://1'));
    await until(rolloutIs('progressing'));
    warn(kube, put, ['Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 500']);
    const seen = await until(
      ({ live }) =>
        live.state === 'found' && live.value.rollout.state === 'progressing' && live.value.rollout.reason?.code === 'probeFailed',
    );
    expect(seen).toMatchObject({ live: { value: { rollout: { message: expect.stringContaining('statuscode: 500') as string } } } });
    stop();
  });

  test('the log of each container whose probe fails comes with what is waited for, and of no other', async () => {
    const kube = fakeKube({ namespaces: ['shop'] });
    const pods = ['one', 'other', 'two'].map((name) => {
      const metadata = { name, namespace: 'shop', labels, annotations: applied('f1', 1, 3) };
      const spec = { containers: [{ name: 'main', image: 'reg/main' }] };
      kube.log({ namespace: 'shop', pod: name, container: 'main' }, `Error: ${name}`);
      kube.endLog({ namespace: 'shop', pod: name, container: 'main' });
      const state = { running: { startedAt: '2026-01-01T00:00:00Z' } };
      const status = { phase: 'Running', containerStatuses: [{ name: 'main', ready: false, containerID: `containerd://${name}`, state }] };
      return kube.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec, status });
    });
    const { until, stop } = followRelease(kube);
    await until(rolloutIs('progressing'));
    for (const at of [0, 2]) warn(kube, pods[at], ['Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 500']);
    const waitingFor = ({ live }: ReleaseSighting) =>
      live.state === 'found' && live.value.rollout.state === 'progressing' ? (live.value.rollout.waiting ?? []) : [];
    const seen = await until((sighting) => waitingFor(sighting).filter(({ detail }) => detail !== undefined).length > 1);
    expect(waitingFor(seen).map(({ object, detail }) => [object, detail])).toEqual([
      ['pod/one', 'Error: one'],
      ['pod/other', undefined],
      ['pod/two', 'Error: two'],
    ]);
    stop();
  });

  test.each([
    ['a quota', 'pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2', 'quotaExceeded'],
    ['a policy', 'pods "x" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true', 'admissionDenied'],
    ['anything else', 'pods "x" is forbidden: error looking up service account shop/nobody', 'podsRefused'],
  ])('pods that are refused by %s fail the rollout, by the event of their maker', async (_name, said, code) => {
    const { kube, deploy, replicaSet } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    const { until, stop } = followRelease(kube);
    await until(rolloutIs('progressing'));
    warn(kube, kube.all('ReplicaSet')[0], ['FailedCreate', `Error creating: ${said}`]);
    expect(await until(rolloutIs('failed'))).toMatchObject({
      live: { value: { rollout: { problem: { code, message: `deployment/worker: its pods are refused, ${said}` } } } },
    });
    stop();
  });

  test('a trouble has the place of its field in the manifest of what was applied', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    const asked: string[] = [];
    const locate: WatchReleaseRequest['locate'] = ({ kind, metadata }, field) => {
      asked.push(`${kind} ${metadata.name ?? ''} ${field}`);
      return Promise.resolve({ file: 'k8s/worker.yaml', line: 7 });
    };
    const { until, stop } = followRelease(kube, { locate });
    pod('worker-1-a', 1, crashing('containerd://1', 3, 2));
    expect(await until(rolloutIs('failed'))).toMatchObject({
      live: { value: { rollout: { problem: { location: { file: 'k8s/worker.yaml', line: 7 } } } } },
    });
    expect(asked).toEqual(['Deployment worker spec.template.spec.containers[name="worker"].command']);
    stop();
  });

  test('another trouble of the same container is not told with the place of the one before', async () => {
    const { kube, deploy, replicaSet, pod } = cluster();
    deploy('f1', 1);
    replicaSet(1);
    const locate: WatchReleaseRequest['locate'] = (_object, field) =>
      Promise.resolve({ file: 'k8s/worker.yaml', line: field.endsWith('command') ? 7 : 12 });
    const { seen, until, stop } = followRelease(kube, { locate });
    const problems = () =>
      seen.flatMap(({ live }) => (live.state === 'found' && live.value.rollout.state === 'failed' ? [live.value.rollout.problem] : []));
    pod('worker-1-a', 1, crashing('containerd://1', 137, 2));
    await until(() => problems().some(({ code }) => code === 'containerCrashed'));
    pod('worker-1-a', 1, crashing('containerd://1', 137, 3, 'OOMKilled'));
    await until(() => problems().some(({ code }) => code === 'outOfMemory'));
    stop();
    expect(problems().map(({ code, location }) => [code, location?.line])).toEqual([
      ['containerCrashed', 7],
      ['outOfMemory', 12],
    ]);
  });

  test('trouble of the old revision does not fail the new one', async () => {
    const { kube, deploy, replicaSet, pod, setStatus } = cluster();
    deploy('f2', 2);
    replicaSet(1);
    replicaSet(2);
    pod('old', 1, crashing('containerd://1', 1, 5));
    pod('new', 2, running('containerd://2'));
    setStatus({ observedGeneration: 1, replicas: 2, updatedReplicas: 1 });
    const { seen, until, stop } = followRelease(kube);
    await until(({ containers }) => containers.length === 2);
    setStatus(done(1));
    await until(rolloutIs('ready'));
    expect(seen.some(rolloutIs('failed'))).toBe(false);
    stop();
  });

  test('a claim that waits for its first pod is not waited for, whatever was said of it before', async () => {
    const { kube } = cluster();
    const { metadata } = kube.put({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'data', namespace: 'shop', labels, annotations: applied('f1', 1, 1) },
      status: { phase: 'Pending' },
    });
    const say = (type: string, reason: string, lastTimestamp: string) =>
      kube.put({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `data.${reason}`, namespace: 'shop' },
        ...{ type, reason, message: 'as it is', lastTimestamp, involvedObject: { uid: metadata.uid } },
      });
    const { until, stop } = followRelease(kube);
    await until(rolloutIs('progressing'));
    say('Warning', 'ProvisioningFailed', '2026-01-01T00:00:01Z');
    expect(await until(rolloutIs('failed'))).toMatchObject({
      live: { value: { rollout: { problem: { code: 'volumeNotBound', message: 'persistentvolumeclaim/data gets no volume: as it is' } } } },
    });
    say('Normal', 'WaitForFirstConsumer', '2026-01-01T00:00:02Z');
    await until(rolloutIs('ready'));
    stop();
  });

  test('a kind that may not be read is not waited for', async () => {
    const kube = fakeKube();
    const refusing: WatchedKube = {
      ...kube,
      watch(kind, options, events) {
        if (kind.kind !== 'CronJob') return kube.watch(kind, options, events);
        queueMicrotask(() => events.onTrouble({ code: 'clusterRefused', message: 'no', retry: 'afterDelay', exitCode: 1 }));
        return { stop: () => undefined };
      },
    };
    const { until, stop } = followRelease(refusing);
    await until(({ live }) => live.state === 'absent');
    stop();
  });
});

describe('shareWatches', () => {
  test('a second release adds no watch, sees the same, and the last one to stop ends them', async () => {
    const { kube, deploy, setStatus } = cluster();
    let watches = 0;
    const counted: WatchedKube = {
      ...kube,
      watch(kind, options, events) {
        watches += 1;
        const watch = kube.watch(kind, options, events);
        return {
          stop() {
            watches -= 1;
            watch.stop();
          },
        };
      },
    };
    deploy('f1', 1);
    const shared = shareWatches(counted);
    const first = followRelease(shared);
    await first.until(({ live }) => live.state === 'found');
    const before = watches;
    const second = followRelease(shared);
    await second.until(({ live }) => live.state === 'found');
    expect(watches).toBe(before);
    first.stop();
    setStatus(done(1));
    await second.until(rolloutIs('ready'));
    second.stop();
    expect(watches).toBe(0);
  });
});
