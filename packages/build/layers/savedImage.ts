import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { Blob, BlobStore } from './blobStore';
import type { ImageFile } from './imageFile';

export interface SavedImage {
  readonly file: ImageFile;
  readonly layers: readonly Blob[];
}

/** Reads what `docker save` writes, and keeps its layers in the store. Undefined: it is of another form. */
export async function readSavedImage(content: Readable, store: BlobStore): Promise<SavedImage | undefined> {
  return store.spool(content, async (archive) => {
    const texts = await textsOf(archive);
    const [manifest] = (JSON.parse(texts.get('manifest.json') ?? '[]') ?? []) as readonly {
      readonly Config: string;
      readonly Layers: readonly string[];
    }[];
    const config = texts.get(manifest?.Config ?? '');
    if (!manifest || config === undefined) return undefined;
    const blobs = await keepLayers(archive, new Set(manifest.Layers), store);
    const layers = manifest.Layers.map((name) => blobs.get(name));
    if (!layers.every((layer) => layer !== undefined)) return undefined;
    return { file: JSON.parse(config) as ImageFile, layers };
  });
}

const longestText = 8 * 1024 * 1024;

/** Its JSON files, wherever they stand in it. */
async function textsOf(archive: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const entries = extract();
  createReadStream(archive).pipe(entries);
  for await (const entry of entries) {
    const { name, size, type } = entry.header;
    const first = type === 'file' && size < longestText ? await buffer(entry) : Buffer.alloc(0);
    if (first[0] === 0x7b || first[0] === 0x5b) texts.set(name, first.toString('utf8'));
    entry.resume();
  }
  return texts;
}

/** Layers that are in an image twice are links to one another. */
async function keepLayers(archive: string, wanted: ReadonlySet<string>, store: BlobStore): Promise<ReadonlyMap<string, Blob>> {
  const blobs = new Map<string, Blob>();
  const links = new Map<string, string>();
  const entries = extract();
  createReadStream(archive).pipe(entries);
  for await (const entry of entries) {
    const { name, type, linkname, size } = entry.header;
    if (type === 'symlink') links.set(name, posix.join(posix.dirname(name), linkname));
    else if (type === 'link') links.set(name, linkname);
    else if (type === 'file' && (wanted.has(name) || (size > 0 && name.endsWith('layer.tar')))) blobs.set(name, await kept(entry, store));
    entry.resume();
  }
  for (const [name, target] of links) {
    const blob = blobs.get(target);
    if (blob) blobs.set(name, blob);
  }
  return blobs;
}

/** Engines with containerd's store hand layers out as they got them: compressed. */
async function kept(entry: AsyncIterable<unknown>, store: BlobStore): Promise<Blob> {
  const pieces = entry[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await pieces.next();
  async function* all(): AsyncGenerator<Buffer> {
    for (let piece = first; piece.done !== true; piece = await pieces.next()) yield piece.value;
  }
  const isCompressed = first.done !== true && first.value[0] === 0x1f && first.value[1] === 0x8b;
  const content = Readable.from(all(), { objectMode: false });
  return isCompressed ? store.add(content) : store.pack(content);
}
