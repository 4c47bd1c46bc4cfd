import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { parseImageRef, type Registry } from '../../clients';
import { failed, succeeded, type Problem, type Result } from '../../model';
import { tagOfRef } from '../../tag';
import { keepLayer } from './baseImages';
import type { BlobStore } from './blobStore';
import { dockerTypes, ociTypes, type ImageFile, type ImageIndex, type ImageManifest, type LayerRef, type MediaTypes } from './imageFile';

export interface NewImage {
  readonly file: ImageFile;
  readonly types: MediaTypes;
  readonly layers: readonly NewLayer[];
}

export interface NewLayer extends LayerRef {
  /** Which repository has it, when it is not in the store. */
  readonly repository: string | undefined;
  /** It was made just now, so nobody has it yet. */
  readonly isNew?: boolean;
}

export interface Publisher {
  /** Puts an image under a reference, or under its digest alone where that has no tag; gives the digest. Only what the repository does not have is sent. */
  publish(image: NewImage, ref: string, signal: AbortSignal): Promise<Result<{ readonly digest: string }>>;
  /** The same for images under one reference, of which a runtime takes the one for its platform. */
  publishAll(images: readonly NewImage[], ref: string, signal: AbortSignal): Promise<Result<{ readonly digest: string }>>;
}

interface Tools {
  readonly registry: Registry;
  readonly store: BlobStore;
}

/** Remembers which repository has which blob for as long as it lives, so that nothing is asked twice. */
export function publisher({ registry, store }: Tools): Publisher {
  /** Repositories by digest. */
  const holders = new Map<string, Set<string>>();
  const remember = (digest: string, repository: string): void => {
    const known = holders.get(digest);
    if (known) known.add(repository);
    else holders.set(digest, new Set([repository]));
  };

  const haveLayer = async (layer: NewImage['layers'][number], repository: string, signal: AbortSignal): Promise<Result<void>> => {
    const { digest, size } = layer;
    if (holders.get(digest)?.has(repository)) return succeeded(undefined);
    const there = layer.isNew === true ? succeeded(false) : await registry.hasBlob({ repository, digest }, signal);
    if (!there.ok) return there;
    if (!there.value) {
      const sent = await bring(layer, repository, signal);
      if (!sent.ok) return sent;
    }
    remember(digest, repository);
    return succeeded(undefined);

    async function bring({ repository: home }: typeof layer, to: string, until: AbortSignal): Promise<Result<void>> {
      const host = parseImageRef(to).registry;
      const others = [...(home === undefined ? [] : [home]), ...(holders.get(digest) ?? [])];
      const from = others.find((other) => parseImageRef(other).registry === host && other !== to);
      if (from !== undefined) {
        const mounted = await registry.mountBlob({ repository: to, digest, from }, until);
        // Who may not read there may still send the bytes.
        if (mounted.ok && mounted.value) return succeeded(undefined);
      }
      if (home !== undefined) {
        const kept = await keepLayer(layer, home, { registry, store, signal: until });
        if (!kept.ok) return kept;
      }
      return registry.writeBlob({ repository: to, digest, size, open: () => store.open(digest) }, until);
    }
  };

  const haveConfig = async (content: Buffer, digest: string, repository: string, signal: AbortSignal): Promise<Result<void>> => {
    if (holders.get(digest)?.has(repository)) return succeeded(undefined);
    const open = () => Readable.from([content], { objectMode: false });
    const sent = await registry.writeBlob({ repository, digest, size: content.length, open }, signal);
    if (sent.ok) remember(digest, repository);
    return sent;
  };

  const attempt = async (image: NewImage, { repository, ref }: Target, signal: AbortSignal): Promise<Result<Put>> => {
    const config = Buffer.from(JSON.stringify(image.file));
    const configDigest = digestOf(config);
    const blobs = await Promise.all([
      haveConfig(config, configDigest, repository, signal),
      ...distinct(image.layers).map((layer) => haveLayer(layer, repository, signal)),
    ]);
    const refused = blobs.find((blob) => !blob.ok);
    if (refused) return refused;
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: image.types.manifest,
      config: { mediaType: image.types.config, digest: configDigest, size: config.length },
      layers: image.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    };
    const content = Buffer.from(JSON.stringify(manifest));
    const digest = digestOf(content);
    const put = await registry.putManifest(ref ?? `${repository}@${digest}`, { mediaType: image.types.manifest, content }, signal);
    if (put.ok) return succeeded({ digest, size: content.length });
    // Somebody tidied the registry up: what it had, it has no more.
    if (put.problem.code === 'registryBlobMissing') for (const repositories of holders.values()) repositories.delete(repository);
    return put;
  };

  const put = async (image: NewImage, target: Target, signal: AbortSignal): Promise<Result<Put>> => {
    const first = await attempt(image, target, signal);
    return !first.ok && first.problem.code === 'registryBlobMissing' ? attempt(image, target, signal) : first;
  };

  const putAll = async (images: readonly NewImage[], ref: string, signal: AbortSignal): Promise<Result<{ readonly digest: string }>> => {
    const manifests: ImageIndex['manifests'][number][] = [];
    for (const image of images) {
      const { os, architecture, variant } = image.file;
      const one = await put(image, { repository: repositoryOf(ref), ref: undefined }, signal);
      if (!one.ok) return one;
      const platform = { os, architecture, ...(variant !== undefined && { variant }) };
      manifests.push({ mediaType: image.types.manifest, ...one.value, platform });
    }
    // One of OCI may name manifests of both kinds.
    const mediaType = (images.every(({ types }) => types === dockerTypes) ? dockerTypes : ociTypes).index;
    const index: ImageIndex = { schemaVersion: 2, mediaType, manifests };
    const content = Buffer.from(JSON.stringify(index));
    const digest = digestOf(content);
    const written = await registry.putManifest(taggedRef(ref) ?? `${repositoryOf(ref)}@${digest}`, { mediaType, content }, signal);
    return written.ok ? succeeded({ digest }) : written;
  };

  return {
    async publish(image, ref, signal) {
      const published = await put(image, { repository: repositoryOf(ref), ref: taggedRef(ref) }, signal);
      return published.ok ? published : failed(notPushed(ref, published.problem));
    },
    async publishAll(images, ref, signal) {
      const published = await putAll(images, ref, signal);
      return published.ok ? published : failed(notPushed(ref, published.problem));
    },
  };
}

interface Target {
  readonly repository: string;
  /** Undefined: it gets no name, and is known by its digest. */
  readonly ref: string | undefined;
}

interface Put {
  readonly digest: string;
  readonly size: number;
}

function repositoryOf(ref: string): string {
  const { registry, repository } = parseImageRef(ref);
  return `${registry}/${repository}`;
}

function taggedRef(ref: string): string | undefined {
  return tagOfRef(ref) === undefined ? undefined : ref;
}

function notPushed(ref: string, problem: Problem): Problem {
  return { ...problem, message: `${ref} was not pushed: ${problem.message}` };
}

function distinct<T extends LayerRef>(layers: readonly T[]): readonly T[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

function digestOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
