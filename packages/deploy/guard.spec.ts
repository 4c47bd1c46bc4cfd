import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KubeTarget } from '../clients';
import { fakeKube } from '../testkit/fakeKube';
import { contextMemoryFile, judge, type NodeIdentity } from '.';
import { guard, readIdentity } from './guard';

const target = (context: string): KubeTarget => ({
  context,
  cluster: context,
  server: 'https://127.0.0.1:6443',
  namespace: 'default',
  files: [],
});
const node = (part: Partial<NodeIdentity>): NodeIdentity => ({ name: 'n', providerID: '', labels: {}, ...part });
const judged = (context: string, nodes: readonly NodeIdentity[], more: { allowContexts?: string[]; remembered?: string } = {}) =>
  judge({ target: target(context), nodes, allowContexts: more.allowContexts ?? [], identity: 'uid-1', remembered: more.remembered });

describe('judge', () => {
  test.each<[string, string, NodeIdentity[]]>([
    ['kind', 'kind-dev', [node({ providerID: 'kind://docker/dev/dev-control-plane' })]],
    ['minikube', 'minikube', [node({ labels: { 'minikube.k8s.io/name': 'minikube' } })]],
    ['a profile of minikube', 'shop', [node({ labels: { 'minikube.k8s.io/name': 'shop' } })]],
    ['k3d', 'k3d-dev', [node({ name: 'k3d-dev-server-0' }), node({ name: 'k3d-dev-agent-0' })]],
    ['Docker Desktop', 'docker-desktop', [node({ name: 'docker-desktop' })]],
    [
      'Docker Desktop with kind',
      'docker-desktop',
      [node({ name: 'desktop-control-plane', providerID: 'kind://docker/desktop/desktop-control-plane' })],
    ],
    ['Rancher Desktop', 'rancher-desktop', [node({ name: 'lima-rancher-desktop' })]],
    ['OrbStack', 'orbstack', [node({ name: 'orbstack' })]],
    ['a profile of Colima', 'colima-test', [node({ name: 'colima-test' })]],
    ['our own, whatever its context', 'x', [node({ providerID: 'slipway://embedded/1', labels: { 'slipway.dev/cluster': 'embedded' } })]],
  ])('%s is local when its context and its nodes say so', (_name, context, nodes) => {
    expect(judged(context, nodes)).toMatchObject({ kind: 'local' });
  });

  test.each<[string, string, NodeIdentity[]]>([
    ['a loopback server alone', 'prod-tunnel', [node({ name: 'ip-10-0-0-1', providerID: 'aws:///eu-west-1a/i-1' })]],
    ['a name like one of kind', 'kind-prod', [node({ providerID: 'aws:///eu-west-1a/i-1' })]],
    ['nodes of kind behind a foreign name', 'prod', [node({ providerID: 'kind://docker/dev/x' })]],
    ['one node of another kind', 'kind-dev', [node({ providerID: 'kind://docker/dev/x' }), node({ providerID: 'aws:///i-1' })]],
    ['no nodes', 'kind-dev', []],
    ['our label without our provider', 'slipway', [node({ labels: { 'slipway.dev/cluster': 'embedded' } })]],
    ['our provider without our label', 'slipway', [node({ providerID: 'slipway://embedded/1' })]],
  ])('%s is not local', (_name, context, nodes) => {
    expect(judged(context, nodes)).toMatchObject({ kind: 'refused', problem: { code: 'contextNotAllowed', exitCode: 2 } });
  });

  test('a refusal names the context, the server and the line to write', () => {
    const verdict = judged('arn:aws:eks:x', [], { allowContexts: ['staging'] });
    expect(verdict).toMatchObject({
      problem: {
        message: 'context arn:aws:eks:x (https://127.0.0.1:6443) is not a local cluster and is not allowed by this workspace',
        hint: expect.stringContaining('allowContexts: [staging, "arn:aws:eks:x"]') as string,
      },
    });
  });

  test.each([
    ['met for the first time', undefined, { kind: 'allowed', remember: true }],
    ['the same as before', 'uid-1', { kind: 'allowed', remember: false }],
    ['another than before', 'uid-0', { kind: 'refused', problem: { code: 'contextChanged', exitCode: 2 } }],
  ] as const)('an allowed context whose cluster is %s', (_name, remembered, expected) => {
    expect(judged('staging', [], { allowContexts: ['staging'], ...(remembered === undefined ? {} : { remembered }) })).toMatchObject(
      expected,
    );
  });
});

describe('guard', () => {
  /** Clusters with other namespaces before it have another kube-system. */
  const cluster = (context: string, which: 'a' | 'b') => {
    const kube = fakeKube({ target: { context }, namespaces: which === 'a' ? ['kube-system'] : ['other', 'kube-system'] });
    kube.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, spec: { providerID: 'aws:///i-1' } });
    return kube;
  };
  const memory = async () => join(await mkdtemp(join(tmpdir(), 'slipway-guard-')), 'state', 'contexts.json');

  test('a context that suddenly means another cluster is refused until it is accepted', async () => {
    const memoryFile = await memory();
    const allowContexts = ['staging'];
    expect(await guard({ kube: cluster('staging', 'a'), allowContexts, memoryFile })).toMatchObject({ ok: true });
    expect(await guard({ kube: cluster('staging', 'a'), allowContexts, memoryFile })).toMatchObject({ ok: true });
    expect(await guard({ kube: cluster('staging', 'b'), allowContexts, memoryFile })).toMatchObject({
      ok: false,
      problem: { code: 'contextChanged' },
    });
    expect(await guard({ kube: cluster('staging', 'b'), allowContexts, memoryFile, acceptContext: true })).toMatchObject({ ok: true });
    expect(await guard({ kube: cluster('staging', 'b'), allowContexts, memoryFile })).toMatchObject({ ok: true });
    expect(Object.keys(JSON.parse(await readFile(memoryFile, 'utf8')) as object)).toEqual(['staging']);
  });

  test('who the cluster is may have been asked before', async () => {
    const memoryFile = await memory();
    const kube = cluster('staging', 'a');
    const allowContexts = ['staging'];
    expect(await guard({ kube, identity: readIdentity(kube), allowContexts, memoryFile })).toMatchObject({ ok: true });
    const other = readIdentity(cluster('staging', 'b'));
    expect(await guard({ kube, identity: other, allowContexts, memoryFile })).toMatchObject({
      ok: false,
      problem: { code: 'contextChanged' },
    });
  });

  test('a cluster of many nodes is none of a machine, and not all of them are asked for', async () => {
    const kube = cluster('kind-dev', 'a');
    const nodes = (count: number) => {
      for (let at = 0; at < count; at += 1)
        kube.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${String(at)}` }, spec: { providerID: 'kind://docker/dev/n' } });
    };
    nodes(49);
    expect(await guard({ kube, allowContexts: [], memoryFile: await memory() })).toMatchObject({ ok: true, value: { kind: 'local' } });
    nodes(50);
    expect(await guard({ kube, allowContexts: [], memoryFile: await memory() })).toMatchObject({
      ok: false,
      problem: { code: 'contextNotAllowed' },
    });
  });

  test('other contexts stay remembered, each on its line', async () => {
    const memoryFile = await memory();
    await guard({ kube: cluster('staging', 'a'), allowContexts: ['staging', 'test'], memoryFile });
    await guard({ kube: cluster('test', 'b'), allowContexts: ['staging', 'test'], memoryFile });
    expect((await readFile(memoryFile, 'utf8')).split('\n')).toHaveLength(5);
  });

  test('nothing is remembered of a context that is not allowed', async () => {
    const memoryFile = await memory();
    expect(await guard({ kube: cluster('prod', 'a'), allowContexts: [], memoryFile })).toMatchObject({
      ok: false,
      problem: { code: 'contextNotAllowed' },
    });
    await expect(readFile(memoryFile, 'utf8')).rejects.toThrow('ENOENT');
  });

  test('a memory that cannot be read is no reason to trust a name', async () => {
    const memoryFile = join(await mkdtemp(join(tmpdir(), 'slipway-guard-')), 'contexts.json');
    await writeFile(memoryFile, '{"staging": ');
    expect(await guard({ kube: cluster('staging', 'a'), allowContexts: ['staging'], memoryFile })).toMatchObject({
      ok: false,
      problem: { code: 'contextMemoryUnreadable' },
    });
  });

  test('the memory lies where XDG says, else below the home folder', () => {
    expect(contextMemoryFile({ XDG_STATE_HOME: '/s' }, '/home/me')).toBe(join('/s', 'slipway', 'contexts.json'));
    expect(contextMemoryFile({}, '/home/me')).toBe(join('/home/me', '.local', 'state', 'slipway', 'contexts.json'));
  });
});
