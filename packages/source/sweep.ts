import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkspacePath } from '../model';
import { isSame, type SeenDir, type SeenNode } from './seen';
import { statOf } from './statOf';

/** Directories to compare, one small step at a time: each step says whether a directory is not as it was last seen, or nothing. */
type Round = Iterator<WorkspacePath | undefined>;

/**
 * Finds what no event told of, by comparing times and sizes a few at a time, round after round. Directories that cannot be
 * watched get half of the time, because nothing else looks at them.
 */
export class Sweep {
  private all: Round = [].values();
  private first: Round = [].values();

  constructor(
    private readonly root: string,
    private readonly dirAt: (path: WorkspacePath) => SeenDir | undefined,
    private readonly unwatched: ReadonlySet<WorkspacePath>,
  ) {}

  /** Goes on for so many milliseconds, at most to the end of the round. Returns the directories that changed. */
  go(forMs: number): ReadonlySet<WorkspacePath> {
    const stale = new Set<WorkspacePath>();
    if (this.unwatched.size > 0 && advance(this.first, forMs / 2, stale)) this.first = this.roundOf([...this.unwatched]);
    if (advance(this.all, forMs / 2, stale)) this.all = this.roundOf(this.directories('', this.dirAt('')));
    return stale;
  }

  private *roundOf(directories: Iterable<WorkspacePath>): Generator<WorkspacePath | undefined> {
    for (const path of directories) {
      const dir = this.dirAt(path);
      if (dir) yield* this.compare(dir, path);
    }
  }

  private *directories(path: WorkspacePath, dir: SeenDir | undefined): Generator<WorkspacePath> {
    if (!dir || dir.place === 'outside') return;
    yield path;
    for (const [name, child] of dir.children) {
      if (child.kind === 'dir') yield* this.directories(path === '' ? name : `${path}/${name}`, child);
    }
  }

  private *compare(dir: SeenDir, path: WorkspacePath): Generator<WorkspacePath | undefined> {
    const absolute = join(this.root, path);
    if (!isDirAsSeen(absolute, dir)) {
      yield path;
      return;
    }
    for (const [name, node] of dir.children) yield isAsSeen(join(absolute, name), node) ? undefined : path;
  }
}

/** Whether the round is over. */
function advance(round: Round, forMs: number, stale: Set<WorkspacePath>): boolean {
  const end = performance.now() + forMs;
  do {
    const step = round.next();
    if (step.done === true) return true;
    if (step.value !== undefined) stale.add(step.value);
  } while (performance.now() < end);
  return false;
}

/** What is in the way of looking counts as a change: it is met again, and told, by the look that follows. */
function isDirAsSeen(absolute: string, dir: SeenDir): boolean {
  try {
    const stats = statOf(absolute);
    return stats?.isDirectory() === true && stats.ino === dir.ino && stats.mtimeMs === dir.listedMtimeMs;
  } catch {
    return false;
  }
}

function isAsSeen(absolute: string, node: SeenNode): boolean {
  try {
    switch (node.kind) {
      case 'file': {
        const stats = statOf(absolute);
        return stats !== undefined && isSame(node, stats);
      }
      case 'link':
        return readlinkSync(absolute) === node.entry.target;
      // It has a turn of its own.
      case 'dir':
        return true;
    }
  } catch {
    return false;
  }
}
