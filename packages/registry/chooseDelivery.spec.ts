import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { failed, type BuiltImage, type Problem, type Result } from '../model';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { fakeKube } from '../testkit/fakeKube';
import { fakeNode } from '../testkit/fakeNode';
import { fakeProcesses, type FakeRun } from '../testkit/fakeProcesses';
import { chooseDelivery, type Delivery } from '.';

interface Wanted {
  readonly context?: string;
  /** What the cluster's ConfigMap says. */
  readonly hosting?: string;
  readonly defaultRepo?: string;
  readonly multiLevel?: boolean;
  readonly push?: boolean;
  /** What the cluster's node runs containers with, and the labels it has. */
  readonly runtime?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly cluster?: 'none' | 'refuses' | 'silent';
  /** How the command of the cluster's tool ends. Absent: it is not installed. */
  readonly tool?: FakeRun;
  /** Labels of a node that is a container of the engine. */
  readonly container?: Readonly<Record<string, string>>;
}

const request = { signal: new AbortController().signal, onLine: () => undefined };

async function setting({
  context = 'somewhere',
  hosting,
  defaultRepo,
  multiLevel,
  push,
  runtime,
  labels,
  cluster,
  tool,
  container,
}: Wanted) {
  const engine = fakeEngine({ containers: container ? [fakeNode('node', container)] : [] });
  const other = fakeEngine();
  const asked: Readonly<Record<string, string>>[] = [];
  const kube = fakeKube({ target: { context } });
  const refusal: Problem = { code: 'clusterRefused', message: 'forbidden', retry: 'never', exitCode: 3 };
  if (hosting !== undefined) {
    const metadata = { name: 'local-registry-hosting', namespace: 'kube-public' };
    kube.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'localRegistryHosting.v1': hosting } });
  }
  kube.reachable = cluster !== 'silent';
  if (runtime !== undefined) {
    const nodeInfo = { containerRuntimeVersion: runtime };
    kube.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node', labels: { ...labels } }, status: { nodeInfo } });
  }
  const processes = fakeProcesses(() => tool);
  const chosen = await chooseDelivery({
    engine,
    registry: engine.registry,
    processes,
    engineAt: (variables) => {
      asked.push(variables);
      return other;
    },
    push,
    ...(cluster !== 'none' && { kube: cluster === 'refuses' ? { ...kube, get: () => Promise.resolve(failed(refusal)) } : kube }),
    ...(defaultRepo !== undefined && { defaultRepo: { repo: defaultRepo, from: 'slipway.yaml', multiLevel } }),
  });
  return { chosen, engine, other, asked, kube, processes };
}

async function deliveryOf(wanted: Wanted) {
  const { chosen, ...rest } = await setting(wanted);
  if (!chosen.ok) throw new Error(chosen.problem.message);
  return { delivery: chosen.value, ...rest };
}

/** An image as a build leaves it in the engine. */
async function built(engine: FakeEngine, delivery: Delivery): Promise<BuiltImage> {
  const ref = `${delivery.nameOf('shop/api')}:1a2b`;
  const context = pack();
  context.entry({ name: 'Dockerfile' }, 'FROM busybox:1.36\n');
  context.finalize();
  const image = await engine.build({
    context: Readable.from(context),
    dockerfile: 'Dockerfile',
    args: {},
    labels: {},
    tags: [ref],
    ...request,
  });
  if (!image.ok) throw new Error(image.problem.message);
  return { location: 'engine', ref, id: image.value.imageId };
}

describe('where images go', () => {
  it.each<[string, Wanted, string, string]>([
    [
      'defaultRepo, before anything else',
      { defaultRepo: 'registry.example/team/', hosting: 'host: localhost:5000', context: 'kind-x' },
      'registry.example/team/shop_api:1a2b',
      'defaultRepo is registry.example/team',
    ],
    [
      'defaultRepo without a cluster',
      { defaultRepo: 'registry.example', cluster: 'none' },
      'registry.example/shop_api:1a2b',
      'defaultRepo is registry.example',
    ],
    [
      'the registry that the cluster publishes',
      { hosting: 'host: "localhost:5000"\nhostFromContainerRuntime: registry:5000\nother: 1\n' },
      'localhost:5000/shop/api:1a2b',
      'the cluster publishes the registry localhost:5000',
    ],
    [
      'the engine itself for docker-desktop',
      { context: 'docker-desktop' },
      'shop/api:1a2b',
      'docker-desktop runs the images of this engine',
    ],
    [
      'the nodes of kind that are containers of the engine',
      { context: 'kind-dev', container: { 'io.x-k8s.kind.cluster': 'dev' } },
      'shop/api:1a2b',
      'what its nodes lack is copied into the kind cluster dev',
    ],
    [
      'the nodes of k3d that are containers of the engine',
      { context: 'k3d-dev', container: { 'k3d.cluster': 'dev', 'k3d.role': 'agent' } },
      'shop/api:1a2b',
      'what its nodes lack is copied into the k3d cluster dev',
    ],
    [
      'kind’s own nodes, wherever they are',
      { context: 'kind-dev', container: { 'io.x-k8s.kind.cluster': 'other' } },
      'shop/api:1a2b',
      'kind copies images into its cluster dev',
    ],
    [
      'what the context says, where the ConfigMap may not be read',
      { context: 'kind-dev', cluster: 'refuses' },
      'shop/api:1a2b',
      'kind copies images into its cluster dev',
    ],
    ['k3d’s own nodes', { context: 'k3d-dev' }, 'shop/api:1a2b', 'k3d copies images into its cluster dev'],
    [
      'the engine of minikube, where that runs Docker',
      {
        context: 'mini',
        runtime: 'docker://28.1',
        labels: { 'minikube.k8s.io/name': 'mini' },
        tool: { stdout: 'DOCKER_HOST=tcp://1.2.3.4:2376\n' },
      },
      'shop/api:1a2b',
      'images are built in the engine of minikube mini',
    ],
    [
      'minikube’s own node, where that runs containerd',
      { context: 'mini', runtime: 'containerd://2.0', labels: { 'minikube.k8s.io/name': 'mini' } },
      'shop/api:1a2b',
      'minikube copies images into its cluster mini',
    ],
    [
      'the engine itself for Rancher Desktop with dockerd',
      { context: 'rancher-desktop', runtime: 'docker://28.1' },
      'shop/api:1a2b',
      'Rancher Desktop runs the images of this engine',
    ],
    [
      'the engine itself for Colima with Docker',
      { context: 'colima-x', runtime: 'docker://28.1' },
      'shop/api:1a2b',
      'Colima runs the images of this engine',
    ],
    [
      'the cluster itself, when nothing is to be pushed',
      { context: 'kind-dev', push: false, hosting: 'host: localhost:5000', defaultRepo: 'registry.example', multiLevel: true },
      'registry.example/shop/api:1a2b',
      'kind copies images into its cluster dev',
    ],
    [
      'the engine, when nothing is to be pushed and no cluster is asked',
      { cluster: 'none', push: false },
      'shop/api:1a2b',
      'push is false: images stay in the engine',
    ],
  ])('is %s', async (_, wanted, ref, because) => {
    const { delivery } = await deliveryOf(wanted);
    expect(`${delivery.nameOf('shop/api')}:1a2b`).toBe(ref);
    expect(delivery.because).toBe(because);
  });

  it.each<[string, Wanted, Partial<Problem>]>([
    [
      'nothing says it',
      {},
      { code: 'defaultRepoMissing', exitCode: 2, hint: 'set defaultRepo in slipway.yaml, --default-repo or SLIPWAY_DEFAULT_REPO' },
    ],
    ['defaultRepo is no address', { defaultRepo: 'https://registry.example/team' }, { code: 'defaultRepoInvalid', exitCode: 2 }],
    ['there is no cluster to ask', { cluster: 'none' }, { code: 'defaultRepoMissing' }],
    [
      'a desktop runs containerd, which does not have what the engine has',
      { context: 'rancher-desktop', runtime: 'containerd://2.0' },
      { hint: 'choose dockerd (moby) in its preferences, or set defaultRepo to a registry that the cluster pulls from' },
    ],
    ['push is true, and there is no registry', { context: 'kind-dev', push: true }, { code: 'defaultRepoMissing' }],
    [
      'push is false, and the cluster is none that images can be loaded into',
      { push: false, defaultRepo: 'registry.example' },
      { code: 'pushNeeded' },
    ],
    [
      'minikube does not tell its engine',
      {
        context: 'mini',
        runtime: 'docker://28.1',
        labels: { 'minikube.k8s.io/name': 'mini' },
        tool: { exitCode: 85, stderr: 'not running' },
      },
      { code: 'engineUnreachable', detail: 'not running' },
    ],
    [
      'the cluster only points to a page',
      { hosting: 'help: https://example.test/registry' },
      { hint: 'set defaultRepo in slipway.yaml, --default-repo or SLIPWAY_DEFAULT_REPO, or see https://example.test/registry' },
    ],
    ['the ConfigMap is no YAML', { hosting: '{host' }, { code: 'localRegistryInvalid' }],
    ['the ConfigMap is something else', { hosting: '- host' }, { code: 'localRegistryInvalid' }],
    ['the cluster does not answer', { cluster: 'silent' }, { code: 'clusterUnreachable' }],
  ])('is a problem when %s', async (_, wanted, problem) => {
    expect((await setting(wanted)).chosen).toMatchObject({ ok: false, problem });
  });
});

describe('a registry', () => {
  const wanted: Wanted = { hosting: 'host: localhost:5000' };

  it('gets an image once, and gives it with its digest', async () => {
    const { delivery, engine } = await deliveryOf(wanted);
    const image = await built(engine, delivery);
    expect(await delivery.lookUp(image.ref)).toEqual({ ok: true, value: undefined });
    const delivered = await delivery.deliver({ image, ...request });
    const digest = await engine.registry.digest(image.ref);
    expect(delivered).toEqual({
      ok: true,
      value: { ref: `${image.ref}@${digest.ok ? String(digest.value) : ''}`, digest: digest.ok && digest.value },
    });
    expect(await delivery.lookUp(image.ref)).toEqual(delivered);
    // What is there does not move again: the engine could not even push it.
    await engine.remove(image.ref);
    expect(await delivery.deliver({ image, ...request })).toEqual(delivered);
  });

  it('gives the same image another tag, and takes that tag from what had it', async () => {
    const { delivery, engine } = await deliveryOf(wanted);
    const image = await built(engine, delivery);
    engine.registry.put('localhost:5000/shop/api:v1', 'another image');
    const delivered = await delivery.deliver({ image, tag: 'v1', ...request });
    const digest = valueOf(await engine.registry.digest(image.ref)) ?? '';
    expect(delivered).toEqual({ ok: true, value: { ref: `localhost:5000/shop/api:v1@${digest}`, digest } });
    expect(await engine.registry.digest('localhost:5000/shop/api:v1')).toEqual({ ok: true, value: digest });
    const found = valueOf(await delivery.lookUp(image.ref));
    if (!found) throw new Error('it is not there');
    // The engine could not push it again.
    await engine.remove(image.ref);
    expect(await delivery.retag(found, 'v2', request)).toEqual({
      ok: true,
      value: { ref: `localhost:5000/shop/api:v2@${digest}`, digest },
    });
    expect(await engine.registry.digest('localhost:5000/shop/api:v2')).toEqual({ ok: true, value: digest });
  });

  it('that refuses or is silent is a problem, not an absent image', async () => {
    const { delivery, engine } = await deliveryOf(wanted);
    const image = await built(engine, delivery);
    engine.refusePush = { code: 'pushRefused', message: 'denied', retry: 'afterDelay', exitCode: 1 };
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem: { code: 'pushRefused' } });
    engine.registry.reachable = false;
    expect(await delivery.lookUp(image.ref)).toMatchObject({ ok: false, problem: { code: 'registryUnreachable' } });
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem: { code: 'registryUnreachable' } });
  });
});

describe('docker-desktop', () => {
  it('has what the engine has', async () => {
    const { delivery, engine } = await deliveryOf({ context: 'docker-desktop' });
    expect(await delivery.lookUp(`${delivery.nameOf('shop/api')}:1a2b`)).toEqual({ ok: true, value: undefined });
    const image = await built(engine, delivery);
    const delivered = { ok: true, value: { ref: image.ref, digest: image.id } };
    expect(await delivery.deliver({ image, ...request })).toEqual(delivered);
    expect(await delivery.lookUp(image.ref)).toEqual(delivered);
    await engine.remove(image.ref);
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem: { code: 'imageNotFound' } });
  });
});

it('minikube’s engine is the one that its variables name', async () => {
  const { delivery, other, asked } = await deliveryOf({
    context: 'mini',
    runtime: 'docker://28.1',
    labels: { 'minikube.k8s.io/name': 'mini' },
    tool: { stdout: 'DOCKER_TLS_VERIFY=1\nDOCKER_HOST=tcp://1.2.3.4:2376\nDOCKER_CERT_PATH="/c"\nMINIKUBE_ACTIVE_DOCKERD=mini\n' },
  });
  expect(delivery.engine).toBe(other);
  expect(asked).toEqual([{ DOCKER_TLS_VERIFY: '1', DOCKER_HOST: 'tcp://1.2.3.4:2376', DOCKER_CERT_PATH: '/c' }]);
});

describe('a kind cluster', () => {
  const node = (name: string, images: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { images: [{ names: ['registry.k8s.io/pause:3.9'] }, { names: images }] },
  });

  it('gets an image through kind', async () => {
    const { delivery, engine, processes } = await deliveryOf({ context: 'kind-dev', tool: { stdout: 'loading' } });
    const image = await built(engine, delivery);
    expect(await delivery.deliver({ image, ...request })).toEqual({ ok: true, value: { ref: 'shop/api:1a2b', digest: image.id } });
    expect(processes.runs.map(({ command, args }) => [command, ...args].join(' '))).toEqual([
      'kind load docker-image shop/api:1a2b --name dev',
    ]);
  });

  it('gets both names of an image at once, and another name later only when a node lacks it', async () => {
    const { delivery, engine, kube, processes } = await deliveryOf({ context: 'kind-dev', tool: {} });
    const image = await built(engine, delivery);
    expect(await delivery.deliver({ image, tag: 'v1', ...request })).toEqual({ ok: true, value: { ref: 'shop/api:v1', digest: image.id } });
    const found = { ref: image.ref, digest: image.id };
    expect(await delivery.retag(found, 'v2', request)).toEqual({ ok: true, value: { ref: 'shop/api:v2', digest: image.id } });
    kube.put(node('one', ['docker.io/shop/api:1a2b', 'docker.io/shop/api:v2']));
    expect(await delivery.retag(found, 'v2', request)).toEqual({ ok: true, value: { ref: 'shop/api:v2', digest: image.id } });
    expect(processes.runs.map(({ args }) => args.slice(2, -2))).toEqual([['shop/api:1a2b', 'shop/api:v1'], ['shop/api:v2']]);
  });

  it('has an image when every node says so', async () => {
    const { delivery, engine, kube } = await deliveryOf({ context: 'kind-dev' });
    const image = await built(engine, delivery);
    kube.put(node('one', ['docker.io/shop/api:1a2b']));
    expect(await delivery.lookUp(image.ref)).toEqual({ ok: true, value: { ref: image.ref, digest: image.id } });
    kube.put(node('two', []));
    expect(await delivery.lookUp(image.ref)).toEqual({ ok: true, value: undefined });
  });

  it.each<[string, FakeRun | undefined, Partial<Problem>]>([
    ['kind fails', { exitCode: 1, stderr: 'no nodes found' }, { code: 'imageNotLoaded', retry: 'afterDelay', detail: 'no nodes found' }],
    ['kind is not installed', undefined, { code: 'commandNotFound' }],
  ])('does not get it when %s', async (_, tool, problem) => {
    const { delivery, engine } = await deliveryOf({ context: 'kind-dev', ...(tool && { tool }) });
    const image = await built(engine, delivery);
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem });
  });
});

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.problem.message);
}
