import { createHash } from 'node:crypto';

/** A path inside the workspace: POSIX separators, relative to its root, no leading `./`; the root itself is `''`. */
export type WorkspacePath = string;
/** An absolute POSIX path inside a container. */
export type ContainerPath = string;
/** Lower-case hex SHA-256 of a file's content. */
export type ContentDigest = string;

export interface FileEntry {
  readonly kind: 'file';
  readonly digest: ContentDigest;
  /** Bytes. */
  readonly size: number;
  /** Permission bits with those of other writers taken away (`mode & 0o755`), so that an umask does not change a digest. */
  readonly mode: number;
  readonly hash: string;
}

export interface LinkEntry {
  readonly kind: 'link';
  /** The link's text, never followed. */
  readonly target: string;
  readonly hash: string;
}

/** A directory. Two directories with equal hashes hold the same files, so a comparison skips them. */
export interface DirEntry {
  readonly kind: 'dir';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly hash: string;
}

export type Entry = FileEntry | LinkEntry | DirEntry;

/** One difference between two trees; paths are relative to the trees' roots, without a leading slash. */
export interface TreeChange {
  readonly path: string;
  readonly before: Entry | undefined;
  readonly after: Entry | undefined;
}

export function contentDigest(content: Uint8Array | string): ContentDigest {
  return createHash('sha256').update(content).digest('hex');
}

export function fileEntry(file: { readonly digest: ContentDigest; readonly size: number; readonly mode: number }): FileEntry {
  const mode = file.mode & 0o755;
  return { kind: 'file', digest: file.digest, size: file.size, mode, hash: `f${mode.toString(8)}:${file.digest}` };
}

export function linkEntry(target: string): LinkEntry {
  return { kind: 'link', target, hash: `l:${target}` };
}

export function dirEntry(entries: ReadonlyMap<string, Entry>): DirEntry {
  const names = [...entries.keys()].sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${name}\0${entries.get(name)?.hash ?? ''}\0`);
  return { kind: 'dir', entries, hash: `d:${hash.digest('hex')}` };
}

export const emptyDir: DirEntry = dirEntry(new Map());

/** The folder that a path is in; that of the workspace's own files is `''`. */
export function folderOf(path: WorkspacePath): WorkspacePath {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The names along a path; `''` and `/` have none. */
export function segments(path: string): readonly string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

/** What a tree holds at a path, or undefined when it holds nothing there. */
export function entryAt(tree: Entry | undefined, path: string): Entry | undefined {
  return entryAlong(tree, segments(path));
}

/** As `entryAt`, for a path that is asked for at every turn and split once. */
export function entryAlong(tree: Entry | undefined, names: readonly string[]): Entry | undefined {
  let at = tree;
  for (const name of names) {
    if (at?.kind !== 'dir') return undefined;
    at = at.entries.get(name);
  }
  return at;
}

interface Edit {
  entry?: { readonly value: Entry | undefined };
  readonly children: Map<string, Edit>;
}

function editsOf(changes: Iterable<readonly [string, Entry | undefined]>): Edit {
  const root: Edit = { children: new Map() };
  for (const [path, value] of changes) {
    let at = root;
    for (const name of segments(path)) {
      let child = at.children.get(name);
      if (!child) at.children.set(name, (child = { children: new Map() }));
      at = child;
    }
    at.entry = { value };
    // A later change of a whole directory replaces what was said of paths inside it before.
    at.children.clear();
  }
  return root;
}

function edited(before: Entry | undefined, edit: Edit): Entry | undefined {
  const base = edit.entry ? edit.entry.value : before;
  if (edit.children.size === 0) return base;
  const entries = new Map(base?.kind === 'dir' ? base.entries : undefined);
  let changed = base?.kind !== 'dir';
  for (const [name, child] of edit.children) {
    const old = entries.get(name);
    const next = edited(old, child);
    if (next === old || next?.hash === old?.hash) continue;
    changed = true;
    if (next) entries.set(name, next);
    else entries.delete(name);
  }
  if (!changed) return base;
  // Removing something from where there was no directory must not make one.
  if (base?.kind !== 'dir' && entries.size === 0) return base;
  return dirEntry(entries);
}

/**
 * A tree with some paths set (an entry) or removed (undefined). Directories on the way are made; what did not change is
 * shared with the old tree. A directory whose last entry is removed stays, as it does on a disk.
 */
export function withEntries(tree: DirEntry, changes: Iterable<readonly [string, Entry | undefined]>): DirEntry {
  const next = edited(tree, editsOf(changes));
  return next?.kind === 'dir' ? next : emptyDir;
}

/**
 * The differences that lead from one tree to another, parents before children. A file that becomes a directory is one
 * change (its old entry, the new directory) followed by the directory's entries; a removed directory is one change.
 */
export function diffTrees(from: DirEntry, to: DirEntry, limit = Infinity): TreeChange[] {
  const changes: TreeChange[] = [];
  collectChanges(from, to, '', changes, limit);
  return changes;
}

function collectChanges(from: DirEntry, to: DirEntry, at: string, changes: TreeChange[], limit: number): void {
  if (from === to || from.hash === to.hash) return;
  for (const [name, before] of from.entries) {
    if (changes.length >= limit) return;
    if (!to.entries.has(name)) changes.push({ path: at + name, before, after: undefined });
  }
  for (const [name, after] of to.entries) {
    if (changes.length >= limit) return;
    const before = from.entries.get(name);
    if (before === after || before?.hash === after.hash) continue;
    const path = at + name;
    if (after.kind === 'dir') {
      if (before?.kind !== 'dir') changes.push({ path, before, after });
      collectChanges(before?.kind === 'dir' ? before : emptyDir, after, `${path}/`, changes, limit);
    } else {
      changes.push({ path, before, after });
    }
  }
}

/** All files and links below an entry, in name order; directories only when they are empty. */
export function* leavesOf(entry: Entry, at = ''): Generator<readonly [string, Entry]> {
  if (entry.kind !== 'dir') {
    yield [at, entry];
    return;
  }
  if (entry.entries.size === 0) {
    yield [at, entry];
    return;
  }
  for (const name of [...entry.entries.keys()].sort()) {
    const child = entry.entries.get(name);
    if (child) yield* leavesOf(child, at === '' ? name : `${at}/${name}`);
  }
}

/** How many files and links an entry holds. */
export function countLeaves(entry: Entry): number {
  if (entry.kind !== 'dir') return 1;
  let count = 0;
  for (const child of entry.entries.values()) count += countLeaves(child);
  return count;
}
