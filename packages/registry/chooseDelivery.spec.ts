import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { failed, type BuiltImage, type Problem } from '../model';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { fakeKube } from '../testkit/fakeKube';
import { fakeProcesses, type FakeRun } from '../testkit/fakeProcesses';
import { chooseDelivery, type Delivery } from '.';

interface Wanted {
  readonly context?: string;
  /** What the cluster's ConfigMap says. */
  readonly hosting?: string;
  readonly defaultRepo?: string;
  readonly cluster?: 'none' | 'refuses' | 'silent';
  /** How the command `kind` ends. Absent: it is not installed. */
  readonly kind?: FakeRun;
}

const request = { signal: new AbortController().signal, onLine: () => undefined };

async function setting({ context = 'somewhere', hosting, defaultRepo, cluster, kind }: Wanted) {
  const engine = fakeEngine();
  const kube = fakeKube({ target: { context } });
  const refusal: Problem = { code: 'clusterRefused', message: 'forbidden', retry: 'never', exitCode: 3 };
  if (hosting !== undefined) {
    const metadata = { name: 'local-registry-hosting', namespace: 'kube-public' };
    kube.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'localRegistryHosting.v1': hosting } });
  }
  kube.reachable = cluster !== 'silent';
  const processes = fakeProcesses(({ command }) => (command === 'kind' ? kind : undefined));
  const chosen = await chooseDelivery({
    engine,
    registry: engine.registry,
    processes,
    ...(cluster !== 'none' && { kube: cluster === 'refuses' ? { ...kube, get: () => Promise.resolve(failed(refusal)) } : kube }),
    ...(defaultRepo !== undefined && { defaultRepo }),
  });
  return { chosen, engine, kube, processes };
}

async function deliveryOf(wanted: Wanted) {
  const { chosen, ...rest } = await setting(wanted);
  if (!chosen.ok) throw new Error(chosen.problem.message);
  return { delivery: chosen.value, ...rest };
}

/** An image as a build leaves it in the engine. */
async function built(engine: FakeEngine, delivery: Delivery): Promise<BuiltImage> {
  const ref = delivery.refFor('shop/api', '1a2b');
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
      'registry.example/team/shop/api:1a2b',
      'defaultRepo is registry.example/team',
    ],
    [
      'defaultRepo without a cluster',
      { defaultRepo: 'registry.example', cluster: 'none' },
      'registry.example/shop/api:1a2b',
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
    ['kind’s own nodes', { context: 'kind-dev' }, 'shop/api:1a2b', 'kind copies images into its cluster dev'],
    [
      'what the context says, where the ConfigMap may not be read',
      { context: 'kind-dev', cluster: 'refuses' },
      'shop/api:1a2b',
      'kind copies images into its cluster dev',
    ],
  ])('is %s', async (_, wanted, ref, because) => {
    const { delivery } = await deliveryOf(wanted);
    expect(delivery.refFor('shop/api', '1a2b')).toBe(ref);
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
    expect(await delivery.lookUp(delivery.refFor('shop/api', '1a2b'))).toEqual({ ok: true, value: undefined });
    const image = await built(engine, delivery);
    const delivered = { ok: true, value: { ref: image.ref, digest: image.id } };
    expect(await delivery.deliver({ image, ...request })).toEqual(delivered);
    expect(await delivery.lookUp(image.ref)).toEqual(delivered);
    await engine.remove(image.ref);
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem: { code: 'imageNotFound' } });
  });
});

describe('a kind cluster', () => {
  const node = (name: string, images: readonly string[]) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { images: [{ names: ['registry.k8s.io/pause:3.9'] }, { names: images }] },
  });

  it('gets an image through kind', async () => {
    const { delivery, engine, processes } = await deliveryOf({ context: 'kind-dev', kind: { stdout: 'loading' } });
    const image = await built(engine, delivery);
    expect(await delivery.deliver({ image, ...request })).toEqual({ ok: true, value: { ref: 'shop/api:1a2b', digest: image.id } });
    expect(processes.runs.map(({ command, args }) => [command, ...args].join(' '))).toEqual([
      'kind load docker-image shop/api:1a2b --name dev',
    ]);
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
  ])('does not get it when %s', async (_, kind, problem) => {
    const { delivery, engine } = await deliveryOf({ context: 'kind-dev', ...(kind && { kind }) });
    const image = await built(engine, delivery);
    expect(await delivery.deliver({ image, ...request })).toMatchObject({ ok: false, problem });
  });
});
