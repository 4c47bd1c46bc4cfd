import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ContentDigest, WorkspacePath } from '../../model';
import { FileContent, pieceBytes } from '../fileContent';
import type { BlobStore, PackedBlob } from './blobStore';
import type { Content, FileNode, LayerEntry } from './fileTree';
import { padding, tarEnd, tarHeader } from './tarWriter';

export interface PackOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly store: BlobStore;
  /** Files of other layers, read beforehand. */
  readonly bytesOf: (content: Extract<Content, { kind: 'layer' }>) => Buffer | undefined;
}

export interface PackedLayer {
  readonly blob: PackedBlob;
  /** It was not in the store before. */
  readonly isNew: boolean;
  /** Files that did not hold what they should, and the digest of what was packed instead. With one of them the layer is of no use. */
  readonly changed: ReadonlyMap<WorkspacePath, ContentDigest>;
}

const unchanged: ReadonlyMap<WorkspacePath, ContentDigest> = new Map();

/** Makes a layer, or finds it in the store: equal entries make equal bytes, so their description is enough to know them. */
export async function packLayer(entries: readonly LayerEntry[], { root, store, bytesOf }: PackOptions): Promise<PackedLayer> {
  const key = `layer/1 ${keyOf(entries)}`;
  const noted = store.note(key) as PackedBlob | undefined;
  if (noted && store.has(noted.digest)) return { blob: noted, isNew: false, changed: unchanged };
  const changed = new Map<WorkspacePath, ContentDigest>();
  const blob = await store.pack(
    Readable.from(
      tarOf(entries, (node) => {
        if (node.content.kind === 'workspace')
          return fromWorkspace(node, { root, path: node.content.path, digest: node.content.digest, changed });
        const bytes = bytesOf(node.content);
        if (!bytes) throw new Error(`${node.content.name} of ${node.content.layer} was not read`);
        return [bytes];
      }),
      { objectMode: false, highWaterMark: pieceBytes },
    ),
  );
  if (changed.size === 0) store.setNote(key, blob);
  return { blob, isNew: true, changed };
}

function keyOf(entries: readonly LayerEntry[]): string {
  const hash = createHash('sha256');
  for (const { path, node } of entries) {
    const { mode, uid, gid, mtime } = node;
    hash.update(JSON.stringify([path, node.kind, mode, uid, gid, mtime, contentOf(node)]));
  }
  return hash.digest('hex');
}

function contentOf(node: LayerEntry['node']): unknown {
  if (node.kind === 'link') return node.target;
  if (node.kind !== 'file') return undefined;
  return node.content.kind === 'workspace' ? node.content.digest : [node.content.layer, node.content.name];
}

/** Small pieces are put together: many files are small. */
function* tarOf(entries: readonly LayerEntry[], read: (node: FileNode) => Iterable<Buffer>): Generator<Buffer> {
  let pieces: Buffer[] = [];
  let size = 0;
  for (const piece of piecesOf(entries, read)) {
    pieces.push(piece);
    size += piece.length;
    if (size < pieceBytes / 4) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    size = 0;
  }
  yield Buffer.concat(pieces);
}

function* piecesOf(entries: readonly LayerEntry[], read: (node: FileNode) => Iterable<Buffer>): Generator<Buffer> {
  for (const entry of entries) {
    if (entry.node.kind === 'other') continue;
    yield tarHeader(entry);
    if (entry.node.kind !== 'file') continue;
    yield* read(entry.node);
    yield padding(entry.node.size);
  }
  yield tarEnd;
}

interface Sent {
  readonly root: string;
  readonly path: WorkspacePath;
  readonly digest: ContentDigest;
  readonly changed: Map<WorkspacePath, ContentDigest>;
}

/** Exactly as many bytes as were seen, whatever the file has become, and a note when they are others. */
function* fromWorkspace({ size }: FileNode, { root, path, digest, changed }: Sent): Generator<Buffer> {
  const content = new FileContent(join(root, path), size);
  const hashing = createHash('sha256');
  try {
    while (content.left > 0) {
      const piece = content.next();
      hashing.update(piece);
      yield piece;
    }
  } finally {
    content.close();
  }
  const sent = hashing.digest('hex');
  if (sent !== digest) changed.set(path, sent);
}
