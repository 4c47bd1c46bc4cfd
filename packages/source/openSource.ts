import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenWatcher, Watcher } from '../clients';
import { emptyDir, type DirEntry, type Problem, type WorkspacePath } from '../model';
import { changesBetween, type SeenPath } from './changes';
import { gitLockOf } from './gitLock';
import { Looker } from './look';
import { paceOf } from './pace';
import { reachOf, type Scope } from './scope';
import { isDirectory } from './statOf';
import { Sweep } from './sweep';

export interface SourceOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly scope: Scope;
  readonly openWatcher: OpenWatcher;
  /**
   * What differs from what was told before; a new directory comes whole. `scanned`: this ends a scan, so that all in scope has been read.
   * `at`: when the first of it was noticed, by `now`.
   */
  readonly onFacts: (entries: readonly SeenPath[], about: { readonly scanned: boolean; readonly at: number }) => void;
  readonly onProblem: (problem: Problem) => void;
  readonly now: () => number;
  /** Changes are looked at when nothing has changed for so long; of a writer that never rests, after ten times that. Default: at once. */
  readonly quietMs?: number;
}

/** The disk, as facts. Everything it tells was true when it was read; what changes later is told later. */
export interface Source {
  /** Reads everything in scope and tells it at once, with `scanned`, even when it is nothing. */
  scan(): Promise<void>;
  /**
   * Follows something else from now on; resolves when it was read and told. What left the scope is not told as gone: it is
   * still there, only no longer looked at.
   */
  setScope(scope: Scope): Promise<void>;
  /** Resolves when all that was hinted at so far has been looked at and told. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export function openSource(options: SourceOptions): Source {
  return new DiskSource(options);
}

/** Work is done in slices of this length, so that streams and timers get their turn. */
const sliceMs = 8;
/** After a look, further hints wait this long; a burst makes it longer. */
const shortestWindowMs = 5;
const longestWindowMs = 80;
/** So many hinted paths in one window are a burst. A few are somebody who saves often. */
const burstPaths = 8;
/** A writer that never rests is looked at after so many times the quiet that is asked for. */
const patienceInQuiets = 10;
const gitPollMs = 10;
/** A lock that stays longer was left behind, or belongs to somebody who sits in an editor. */
const gitLockLimitMs = 2000;
/** 0.05 % of a core (and as much again for waking up); four times that where directories cannot be watched. */
const sweepEveryMs = 2000;
const sweepUnwatchedEveryMs = 500;
const sweepForMs = 1;

/** What is to be looked at: what has this path, or what is directly in the directory that has it. */
interface Wanted {
  byName: boolean;
  inside: boolean;
  reread: boolean;
}

class DiskSource implements Source {
  private scope: Scope;
  private readonly looker: Looker;
  private readonly watcher: Watcher;
  /** Workspace paths by the absolute ones that the watcher knows. */
  private readonly watched = new Map<string, WorkspacePath>();
  private readonly unwatched = new Set<WorkspacePath>();
  private readonly sweep: Sweep;
  private sweeping: NodeJS.Timeout | undefined;
  private readonly gitIsChanging: () => boolean;
  private gitLockIsStale = false;

  private told: DirEntry = emptyDir;
  private pending = new Map<WorkspacePath, Wanted>();
  private noticedAt: number | undefined;
  /** Paths to be looked at again, by delay. */
  private readonly again = new Map<number, { readonly paths: Set<WorkspacePath>; readonly timer: NodeJS.Timeout }>();
  /** Runs until nothing has changed for long enough. */
  private quiet: NodeJS.Timeout | undefined;
  /** A look is about to start. */
  private starting: NodeJS.Immediate | undefined;
  /** Runs after a look, until the next may start. */
  private window: NodeJS.Timeout | undefined;
  private windowMs = shortestWindowMs;
  private lookedForMs = 0;
  /** Looks and scans, one after another. */
  private queue: Promise<void> = Promise.resolve();
  private queued = 0;
  private scansAhead = 0;
  private settling: (() => void)[] = [];
  private closed = false;

  constructor(private readonly options: SourceOptions) {
    this.scope = options.scope;
    this.gitIsChanging = gitLockOf(options.root);
    this.watcher = options.openWatcher({
      onHint: (directory, name) => this.onHint(directory, name),
      onUnwatchable: (directory, message) => this.onUnwatchable(directory, message),
    });
    this.looker = new Looker(options.root, reachOf(options.scope), {
      onDirectory: (path) => this.watch(path),
      onDirectoryLeft: (path) => this.unwatch(path),
      onProblem: options.onProblem,
      onLookAgain: (path, delayMs) => this.lookAgain(path, delayMs),
    });
    this.sweep = new Sweep(options.root, (path) => this.looker.dirAt(path), this.unwatched);
    this.sweepLater();
  }

  scan(): Promise<void> {
    return this.setScope(this.scope);
  }

  setScope(scope: Scope): Promise<void> {
    this.scope = scope;
    this.scansAhead++;
    return this.enqueue(async () => {
      const at = this.options.now();
      await this.gitAtRest();
      await this.looker.lookAtAll(reachOf(scope), paceOf(sliceMs));
      this.scansAhead--;
      this.tell(at, { scanned: this.scansAhead === 0 });
    });
  }

  async settle(): Promise<void> {
    if (!this.isSettled()) await new Promise<void>((resolve) => this.settling.push(resolve));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.sweeping);
    clearImmediate(this.starting);
    clearTimeout(this.quiet);
    clearTimeout(this.window);
    for (const { timer } of this.again.values()) clearTimeout(timer);
    this.again.clear();
    this.pending.clear();
    await this.queue;
    await this.watcher.close();
    for (const resolve of this.settling.splice(0)) resolve();
  }

  private onHint(directory: string, name: string | undefined): void {
    const path = this.watched.get(directory);
    if (path === undefined) return;
    if (name === undefined) {
      this.notice(path, { inside: true });
      return;
    }
    const changed = below(path, name);
    if (this.looker.concerns(path, changed, name)) this.notice(changed, { byName: true });
  }

  private notice(path: WorkspacePath, wanted: Partial<Wanted>): void {
    if (this.closed) return;
    this.noticedAt ??= this.options.now();
    const before = this.pending.get(path) ?? { byName: false, inside: false, reread: false };
    this.pending.set(path, Object.assign(before, wanted));
    this.startTurn();
  }

  /** The first hint is looked at at once, though after all that came with it; or when it has been quiet, where that is asked for. */
  private startTurn(): void {
    if (this.starting || this.window || this.queued > 0 || this.closed) return;
    const { quietMs = 0, now } = this.options;
    if (quietMs > 0) {
      const patience = (this.noticedAt ?? now()) + quietMs * patienceInQuiets - now();
      clearTimeout(this.quiet);
      this.quiet = setTimeout(() => this.turn(), Math.max(0, Math.min(quietMs, patience)));
      return;
    }
    this.starting = setImmediate(() => {
      this.starting = undefined;
      this.turn();
    });
  }

  /** Looks at all that was hinted at, then opens a window in which more may gather. */
  private turn(): void {
    this.window = setTimeout(() => this.endWindow(), this.windowMs);
    void this.enqueue(async () => {
      await this.gitAtRest();
      const { pending } = this;
      const at = this.noticedAt ?? this.options.now();
      this.pending = new Map();
      this.noticedAt = undefined;
      const pace = paceOf(sliceMs);
      const startedAt = performance.now();
      for (const [path, wanted] of pending) {
        if (wanted.inside) await this.looker.lookInside(path, pace);
        if (wanted.byName) await this.looker.lookAt(path, wanted, pace);
        if (pace.due()) await pace.rest();
      }
      this.tell(at, { scanned: false });
      this.lookedForMs = performance.now() - startedAt;
    });
  }

  private endWindow(): void {
    this.window = undefined;
    const wider = this.pending.size >= burstPaths ? this.windowMs * 2 : shortestWindowMs;
    // A file that is large and being written must not be read all the time.
    this.windowMs = Math.min(Math.max(wider, this.lookedForMs * 2), longestWindowMs);
    if (this.pending.size > 0) this.startTurn();
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    this.queued++;
    this.queue = this.queue.then(async () => {
      if (!this.closed) await work();
      this.queued--;
      if (this.pending.size > 0) this.startTurn();
      if (this.isSettled()) for (const resolve of this.settling.splice(0)) resolve();
    });
    return this.queue;
  }

  private isSettled(): boolean {
    return this.pending.size === 0 && this.queued === 0 && this.again.size === 0;
  }

  private tell(at: number, { scanned }: { readonly scanned: boolean }): void {
    const { tree } = this.looker;
    const entries = changesBetween(this.told, tree);
    if (this.closed || (entries.length === 0 && !scanned)) return;
    this.told = tree;
    this.options.onFacts(entries, { scanned, at });
  }

  /** So that a branch switch is told as one change. */
  private async gitAtRest(): Promise<void> {
    const limit = performance.now() + gitLockLimitMs;
    while (this.gitIsChanging() && !this.gitLockIsStale && !this.closed) {
      if (performance.now() >= limit) {
        this.gitLockIsStale = true;
        return;
      }
      await sleep(gitPollMs);
    }
    if (!this.gitIsChanging()) this.gitLockIsStale = false;
  }

  private lookAgain(path: WorkspacePath, delayMs: number): void {
    const waiting = this.again.get(delayMs);
    if (waiting) {
      // It may come a little early for the last of them; then they ask again.
      waiting.paths.add(path);
      return;
    }
    const paths = new Set([path]);
    const timer = setTimeout(() => {
      this.again.delete(delayMs);
      for (const each of paths) this.notice(each, { byName: true, reread: true });
    }, delayMs);
    this.again.set(delayMs, { paths, timer });
  }

  /** A directory that was replaced by another of its name has a watch that is deaf, so each is made anew. */
  private watch(path: WorkspacePath): void {
    const directory = this.looker.absolute(path);
    if (this.watched.has(directory)) this.watcher.remove(directory);
    this.watched.set(directory, path);
    this.unwatched.delete(path);
    this.watcher.add([directory]);
  }

  private unwatch(path: WorkspacePath): void {
    const directory = this.looker.absolute(path);
    this.watched.delete(directory);
    this.unwatched.delete(path);
    this.watcher.remove(directory);
  }

  private onUnwatchable(directory: string, message: string): void {
    const path = this.watched.get(directory);
    if (path === undefined) return;
    // What became something else meanwhile is no problem of watching.
    if (!isDirectory(directory)) {
      if (path !== '') this.notice(path, { byName: true });
      return;
    }
    if (this.unwatched.size === 0) this.options.onProblem(unwatchableProblem(path, message));
    this.unwatched.add(path);
  }

  private sweepLater(): void {
    const delay = this.unwatched.size > 0 ? sweepUnwatchedEveryMs : sweepEveryMs;
    this.sweeping = setTimeout(() => {
      this.sweepOn();
      if (!this.closed) this.sweepLater();
    }, delay).unref();
  }

  private sweepOn(): void {
    // While there is work the sweep would mostly find what is about to be looked at anyway.
    if (this.queued > 0 || this.pending.size > 0 || this.scansAhead > 0) return;
    for (const path of this.sweep.go(sweepForMs)) {
      // Its watch was deaf. What the new one could have missed is found by the look.
      if (!this.unwatched.has(path)) this.watch(path);
      this.notice(path, { inside: true });
    }
  }
}

function below(directory: WorkspacePath, name: string): WorkspacePath {
  return directory === '' ? name : `${directory}/${name}`;
}

function unwatchableProblem(path: WorkspacePath, message: string): Problem {
  return {
    code: 'directoryUnwatchable',
    message: `${path === '' ? 'the workspace root' : path} and perhaps more directories cannot be watched; changes there are noticed late`,
    // Linux limits both, for each user: what watches, and what is watched.
    hint: /EMFILE/.test(message)
      ? 'too many programs watch files: end some, or raise the limit (on Linux: sudo sysctl fs.inotify.max_user_instances=1024)'
      : 'raise the limit of watches (on Linux: sudo sysctl fs.inotify.max_user_watches=1048576)',
    retry: 'never',
    exitCode: 1,
    location: { file: path },
    detail: message,
  };
}
