import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../clients';
import { failed, messageOf, succeeded, type Problem, type Result } from '../model';
import type { ClusterNode } from './clusterNode';
import type { Delivery, DeliverRequest } from './delivery';
import { imageInEngine, underTag } from './engineImage';
import { packSaved, unpackSaved, type SavedImage } from './savedImage';

export interface NodeLoadOptions {
  readonly because: string;
  readonly nodes: readonly ClusterNode[];
  readonly nameOf: Delivery['nameOf'];
  readonly engine: Engine;
}

type Request = Pick<DeliverRequest, 'signal' | 'onLine'>;

/** Copies images from the engine into the nodes of a cluster: into each what it lacks, layer by layer. */
export function loadIntoNodes({ because, nodes, nameOf, engine }: NodeLoadOptions): Delivery {
  const lacking = async (ref: string, signal?: AbortSignal): Promise<Result<readonly ClusterNode[]>> => {
    const name = fullName(ref);
    const asked = await Promise.all(nodes.map(async (node) => ({ node, images: await node.images(signal) })));
    const without: ClusterNode[] = [];
    for (const { node, images } of asked) {
      if (!images.ok) return images;
      if (!images.value.has(name)) without.push(node);
    }
    return succeeded(without);
  };
  const lookUp: Delivery['lookUp'] = async (ref, signal) => {
    const image = await imageInEngine(engine, ref);
    if (!image.ok || !image.value) return image;
    const without = await lacking(ref, signal);
    if (!without.ok) return without;
    return without.value.length > 0 ? succeeded(undefined) : image;
  };
  const load = async (ref: string, request: Request): Promise<Result<void>> => {
    const without = await lacking(ref, request.signal);
    if (!without.ok) return without;
    if (without.value.length === 0) return succeeded(undefined);
    return withSaved(engine, ref, request.signal, (image) =>
      firstProblem(without.value.map((node) => copy({ image, ref, node }, request))),
    );
  };
  const retag: Delivery['retag'] = (image, tag) =>
    underTag(image, tag, (named) =>
      firstProblem([engine.tag(image.ref, named), ...nodes.map((node) => node.tag(fullName(image.ref), fullName(named)))]),
    );
  return {
    because,
    repo: undefined,
    nameOf,
    lookUp,
    async deliver({ image: { ref, id }, tag, ...request }) {
      const loaded = await load(ref, request);
      if (!loaded.ok) return loaded;
      const delivered = { ref, digest: id };
      return tag === undefined ? succeeded(delivered) : retag(delivered, tag, request);
    },
    retag,
  };
}

interface Copy {
  readonly image: SavedImage;
  readonly ref: string;
  readonly node: ClusterNode;
}

async function copy({ image, ref, node }: Copy, { signal, onLine }: Request): Promise<Result<void>> {
  const there = await node.blobs(signal);
  if (!there.ok) return there;
  const send = (without: ReadonlySet<string>): Promise<Result<void>> => {
    const layers = image.layers.filter(({ digest }) => !without.has(digest));
    const bytes = layers.reduce((sum, { size }) => sum + size, 0);
    onLine(`${node.name}: copying ${layers.length} of ${image.layers.length} layers, ${(bytes / 1e6).toFixed(1)} MB`);
    return node.importImage(packSaved(image, [fullName(ref)], without), signal);
  };
  const sent = await send(there.value);
  if (sent.ok || sent.problem.code !== 'imageNotLoaded' || !image.layers.some(({ digest }) => there.value.has(digest))) return sent;
  // What the node had a moment ago may have gone with the last image that had it.
  return send(new Set());
}

/** What the engine has of an image, in files for as long as they are needed. */
async function withSaved(
  engine: Engine,
  ref: string,
  signal: AbortSignal,
  use: (image: SavedImage) => Promise<Result<void>>,
): Promise<Result<void>> {
  const archive = await engine.save(ref, signal);
  if (!archive.ok) return archive;
  if (!archive.value) return failed(notSaved(ref, 'the engine no longer has it', 'build it again'));
  const folder = await mkdtemp(join(tmpdir(), 'slipway-image-'));
  try {
    const image = await unpackSaved(archive.value, folder);
    if (image) return await use(image);
    return failed(notSaved(ref, 'the engine hands it out in a form that is not known', 'set defaultRepo to a registry'));
  } catch (error) {
    return failed(notSaved(ref, messageOf(error), `look whether the engine runs, and whether ${tmpdir()} has room for the image`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function notSaved(ref: string, reason: string, hint: string): Problem {
  return { code: 'imageNotLoaded', message: `${ref} is not copied into the cluster: ${reason}`, hint, retry: 'afterDelay', exitCode: 1 };
}

async function firstProblem(work: readonly Promise<Result<void>>[]): Promise<Result<void>> {
  const done = await Promise.all(work);
  return done.find(({ ok }) => !ok) ?? succeeded(undefined);
}

/** As nodes name images: Docker Hub is spelled out. */
export function fullName(ref: string): string {
  const [first = '', ...rest] = ref.split('/');
  if (rest.length === 0) return `docker.io/library/${ref}`;
  return /[.:]/.test(first) || first === 'localhost' ? ref : `docker.io/${ref}`;
}
