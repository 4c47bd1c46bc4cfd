import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';

/** Content that is named by its digest, in a file. */
interface SavedBlob {
  readonly digest: string;
  readonly size: number;
  readonly file: string;
  readonly mediaType: string;
}

export interface SavedImage {
  readonly config: SavedBlob;
  readonly layers: readonly SavedBlob[];
}

interface SavedManifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/**
 * Takes apart what `docker save` writes, into files of a folder. Engines before 25, and podman, name layers as they like; later ones by
 * their digests, and those that keep images in containerd hand out compressed ones. Undefined: it is of no form that is known.
 */
export async function unpackSaved(archive: Readable, folder: string): Promise<SavedImage | undefined> {
  const files = await filesOf(archive, folder);
  const contentOf = async (name: string): Promise<unknown> => {
    const file = files.get(name);
    return file === undefined ? undefined : JSON.parse(await readFile(file, 'utf8'));
  };
  const manifests = (await contentOf('manifest.json')) as readonly SavedManifest[] | undefined;
  // One of several platforms is there in whole.
  const manifest = manifests?.find(({ Config, Layers }) => [Config, ...Layers].every((name) => files.has(name)));
  if (!manifest) return undefined;
  const config = files.get(manifest.Config) ?? '';
  const { rootfs } = (await contentOf(manifest.Config)) as { readonly rootfs: { readonly diff_ids: readonly string[] } };
  if (rootfs.diff_ids.length !== manifest.Layers.length) return undefined;
  const layers = manifest.Layers.map(async (name, index): Promise<SavedBlob> => {
    const file = files.get(name) ?? '';
    const digest = digestNamed(name) ?? rootfs.diff_ids[index] ?? '';
    return { digest, file, size: (await stat(file)).size, mediaType: await layerTypeOf(file) };
  });
  return {
    config: {
      digest: sha256(await readFile(config)),
      file: config,
      size: (await stat(config)).size,
      mediaType: 'application/vnd.oci.image.config.v1+json',
    },
    layers: await Promise.all(layers),
  };
}

/** The image as an archive of the Open Container Initiative's image layout, under these names, without the blobs that whoever gets it has. */
export function packSaved({ config, layers }: SavedImage, names: readonly string[], without: ReadonlySet<string>): Readable {
  const described = ({ mediaType, digest, size }: SavedBlob) => ({ mediaType, digest, size });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: described(config), layers: layers.map(described) }));
  const index = names.map((name) => ({
    mediaType,
    digest: sha256(manifest),
    size: manifest.length,
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name.replace(/^.*:/, '') },
  }));
  const archive = pack();
  const add = (name: string, content: Buffer | string): void => void archive.entry({ name }, content);
  const fill = async (): Promise<void> => {
    add('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
    const blobs = new Map([config, ...layers].map((blob) => [blob.digest, blob]));
    for (const { digest, size, file } of blobs.values()) {
      if (without.has(digest)) continue;
      await pipeline(createReadStream(file), archive.entry({ name: blobPath(digest), size }));
    }
    add(blobPath(sha256(manifest)), manifest);
    add('index.json', JSON.stringify({ schemaVersion: 2, manifests: index }));
    archive.finalize();
  };
  fill().catch((error: unknown) => archive.destroy(error instanceof Error ? error : new Error(String(error))));
  const stream = Readable.from(archive, { objectMode: false });
  stream.once('close', () => archive.destroy());
  return stream;
}

/** Where the content of each name is; links among them lead to the content of others. */
async function filesOf(archive: Readable, folder: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  const links = new Map<string, string>();
  const entries = extract();
  archive.once('error', (error) => entries.destroy(error));
  for await (const entry of archive.pipe(entries)) {
    const { name, type, linkname } = entry.header;
    if (type === 'file') {
      const file = join(folder, String(files.size));
      files.set(name, file);
      await pipeline(entry, createWriteStream(file));
    } else if (typeof linkname === 'string') {
      links.set(name, type === 'symlink' ? posix.join(posix.dirname(name), linkname) : linkname);
    }
    entry.resume();
  }
  for (const [name, target] of links) {
    const file = files.get(target);
    if (file !== undefined) files.set(name, file);
  }
  return files;
}

function digestNamed(name: string): string | undefined {
  const hex = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name)?.[1];
  return hex === undefined ? undefined : `sha256:${hex}`;
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** By how the file begins: https://github.com/opencontainers/image-spec/blob/main/layer.md. */
async function layerTypeOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const form = compressions.find(({ magic }) => buffer.subarray(0, magic.length).equals(magic))?.form ?? '';
    return `application/vnd.oci.image.layer.v1.tar${form}`;
  } finally {
    await file.close();
  }
}

const compressions = [
  { magic: Buffer.of(0x1f, 0x8b), form: '+gzip' },
  { magic: Buffer.of(0x28, 0xb5, 0x2f, 0xfd), form: '+zstd' },
] as const;

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
