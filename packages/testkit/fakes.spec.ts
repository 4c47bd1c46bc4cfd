import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BuildRequest } from '../clients';
import type { Problem } from '../model';
import { engineSuite } from './engineSuite';
import { fakeCluster } from './fakeCluster';
import { fakeEngine } from './fakeEngine';
import { fakeKube } from './fakeKube';
import { fakeProcesses } from './fakeProcesses';
import { fakeRegistry } from './fakeRegistry';
import { kubeSuite } from './kubeSuite';
import { processesSuite } from './processesSuite';
import { registrySuite } from './registrySuite';

kubeSuite('the fake cluster', () => {
  const namespace = 'suite';
  const cluster = fakeCluster({ namespaces: [namespace] });
  return Promise.resolve({
    kube: cluster.kube,
    namespace,
    startPod(name: string, script: string) {
      cluster.startPod(namespace, name, script);
      return Promise.resolve();
    },
    startWebPod(name: string, port: number, page: string) {
      cluster.startWebPod(namespace, name, port, page);
      return Promise.resolve();
    },
    close: () => cluster.close(),
  });
});

engineSuite('the fake engine', () => {
  // A RUN that sleeps goes on until somebody stops it.
  const onBuild = (request: BuildRequest, files: ReadonlyMap<string, string>): Promise<Problem | undefined> => {
    if (!files.get('Dockerfile')?.includes('RUN sleep')) return Promise.resolve(undefined);
    queueMicrotask(() => request.onLine('RUN sleep 600'));
    return new Promise(() => undefined);
  };
  const container = { name: 'suite', labels: { own: 'suite', and: 'more' }, run: shellOfSuite };
  const engine = fakeEngine({ bases: ['busybox'], onBuild, containers: [container] });
  return Promise.resolve({ engine, repository: 'localhost:5000/suite', base: 'busybox', container, close: () => Promise.resolve() });
});

/** As much of a shell as the suite asks of a container. */
async function shellOfSuite([, , script]: readonly string[], input: Readable) {
  if (script === 'wc -c') return { exitCode: 0, stdout: `${(await buffer(input)).length}\n`, stderr: '' };
  const exitCode = Number(/exit (\d)/.exec(script ?? '')?.[1] ?? 127);
  return exitCode === 3 ? { exitCode, stdout: 'out\n', stderr: 'err\n' } : { exitCode, stdout: '', stderr: '' };
}

registrySuite('the fake registry', () => {
  const registry = fakeRegistry();
  const put = (ref: string, content: string): Promise<string> => Promise.resolve(registry.put(ref, content));
  return Promise.resolve({ registry, repository: 'localhost:5000/suite', put, close: () => Promise.resolve() });
});

processesSuite('fake processes', {
  processes: fakeProcesses(({ command, input = '', onLine }) => {
    if (command === 'talks') return { exitCode: 3, stdout: 'one\ntwo\n', stderr: 'oops\n' };
    if (command === 'echoes') return { stdout: input };
    if (command !== 'hangs') return undefined;
    queueMicrotask(() => onLine?.('started', 'stdout'));
    return new Promise(() => undefined);
  }),
  talks: ['talks'],
  echoes: ['echoes'],
  hangs: ['hangs'],
});

describe('the fake cluster as a test sees it', () => {
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c' }] } };

  it('does not answer when it is made unreachable', async () => {
    const kube = fakeKube();
    kube.reachable = false;
    expect(await kube.version()).toMatchObject({ ok: false, problem: { code: 'clusterUnreachable', exitCode: 3 } });
    expect(await kube.apply(configMap)).toMatchObject({ ok: false, problem: { code: 'clusterUnreachable' } });
  });

  it('refuses what its validation refuses', async () => {
    const problem: Problem = { code: 'objectInvalid', message: 'no', retry: 'whenInputChanges', exitCode: 1 };
    expect(await fakeKube({ validate: () => problem }).apply(configMap)).toEqual({ ok: false, problem });
  });

  it('removes with an object what it owns', async () => {
    const kube = fakeKube();
    const owner = kube.put(configMap);
    kube.put({ ...pod, metadata: { name: 'p', ownerReferences: [{ kind: 'ConfigMap', name: 'a', uid: owner.metadata.uid ?? '' }] } });
    await kube.delete({ apiVersion: 'v1', kind: 'ConfigMap', name: 'a' });
    expect(kube.all('Pod')).toEqual([]);
  });

  it('breaks exec streams as a lost connection does', async () => {
    const kube = fakeKube({ program: () => new Promise(() => undefined) });
    kube.put(pod);
    const opened = await kube.exec({ namespace: 'default', pod: 'p', container: 'c', command: ['x'] });
    kube.cutExecs();
    expect(opened.ok && (await opened.value.ended)).toMatchObject({ exitCode: undefined, problem: { code: 'clusterUnreachable' } });
  });

  it('learns a kind from its definition', async () => {
    const kube = fakeKube();
    const names = { kind: 'Boat', plural: 'boats' };
    await kube.apply({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'boats.example.invalid' },
      spec: { group: 'example.invalid', scope: 'Namespaced', names, versions: [{ name: 'v1' }] },
    });
    expect(await kube.apply({ apiVersion: 'example.invalid/v1', kind: 'Boat', metadata: { name: 'x' } })).toMatchObject({ ok: true });
  });

  it('keeps the status that a controller wrote through an apply', async () => {
    const kube = fakeKube();
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { replicas: 1 } };
    await kube.apply(deployment);
    kube.put({ ...deployment, status: { readyReplicas: 1 } });
    expect(await kube.apply(deployment)).toMatchObject({ ok: true, value: { status: { readyReplicas: 1 }, metadata: { generation: 1 } } });
  });
});
