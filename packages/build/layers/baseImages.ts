import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { parseImageRef, type Engine, type Registry } from '../../clients';
import { failed, succeeded, type Problem, type Result } from '../../model';
import { damagedBlob, platformNotFound, registryImage } from '../registryImage';
import type { BlobStore } from './blobStore';
import type { DirNode } from './fileTree';
import { dockerTypes, ociTypes, type ImageFile, type LayerRef, type MediaTypes } from './imageFile';
import { indexLayer, treeOfLayers, type IndexedEntry } from './readLayer';
import { readSavedImage } from './savedImage';

/** An image that others stand on, with all its files. */
export interface BaseImage {
  readonly file: ImageFile;
  readonly layers: readonly LayerRef[];
  readonly types: MediaTypes;
  readonly root: DirNode;
  /** Where its layers can be had from; undefined: they are in the store. */
  readonly repository: string | undefined;
}

export interface BaseImages {
  /** By reference; the same image for as long as this lives. Failures: `baseImageNotFound`, `baseImageUnreadable`. */
  get(ref: string, wanted: WantedBase): Promise<Result<BaseImage>>;
}

export interface WantedBase {
  /** `linux/amd64`. */
  readonly platform: string;
  /** Where an image that stands on it goes: a registry that has the layers already need not be sent them. */
  readonly target: string;
  readonly signal: AbortSignal;
}

interface Tools {
  readonly registry: Registry;
  readonly engine: Engine;
  readonly store: BlobStore;
}

/** From its registry; and from the engine where that has none, or cannot be reached. */
export function baseImages(tools: Tools): BaseImages {
  const known = new Map<string, Promise<Result<BaseImage>>>();
  return {
    async get(ref, wanted) {
      const key = `${wanted.platform} ${ref}`;
      const found = known.get(key) ?? find(ref, { ...tools, ...wanted });
      known.set(key, found);
      let isThere = false;
      try {
        const image = await found;
        isThere = image.ok;
        return image;
      } finally {
        // A disk that was full too: the next one looks again.
        if (!isThere && known.get(key) === found) known.delete(key);
      }
    },
  };
}

type Search = Tools & WantedBase;

async function find(ref: string, search: Search): Promise<Result<BaseImage>> {
  const pulled = await fromRegistry(ref, search);
  if (pulled.ok && pulled.value) return succeeded(pulled.value);
  const saved = await fromEngine(ref, search);
  if (saved.ok && saved.value) return succeeded(saved.value);
  if (!pulled.ok && pulled.problem.code === platformNotFound) return pulled;
  // It has the image, and would give it.
  if (!saved.ok && saved.problem.code === 'diskFull') return saved;
  return failed(notFound(ref, { pulled, saved }));
}

function notFound(ref: string, { pulled, saved }: { readonly pulled: Result<unknown>; readonly saved: Result<unknown> }): Problem {
  const { registry } = parseImageRef(ref);
  const detail = [pulled, saved].flatMap((answer) => (answer.ok ? [] : [answer.problem.message])).join('\n');
  const silent = !pulled.ok && pulled.problem.code === 'registryUnreachable';
  return {
    code: 'baseImageNotFound',
    message: pulled.ok
      ? `there is no base image ${ref} in ${registry}${saved.ok ? ', nor in the Docker engine' : ''}`
      : `the base image ${ref} cannot be fetched: ${silent ? 'its registry does not answer' : `${registry} wants a login, or has no such image`}`,
    hint: silent
      ? 'check the network, or have a Docker engine that has the image'
      : `correct the FROM line, or log in with: docker login ${registry}`,
    retry: pulled.ok && saved.ok ? 'whenInputChanges' : 'afterDelay',
    exitCode: 1,
    ...(detail !== '' && { detail }),
  };
}

async function fromRegistry(ref: string, search: Search): Promise<Result<BaseImage | undefined>> {
  const stored = await registryImage(ref, search);
  if (!stored.ok || !stored.value) return stored.ok ? succeeded(undefined) : stored;
  const { file, layers, mediaType, repository } = stored.value;
  const indexes: IndexedLayerOf[] = [];
  for (const layer of layers) {
    const index = await indexOf(layer, repository, search);
    if (!index.ok) return index;
    indexes.push({ id: layer.digest, index: index.value });
  }
  return succeeded({
    file,
    layers,
    types: mediaType === ociTypes.manifest ? ociTypes : dockerTypes,
    root: treeOfLayers(indexes),
    repository,
  });
}

interface IndexedLayerOf {
  readonly id: string;
  readonly index: readonly IndexedEntry[];
}

/** What a layer holds; fetched once, and then remembered. */
async function indexOf(layer: LayerRef, repository: string, search: Search): Promise<Result<readonly IndexedEntry[]>> {
  const { store } = search;
  const key = `index/1 ${layer.digest}`;
  const noted = store.note(key) as readonly IndexedEntry[] | undefined;
  if (noted) return succeeded(noted);
  if (/zstd/.test(layer.mediaType)) return failed(unreadable(repository, 'its layers are compressed with zstd'));
  const isCompressed = /gzip/.test(layer.mediaType);
  if (parseImageRef(search.target).registry === parseImageRef(repository).registry && !store.has(layer.digest)) {
    const streamed = await indexStreamed(layer.digest, repository, isCompressed, search);
    if (streamed.ok) store.setNote(key, streamed.value);
    return streamed;
  }
  const kept = await keepLayer(layer, repository, search);
  if (!kept.ok) return kept;
  const index = await indexLayer(store.open(layer.digest), isCompressed);
  store.setNote(key, index);
  return succeeded(index);
}

/** Reads a layer without keeping it. */
async function indexStreamed(
  digest: string,
  repository: string,
  isCompressed: boolean,
  { registry, signal }: Search,
): Promise<Result<readonly IndexedEntry[]>> {
  const answer = await registry.readBlob({ repository, digest }, signal);
  if (!answer.ok) return answer;
  const hash = createHash('sha256');
  answer.value?.on('data', (chunk: Buffer) => hash.update(chunk));
  try {
    const index = answer.value && (await indexLayer(answer.value, isCompressed));
    return index && `sha256:${hash.digest('hex')}` === digest ? succeeded(index) : failed(damagedBlob(repository, digest));
  } catch {
    return failed(damagedBlob(repository, digest));
  }
}

/** Has a layer of a repository in the store. */
export async function keepLayer(
  { digest }: Pick<LayerRef, 'digest'>,
  repository: string,
  { registry, store, signal }: Pick<Search, 'registry' | 'store' | 'signal'>,
): Promise<Result<void>> {
  if (store.has(digest)) return succeeded(undefined);
  const answer = await registry.readBlob({ repository, digest }, signal);
  if (!answer.ok) return answer;
  const kept = answer.value && (await complete(answer.value, store));
  return kept === digest ? succeeded(undefined) : failed(damagedBlob(repository, digest));
}

/** The digest of what came; undefined when it was cut off. */
async function complete(content: Readable, store: BlobStore): Promise<string | undefined> {
  try {
    return (await store.add(content)).digest;
  } catch (error) {
    if (content.errored === null && !content.destroyed) throw error;
    return undefined;
  }
}

function unreadable(repository: string, reason: string): Problem {
  return {
    code: 'baseImageUnreadable',
    message: `${repository} cannot be stood on without an engine: ${reason}`,
    hint: 'set image.builder to docker in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

interface SavedNote {
  readonly file: ImageFile;
  readonly layers: readonly LayerRef[];
}

async function fromEngine(ref: string, { engine, store, signal }: Search): Promise<Result<BaseImage | undefined>> {
  const id = await engine.imageId(ref);
  if (!id.ok || id.value === undefined) return id.ok ? succeeded(undefined) : id;
  const key = `saved/1 ${id.value}`;
  let image = store.note(key) as SavedNote | undefined;
  if (!image?.layers.every(({ digest }) => store.has(digest))) {
    const saved = await engine.save(ref, signal);
    if (!saved.ok || !saved.value) return saved.ok ? succeeded(undefined) : saved;
    const read = await readSavedImage(saved.value, store);
    if (!read) return failed(unreadable(ref, 'the engine hands it out in a form that is not known'));
    image = { file: read.file, layers: read.layers.map(({ digest, size }) => ({ mediaType: dockerTypes.layer, digest, size })) };
    store.setNote(key, image);
  }
  const indexes: IndexedLayerOf[] = [];
  for (const { digest } of image.layers) {
    const noteKey = `index/1 ${digest}`;
    let index = store.note(noteKey) as readonly IndexedEntry[] | undefined;
    if (!index) store.setNote(noteKey, (index = await indexLayer(store.open(digest), true)));
    indexes.push({ id: digest, index });
  }
  return succeeded({ ...image, types: dockerTypes, root: treeOfLayers(indexes), repository: undefined });
}
