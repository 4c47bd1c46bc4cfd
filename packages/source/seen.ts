import type { Stats } from 'node:fs';
import { dirEntry, type DirEntry, type Entry, type FileEntry, type LinkEntry } from '../model';
import type { Place } from './scope';

/** What was last seen at a path, with what tells cheaply whether it is still so. */
export type SeenNode = SeenFile | SeenLink | SeenDir;

export interface SeenFile {
  readonly kind: 'file';
  readonly size: number;
  readonly mtimeMs: number;
  /** Changes with mode and content, and cannot be set back as the modification time can. */
  readonly ctimeMs: number;
  readonly ino: number;
  readonly entry: FileEntry;
}

export interface SeenLink {
  readonly kind: 'link';
  readonly entry: LinkEntry;
}

/** A directory that is followed, or was: what left the scope stays as it was last seen, because that is what was told of it. */
export interface SeenDir {
  readonly kind: 'dir';
  readonly parent: SeenDir | undefined;
  readonly children: Map<string, SeenNode>;
  place: Place;
  /** Whether it is told when it is empty, too. A directory that only leads to something is not. */
  own: boolean;
  ino: number;
  /** Its modification time before it was listed; 0 when that does not prove that nothing changed since. */
  listedMtimeMs: number;
  /** Made when asked for. While it is undefined those of the directories above are, too. */
  entry: DirEntry | undefined;
}

export function newDir(parent: SeenDir | undefined, place: Place, ino: number): SeenDir {
  return { kind: 'dir', parent, children: new Map(), place, own: place === 'inside', ino, listedMtimeMs: 0, entry: undefined };
}

export function isSame(seen: SeenFile, stats: Stats): boolean {
  return (
    seen.size === stats.size &&
    seen.mtimeMs === stats.mtimeMs &&
    seen.ctimeMs === stats.ctimeMs &&
    seen.ino === stats.ino &&
    seen.entry.mode === (stats.mode & 0o755)
  );
}

/** The directory is followed from now on, or still. */
export function followDir(dir: SeenDir, place: Place, ino: number): void {
  dir.place = place;
  dir.ino = ino;
  if (dir.own || place !== 'inside') return;
  dir.own = true;
  makeTreeAnew(dir);
}

export function setChild(dir: SeenDir, name: string, node: SeenNode | undefined): void {
  if (node) dir.children.set(name, node);
  else dir.children.delete(name);
  makeTreeAnew(dir);
}

function makeTreeAnew(dir: SeenDir): void {
  for (let at: SeenDir | undefined = dir; at?.entry; at = at.parent) at.entry = undefined;
}

/** The tree of a directory as it was last seen. Only directories with a change below are made anew. */
export function treeOf(dir: SeenDir): DirEntry {
  if (dir.entry) return dir.entry;
  const entries = new Map<string, Entry>();
  for (const [name, node] of dir.children) {
    const entry = node.kind === 'dir' ? treeOf(node) : node.entry;
    if (entry.kind !== 'dir' || entry.entries.size > 0 || (node.kind === 'dir' && node.own)) entries.set(name, entry);
  }
  return (dir.entry = dirEntry(entries));
}
