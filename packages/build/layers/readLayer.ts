import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { emptyRoot, FileTree, type DirNode, type Node } from './fileTree';

/** An entry of a layer, short because there are many: name, kind, mode, uid, gid, mtime, size, what a link leads to or the bytes of a file that is read. */
export type IndexedEntry = readonly [
  name: string,
  kind: 'file' | 'link' | 'hard' | 'dir' | 'other',
  mode: number,
  uid: number,
  gid: number,
  mtime: number,
  size: number,
  text?: string,
];

/** Files that tell who is who. */
const readFiles: ReadonlySet<string> = new Set(['etc/passwd', 'etc/group']);
const longestRead = 1024 * 1024;

/** Lists a layer's tar, compressed or not. Rejects when it is neither. */
export async function indexLayer(layer: Readable, isCompressed: boolean): Promise<readonly IndexedEntry[]> {
  const index: IndexedEntry[] = [];
  await eachEntry(layer, isCompressed, async (header, content) => {
    const name = nameOf(header);
    const isRead = readFiles.has(name) && header.size < longestRead;
    const text = isRead
      ? (await bytesOf(content)).toString('base64')
      : header.type === 'link' || header.type === 'symlink'
        ? header.linkname
        : undefined;
    if (!isRead) await drained(content);
    if (name === '') return;
    const { mode, uid, gid, mtime, size } = header;
    const entry = [name, kindOf(header.type), mode & 0o7777, uid, gid, Math.floor(mtime.getTime() / 1000), size] as const;
    index.push(text === undefined ? entry : [...entry, text]);
  });
  return index;
}

/** The bytes of some files of a layer. */
export async function readFilesOf(
  layer: Readable,
  isCompressed: boolean,
  wanted: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  await eachEntry(layer, isCompressed, async (header, content) => {
    if (wanted.has(nameOf(header))) found.set(nameOf(header), await bytesOf(content));
    else await drained(content);
  });
  return found;
}

async function eachEntry(
  layer: Readable,
  isCompressed: boolean,
  take: (header: Header, content: AsyncIterable<unknown>) => Promise<void>,
): Promise<void> {
  const entries = extract();
  entries.on('entry', (header, content, next) => {
    take(header, content).then(
      () => next(),
      (error: unknown) => next(error instanceof Error ? error : new Error(String(error))),
    );
  });
  await (isCompressed ? pipeline(layer, createGunzip(), entries) : pipeline(layer, entries));
}

function nameOf({ name }: Header): string {
  return name
    .replace(/^(\.?\/)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '');
}

function kindOf(type: Header['type']): IndexedEntry[1] {
  switch (type) {
    case 'directory':
      return 'dir';
    case 'symlink':
      return 'link';
    case 'link':
      return 'hard';
    case 'file':
    case 'contiguous-file':
      return 'file';
    case 'block-device':
    case 'character-device':
    case 'fifo':
      return 'other';
  }
}

async function bytesOf(content: AsyncIterable<unknown>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

async function drained(content: AsyncIterable<unknown>): Promise<void> {
  const pieces = content[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}

export interface IndexedLayer {
  /** What its files' content refers to it by. */
  readonly id: string;
  readonly index: readonly IndexedEntry[];
}

/** Layers over one another: what is in the later hides what was there, `.wh.` names take away. */
export function treeOfLayers(layers: readonly IndexedLayer[]): DirNode {
  const tree = new Merging();
  for (const layer of layers) tree.add(layer);
  return new FileTree(tree.result()).snapshot();
}

interface MutableDir {
  attributes: Omit<DirNode, 'entries'>;
  readonly entries: Map<string, MutableDir | Exclude<Node, DirNode>>;
}

class Merging {
  private readonly root: MutableDir = { attributes: emptyRoot, entries: new Map() };

  add({ id, index }: IndexedLayer): void {
    // What a layer takes away, it takes from those below it, wherever in it that is said.
    for (const [name] of index) this.whiteOut(name);
    for (const [name, kind, mode, uid, gid, mtime, size, text] of index) {
      const base = name.slice(name.lastIndexOf('/') + 1);
      if (base.startsWith('.wh.')) continue;
      const attributes = { mode, uid, gid, mtime };
      const parent = this.directory(name.slice(0, Math.max(0, name.lastIndexOf('/'))));
      const before = parent.entries.get(base);
      if (kind === 'dir') {
        const entries = before && 'attributes' in before ? before.entries : new Map<string, never>();
        parent.entries.set(base, { attributes: { kind, ...attributes }, entries });
      } else if (kind === 'link') parent.entries.set(base, { kind, ...attributes, target: text ?? '' });
      else if (kind === 'other') parent.entries.set(base, { kind, ...attributes });
      else if (kind === 'hard') {
        const same = this.find((text ?? '').replace(/^(\.?\/)+/, ''));
        if (same && !('attributes' in same)) parent.entries.set(base, same);
      } else {
        const bytes = text === undefined ? {} : { bytes: Buffer.from(text, 'base64') };
        parent.entries.set(base, { kind, ...attributes, size, content: { kind: 'layer', layer: id, name, ...bytes } });
      }
    }
  }

  result(): DirNode {
    return frozen(this.root);
  }

  private whiteOut(name: string): void {
    const slash = name.lastIndexOf('/');
    const base = name.slice(slash + 1);
    if (!base.startsWith('.wh.')) return;
    const parent = this.find(name.slice(0, Math.max(0, slash)));
    if (!parent || !('attributes' in parent)) return;
    if (base === '.wh..wh..opq') parent.entries.clear();
    else parent.entries.delete(base.slice('.wh.'.length));
  }

  private find(path: string): MutableDir | Exclude<Node, DirNode> | undefined {
    let at: MutableDir | Exclude<Node, DirNode> | undefined = this.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      at = at && 'attributes' in at ? at.entries.get(name) : undefined;
    }
    return at;
  }

  private directory(path: string): MutableDir {
    let at = this.root;
    for (const name of path.split('/')) {
      if (name === '') continue;
      let child = at.entries.get(name);
      if (!child || !('attributes' in child)) {
        child = { attributes: { ...emptyRoot }, entries: new Map() };
        at.entries.set(name, child);
      }
      at = child;
    }
    return at;
  }
}

function frozen({ attributes, entries }: MutableDir): DirNode {
  const children = [...entries].map(([name, entry]) => [name, 'attributes' in entry ? frozen(entry) : entry] as const);
  return { ...attributes, entries: new Map<string, Node>(children) };
}
