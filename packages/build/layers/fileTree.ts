import { posix } from 'node:path';
import type { ContainerPath, ContentDigest, WorkspacePath } from '../../model';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Attributes extends Owner {
  /** Permission bits. */
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtime: number;
}

/** Where the bytes of a file are. */
export type Content =
  | { readonly kind: 'workspace'; readonly path: WorkspacePath; readonly digest: ContentDigest }
  /** In a layer of an image. `bytes`: the few files that are read to know who is who. */
  | { readonly kind: 'layer'; readonly layer: string; readonly name: string; readonly bytes?: Buffer };

export interface FileNode extends Attributes {
  readonly kind: 'file';
  readonly size: number;
  readonly content: Content;
}

export interface LinkNode extends Attributes {
  readonly kind: 'link';
  readonly target: string;
}

export interface DirNode extends Attributes {
  readonly kind: 'dir';
  readonly entries: ReadonlyMap<string, Node>;
}

/** A device or a pipe of a base image. */
export interface OtherNode extends Attributes {
  readonly kind: 'other';
}

export type Node = FileNode | LinkNode | DirNode | OtherNode;

/** One path of a layer. */
export interface LayerEntry {
  readonly path: ContainerPath;
  readonly node: Node;
}

/** As many links on one way are a circle. */
const mostLinks = 255;

/** 2000-01-01: what is made here is as old on every machine. */
export const fixedTime = Date.UTC(2000, 0, 1) / 1000;

export const emptyRoot: DirNode = { kind: 'dir', mode: 0o755, uid: 0, gid: 0, mtime: fixedTime, entries: new Map() };

/** The file system of a stage while it is made. Trees that it began with are never changed: what is written is copied first. */
export class FileTree {
  private root: DirNode;
  private readonly own = new Set<DirNode>();
  private readonly written = new Set<ContainerPath>();

  constructor(root: DirNode = emptyRoot) {
    this.root = root;
  }

  /** As it is now. What is written later does not change it. */
  snapshot(): DirNode {
    this.own.clear();
    return this.root;
  }

  /** Where a path leads when all links on its way are followed, within the root; also for what is not there. Undefined: in a circle. */
  resolved(path: ContainerPath): ContainerPath | undefined {
    let waiting = names(path);
    let at: string[] = [];
    for (let links = 0; ;) {
      const [name, ...rest] = waiting;
      if (name === undefined) return `/${at.join('/')}`;
      waiting = rest;
      if (name === '..') {
        at = at.slice(0, -1);
        continue;
      }
      const node = this.at(`/${[...at, name].join('/')}`);
      if (node?.kind !== 'link') {
        at = [...at, name];
        continue;
      }
      if ((links += 1) > mostLinks) return undefined;
      if (node.target.startsWith('/')) at = [];
      waiting = [...names(node.target), ...rest];
    }
  }

  /** What is at a path, its links not followed. */
  at(path: ContainerPath): Node | undefined {
    let node: Node | undefined = this.root;
    for (const name of names(path)) node = node?.kind === 'dir' ? node.entries.get(name) : undefined;
    return node;
  }

  /** What a path leads to. */
  following(path: ContainerPath): Node | undefined {
    const resolved = this.resolved(path);
    return resolved === undefined ? undefined : this.at(resolved);
  }

  /** Makes a directory and those above it that are missing. False: something else is in the way. */
  makeDirectories(path: ContainerPath, owner: Owner): boolean {
    const resolved = this.resolved(path);
    if (resolved === undefined) return false;
    let at = '';
    for (const name of names(resolved)) {
      at += `/${name}`;
      const node = this.at(at);
      if (node && node.kind !== 'dir') return false;
      if (!node) this.put(at, { kind: 'dir', mode: 0o755, ...owner, mtime: fixedTime, entries: new Map() });
    }
    return true;
  }

  /** Puts something into a directory that is there; links on the way are not followed. */
  put(path: ContainerPath, node: Node): void {
    const way = names(path);
    const last = way.pop();
    if (last === undefined) return;
    let entries = this.writable(undefined, undefined);
    for (const name of way) {
      const child = entries.get(name);
      if (child?.kind !== 'dir') throw new Error(`${path} is put where there is no directory`);
      entries = this.writable(entries, [name, child]);
    }
    entries.set(last, node);
    this.written.add(path);
  }

  /** What was written since the last time, with the directories on the way to it; parents first, by name. */
  takeLayer(): readonly LayerEntry[] {
    const paths = new Set<ContainerPath>();
    for (const path of this.written) for (let at = path; at !== '/'; at = posix.dirname(at)) paths.add(at);
    this.written.clear();
    const sorted = [...paths].map((path) => path.replaceAll('/', '\0')).sort();
    return sorted.flatMap((text) => {
      const path = text.replaceAll('\0', '/');
      const node = this.at(path);
      return node ? [{ path, node }] : [];
    });
  }

  /** The entries of a directory, to be changed: of the root, or of a child of a directory that is writable already. */
  private writable(parent: Map<string, Node> | undefined, child: readonly [string, DirNode] | undefined): Map<string, Node> {
    const dir = child ? child[1] : this.root;
    // This very map was made by the copy below.
    if (this.own.has(dir)) return dir.entries as Map<string, Node>;
    const entries = new Map(dir.entries);
    const copy: DirNode = { ...dir, entries };
    this.own.add(copy);
    if (parent && child) parent.set(child[0], copy);
    else this.root = copy;
    return entries;
  }
}

function names(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
