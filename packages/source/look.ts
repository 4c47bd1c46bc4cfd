import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { fileEntry, linkEntry, messageOf, type DirEntry, type Problem, type WorkspacePath } from '../model';
import { hashFile } from './hashFile';
import type { Pace } from './pace';
import type { Reach } from './scope';
import { followDir, isSame, newDir, setChild, treeOf, type SeenDir, type SeenFile, type SeenNode } from './seen';
import { codeOf, statOf } from './statOf';

export interface LookEvents {
  /** A directory is about to be listed for the first time, or may have been replaced by another of its name: it is to be watched. */
  readonly onDirectory: (path: WorkspacePath) => void;
  /** A directory that was followed is gone or no longer wanted. */
  readonly onDirectoryLeft: (path: WorkspacePath) => void;
  /** A path cannot be read, and stays as it was last seen; or it is nothing that can be. Told once until it can be read. */
  readonly onProblem: (problem: Problem) => void;
  /** A path has to be looked at again after so many milliseconds. */
  readonly onLookAgain: (path: WorkspacePath, delayMs: number) => void;
}

interface How {
  /** Directories may have been replaced: they are watched anew and all below them is compared. Else only what is directly in one. */
  readonly deep: boolean;
  /** Files are read though their times and size are as they were. */
  readonly reread: boolean;
}

/** File times are as coarse as the kernel's tick (up to 10 ms): two writes in one tick leave one time. Git's racy rule. */
const racyMs = 20;
/** How often a file that was just emptied is looked at again: editors and tools truncate, then write, on a busy machine a moment later. */
const emptiedMs = 5;
/** How long it is given to get its new content. */
const emptiedForMs = 60;
/** Above this size a file is read only when it has rested for a moment, or a long write would be hashed over and over. */
const largeBytes = 64 * 1024 * 1024;
const restMs = 100;

/** Compares the disk with what was last seen of it. One look at a time. */
export class Looker {
  private readonly seen = newDir(undefined, 'outside', 0);
  /** Of what cannot be read it was said. */
  private readonly told = new Set<WorkspacePath>();

  constructor(
    private readonly root: string,
    private reach: Reach,
    private readonly events: LookEvents,
  ) {}

  /** Everything as it was last seen, whether or not it is still in reach. */
  get tree(): DirEntry {
    return treeOf(this.seen);
  }

  /** Compares everything, from now on within this reach. */
  async lookAtAll(reach: Reach, pace: Pace): Promise<void> {
    this.reach = reach;
    this.seen.place = reach.root;
    await this.list(this.seen, '', { deep: true, reread: false }, pace);
  }

  /**
   * Compares what is at one path. A path that is not in a followed directory is none of ours. `reread`: a file is read
   * though its times and size are as they were.
   */
  async lookAt(path: WorkspacePath, { reread }: { readonly reread: boolean }, pace: Pace): Promise<void> {
    const slash = path.lastIndexOf('/');
    const parent = this.dirAt(path.slice(0, Math.max(slash, 0)));
    if (parent && path !== '') await this.compare(parent, path, path.slice(slash + 1), { deep: true, reread }, pace);
  }

  /** Compares what is directly in a followed directory. */
  async lookInside(path: WorkspacePath, pace: Pace): Promise<void> {
    const dir = this.dirAt(path);
    if (dir) await this.list(dir, path, { deep: false, reread: false }, pace);
  }

  /** Whether a change of this name in a followed directory could matter. */
  concerns(directory: WorkspacePath, path: WorkspacePath, name: string): boolean {
    const dir = this.dirAt(directory);
    if (!dir) return false;
    return (
      this.reach.placeOf(dir.place, path, name, 'file') !== 'outside' || this.reach.placeOf(dir.place, path, name, 'dir') !== 'outside'
    );
  }

  /** The directory last seen at a path, if it is followed. */
  dirAt(path: WorkspacePath): SeenDir | undefined {
    let at: SeenDir = this.seen;
    for (const name of path === '' ? [] : path.split('/')) {
      const child = at.children.get(name);
      if (child?.kind !== 'dir') return undefined;
      at = child;
    }
    return at.place === 'outside' ? undefined : at;
  }

  absolute(path: WorkspacePath): string {
    return path === '' ? this.root : join(this.root, path);
  }

  private async list(dir: SeenDir, path: WorkspacePath, how: How, pace: Pace): Promise<void> {
    // Watched before it is read: what is made in between is at least hinted at.
    if (how.deep) this.events.onDirectory(path);
    const listing = this.attempt(path, () => ({ stats: lstatSync(this.absolute(path)), names: readdirSync(this.absolute(path)) }));
    if (!listing) return;
    this.told.delete(path);
    dir.ino = listing.stats.ino;
    dir.listedMtimeMs = isRecent(listing.stats, racyMs) ? 0 : listing.stats.mtimeMs;
    const listed = new Set(listing.names);
    const gone = [...dir.children.keys()].filter((name) => !listed.has(name));
    for (const name of [...gone, ...listing.names]) {
      await this.compare(dir, path === '' ? name : `${path}/${name}`, name, how, pace);
      if (pace.due()) await pace.rest();
    }
  }

  private async compare(parent: SeenDir, path: WorkspacePath, name: string, how: How, pace: Pace): Promise<void> {
    const stats = this.attempt(path, () => statOf(this.absolute(path)) ?? 'absent');
    if (!stats) return;
    const kind = stats === 'absent' ? undefined : kindOf(stats);
    const known = parent.children.get(name);
    if (known && known.kind !== kind) {
      this.leave(known, path);
      setChild(parent, name, undefined);
    }
    if (stats === 'absent' || !kind) {
      // A directory above may be away for a moment, and come back as it was, with nothing to tell of it: the sweep lists this one again.
      if (stats === 'absent') parent.listedMtimeMs = 0;
      if (stats !== 'absent' && this.reach.placeOf(parent.place, path, name, 'file') === 'inside') this.tell(path, noFile(path, stats));
      else this.told.delete(path);
      return;
    }
    const place = this.reach.placeOf(parent.place, path, name, kind === 'dir' ? 'dir' : 'file');
    if (place === 'outside') {
      if (known?.kind === kind) this.leave(known, path);
      return;
    }
    switch (kind) {
      case 'dir': {
        const before = known?.kind === 'dir' ? known : undefined;
        const dir = before ?? newDir(parent, place, stats.ino);
        const replaced = !before || before.place === 'outside' || before.ino !== stats.ino;
        followDir(dir, place, stats.ino);
        if (!before) setChild(parent, name, dir);
        if (replaced || how.deep) await this.list(dir, path, { ...how, deep: true }, pace);
        return;
      }
      case 'file': {
        const before = known?.kind === 'file' ? known : undefined;
        const file = await this.readFile(path, stats, before, how, pace);
        if (file && file !== before) setChild(parent, name, file);
        return;
      }
      case 'link': {
        const target = this.attempt(path, () => readlinkSync(this.absolute(path)));
        if (target !== undefined && !(known?.kind === 'link' && known.entry.target === target)) {
          setChild(parent, name, { kind: 'link', entry: linkEntry(target) });
        }
        return;
      }
    }
  }

  /** The file as it is now, or as it was last seen when it cannot or should not be read yet. */
  private async readFile(
    path: WorkspacePath,
    stats: Stats,
    before: SeenFile | undefined,
    how: How,
    pace: Pace,
  ): Promise<SeenFile | undefined> {
    if (before && !how.reread && isSame(before, stats)) return before;
    if (stats.size === 0 && before?.size !== 0 && !how.reread && isRecent(stats, emptiedForMs)) {
      this.events.onLookAgain(path, emptiedMs);
      return before;
    }
    if (stats.size > largeBytes && isRecent(stats, restMs)) {
      this.events.onLookAgain(path, restMs);
      return before;
    }
    try {
      const read = await hashFile(this.absolute(path), stats, pace);
      if (!read.steady || isRecent(stats, racyMs)) this.events.onLookAgain(path, racyMs + emptiedMs);
      this.told.delete(path);
      const entry = fileEntry({ ...read, mode: stats.mode });
      const { size, mtimeMs, ctimeMs, ino } = stats;
      return { kind: 'file', size, mtimeMs, ctimeMs, ino, entry: before?.entry.hash === entry.hash ? before.entry : entry };
    } catch (error) {
      this.failedToRead(path, error);
      return before;
    }
  }

  /** What left the disk or the scope is no longer watched; whether it stays in the tree is the caller's. */
  private leave(node: SeenNode, path: WorkspacePath): void {
    this.told.delete(path);
    if (node.kind !== 'dir' || node.place === 'outside') return;
    node.place = 'outside';
    this.events.onDirectoryLeft(path);
    for (const [name, child] of node.children) this.leave(child, `${path}/${name}`);
  }

  private attempt<T>(path: WorkspacePath, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      this.failedToRead(path, error);
      return undefined;
    }
  }

  private failedToRead(path: WorkspacePath, error: unknown): void {
    if (path !== '' && changedMeanwhile.has(codeOf(error))) {
      this.events.onLookAgain(path, emptiedMs);
      return;
    }
    this.tell(path, unreadableProblem(path, error));
  }

  private tell(path: WorkspacePath, problem: Problem): void {
    if (this.told.has(path)) return;
    this.told.add(path);
    this.events.onProblem(problem);
  }
}

/** It became something else, or went, between looking and reading. */
const changedMeanwhile: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO', 'EINVAL']);

const leaveItOut = 'leave it out: of an image with .dockerignore, of a folder that is synced with --exclude';

export function unreadableProblem(path: WorkspacePath, error: unknown): Problem {
  return {
    code: 'fileUnreadable',
    message: `${path === '' ? 'the workspace root' : path} cannot be read (${codeOf(error) || 'unknown error'})`,
    hint: `make it readable for this user, or ${leaveItOut}`,
    retry: 'afterDelay',
    exitCode: 1,
    location: { file: path },
    detail: messageOf(error),
  };
}

function noFile(path: WorkspacePath, stats: Stats): Problem {
  const kind = stats.isSocket() ? 'socket' : stats.isFIFO() ? 'pipe' : 'device';
  return {
    code: 'fileSkipped',
    message: `${path} is not copied: it is a ${kind}`,
    hint: leaveItOut,
    retry: 'afterDelay',
    exitCode: 1,
    location: { file: path },
  };
}

/** Undefined for what is no content: sockets, pipes, devices. */
function kindOf(stats: Stats): SeenNode['kind'] | undefined {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'dir';
  return stats.isSymbolicLink() ? 'link' : undefined;
}

/** Against the machine's own clock, as file times are. A time far in the future (another machine's clock) is not recent. */
function isRecent(stats: Stats, withinMs: number): boolean {
  return Math.abs(Date.now() - stats.mtimeMs) < withinMs;
}
