import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { type BuiltImage, type Result } from '../model';
import { type FakeEngine, fakeEngine } from '../testkit/fakeEngine';
import { type FakeNode, fakeNode } from '../testkit/fakeNode';
import { nodesIn } from './clusterNode';
import { loadIntoNodes } from './nodeLoad';
import { packSaved, unpackSaved } from './savedImage';

const kindNode = (name: string, role = 'worker') => fakeNode(name, { 'io.x-k8s.kind.cluster': 'dev', 'io.x-k8s.kind.role': role });
const lines: string[] = [];
const request = { signal: new AbortController().signal, onLine: (line: string) => void lines.push(line) };
beforeEach(() => (lines.length = 0));

async function deliveryInto(...nodes: readonly FakeNode[]) {
  const engine = fakeEngine({ containers: nodes });
  const found = valueOf(await nodesIn(engine, 'kind', 'dev'));
  return { engine, delivery: loadIntoNodes({ because: 'it is a test', nodes: found, nameOf: (image) => image, engine }) };
}

/** As builds leave images in the engine; all have one layer. */
async function built(engine: FakeEngine, ref: string, content: string): Promise<BuiltImage> {
  const context = pack();
  context.entry({ name: 'Dockerfile' }, 'FROM scratch\nCOPY file /\n');
  context.entry({ name: 'file' }, content);
  context.finalize();
  const { signal } = new AbortController();
  const wanted = {
    context: Readable.from(context),
    dockerfile: 'Dockerfile',
    args: {},
    labels: {},
    tags: [ref],
    signal,
    onLine: () => undefined,
  };
  return { location: 'engine', ref, id: valueOf(await engine.build(wanted)).imageId };
}

describe('the nodes of a cluster', () => {
  it.each<[string, 'kind' | 'k3d', readonly FakeNode[], readonly string[]]>([
    [
      'of kind are all but what balances their load',
      'kind',
      [kindNode('dev-control-plane', 'control-plane'), kindNode('dev-worker'), kindNode('dev-lb', 'external-load-balancer')],
      ['dev-control-plane', 'dev-worker'],
    ],
    ['of kind are those of this cluster', 'kind', [fakeNode('x', { 'io.x-k8s.kind.cluster': 'other' })], []],
    [
      'of k3d are servers and agents',
      'k3d',
      ['server', 'agent', 'loadbalancer', 'registry'].map((role) => fakeNode(role, { 'k3d.cluster': 'dev', 'k3d.role': role })),
      ['server', 'agent'],
    ],
  ])('%s', async (_, tool, containers, names) => {
    const nodes = valueOf(await nodesIn(fakeEngine({ containers }), tool, 'dev'));
    expect(nodes.map(({ name }) => name)).toEqual(names);
  });
});

describe('an image', () => {
  it('is copied into every node that lacks it, under its whole name, and then is there', async () => {
    const [one, two] = [kindNode('one'), kindNode('two')];
    const { engine, delivery } = await deliveryInto(one, two);
    const image = await built(engine, 'shop/api:1a', 'content');
    expect(await delivery.lookUp(image.ref)).toEqual({ ok: true, value: undefined });
    const delivered = { ok: true, value: { ref: 'shop/api:1a', digest: image.id } };
    expect(await delivery.deliver({ image, ...request })).toEqual(delivered);
    expect([one, two].map(({ images }) => [...images.keys()])).toEqual([['docker.io/shop/api:1a'], ['docker.io/shop/api:1a']]);
    expect(await delivery.lookUp(image.ref)).toEqual(delivered);
    // What is there does not move again: the engine could not even hand it out.
    await engine.remove(image.ref);
    expect(await delivery.deliver({ image, ...request })).toEqual(delivered);
    expect(one.imports).toHaveLength(1);
  });

  it('is copied without the layers that the node has, and whole when these have gone meanwhile', async () => {
    const node = kindNode('one');
    const { engine, delivery } = await deliveryInto(node);
    valueOf(await delivery.deliver({ image: await built(engine, 'shop/api:1', 'same'), ...request }));
    valueOf(await delivery.deliver({ image: await built(engine, 'shop/web:1', 'same'), ...request }));
    expect(lines).toEqual(['one: copying 1 of 1 layers, 0.0 MB', 'one: copying 0 of 1 layers, 0.0 MB']);
    // The layer, the config and the manifest; then only the manifest, as the second image differs in nothing.
    expect(node.imports).toEqual([3, 1]);
    const [, layer = ''] = node.images.get('docker.io/shop/api:1') ?? [];
    node.forget(layer);
    valueOf(await delivery.deliver({ image: await built(engine, 'shop/new:1', 'same'), ...request }));
    expect(lines.slice(2)).toEqual(['one: copying 0 of 1 layers, 0.0 MB', 'one: copying 1 of 1 layers, 0.0 MB']);
    expect(node.images.has('docker.io/shop/new:1')).toBe(true);
  });

  it('gets another tag where it is, which takes it from what had it', async () => {
    const node = kindNode('one');
    const { engine, delivery } = await deliveryInto(node);
    const [before, image] = [await built(engine, 'api:1', 'before'), await built(engine, 'api:2', 'after')];
    valueOf(await delivery.deliver({ image: before, tag: 'v1', ...request }));
    expect(await delivery.deliver({ image, tag: 'v1', ...request })).toEqual({ ok: true, value: { ref: 'api:v1', digest: image.id } });
    expect(node.images.get('docker.io/library/api:v1')).toEqual(node.images.get('docker.io/library/api:2'));
    expect(node.imports).toHaveLength(2);
  });

  it('that a node refuses is told with the node and what it said', async () => {
    const full = { ...kindNode('full'), run: () => Promise.resolve({ exitCode: 1, stdout: '', stderr: 'no space left on device\n' }) };
    const { engine, delivery } = await deliveryInto(full);
    const image = await built(engine, 'api:1', 'x');
    expect(await delivery.deliver({ image, ...request })).toMatchObject({
      ok: false,
      problem: { code: 'imageNotLoaded', message: expect.stringContaining('full') as string, detail: 'no space left on device' },
    });
  });

  it('that the engine no longer has is told', async () => {
    const { delivery } = await deliveryInto(kindNode('one'));
    const image: BuiltImage = { location: 'engine', ref: 'gone:1', id: 'sha256:gone' };
    expect(await delivery.deliver({ image, ...request })).toMatchObject({
      ok: false,
      problem: { code: 'imageNotLoaded', hint: 'build it again' },
    });
  });
});

describe('what engines hand out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-saved-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const layer = Buffer.from('a layer');
  const zipped = gzipSync(layer);
  const config = JSON.stringify({ rootfs: { diff_ids: [sha256(layer), sha256(layer)] } });
  const blob = (content: Buffer) => `blobs/${sha256(content).replace(':', '/')}`;

  it.each<[string, readonly (readonly [string, string | Buffer | { readonly link: string }])[], unknown]>([
    [
      'in the old form, where a layer may be a link to another',
      [
        ['one/layer.tar', layer],
        ['two/layer.tar', { link: '../one/layer.tar' }],
        ['c.json', config],
        ['manifest.json', JSON.stringify([{ Config: 'c.json', Layers: ['one/layer.tar', 'two/layer.tar'] }])],
      ],
      { digest: sha256(layer), mediaType: 'application/vnd.oci.image.layer.v1.tar', size: layer.length },
    ],
    [
      'with compressed layers, beside platforms that are not there',
      [
        [blob(zipped), zipped],
        [blob(Buffer.from(config)), config],
        [
          'manifest.json',
          JSON.stringify([
            { Config: 'blobs/sha256/none', Layers: [] },
            { Config: blob(Buffer.from(config)), Layers: [blob(zipped), blob(zipped)] },
          ]),
        ],
      ],
      { digest: sha256(zipped), mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', size: zipped.length },
    ],
  ])('is read %s', async (_, files, seen) => {
    const archive = pack();
    for (const [name, content] of files) {
      if (typeof content === 'string' || Buffer.isBuffer(content)) archive.entry({ name }, content);
      else archive.entry({ name, type: 'symlink', linkname: content.link });
    }
    archive.finalize();
    const image = await unpackSaved(Readable.from(archive, { objectMode: false }), mkdtempSync(join(folder, 'x')));
    expect(image?.layers).toMatchObject([seen, seen]);
    expect(image?.config.digest).toBe(sha256(Buffer.from(config)));
    // Content that is there twice is sent once.
    const names: string[] = [];
    if (image)
      for await (const entry of packSaved(image, ['a:1'], new Set()).pipe(extract())) {
        names.push(entry.header.name);
        await buffer(entry);
      }
    expect(names).toHaveLength(5);
  });

  it('is nothing when it is something else', async () => {
    const archive = pack();
    archive.entry({ name: 'index.html' }, 'x');
    archive.finalize();
    expect(await unpackSaved(Readable.from(archive, { objectMode: false }), mkdtempSync(join(folder, 'x')))).toBeUndefined();
  });
});

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.problem.message} ${result.problem.detail ?? ''}`);
}
