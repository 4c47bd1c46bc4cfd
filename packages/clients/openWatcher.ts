import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import type { OpenWatcher, Watcher, WatcherEvents } from './watcher';

/**
 * Linux has one watch per directory: 77 ms for 2,200 of them, where one recursive watch would take each file as well. macOS and Windows
 * watch a whole tree for the price of one.
 */
export const openWatcher: OpenWatcher = (events) =>
  process.platform === 'darwin' || process.platform === 'win32' ? watchTrees(events) : watchDirectories(events);

/** Not there any more is no problem of watching: whoever looks again will see it. */
function reportUnwatchable(directory: string, error: unknown, events: WatcherEvents): void {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') events.onHint(directory, undefined);
  else events.onUnwatchable(directory, message);
}

/** One watch per directory. */
export function watchDirectories(events: WatcherEvents): Watcher {
  const watches = new Map<string, { readonly watch: FSWatcher; readonly identity: string }>();
  const stop = (directory: string): void => {
    watches.get(directory)?.watch.close();
    watches.delete(directory);
  };
  const start = (directory: string): void => {
    if (watches.has(directory)) return;
    try {
      const identity = identityOf(statSync(directory));
      const opened = watch(directory, { persistent: true }, (_kind, name) => {
        // Its own name may mean that the directory itself went away: the watch stays with what was moved or deleted.
        if (name === basename(directory) && !isStill(directory, identity)) restart(directory);
        events.onHint(directory, name ?? undefined);
      });
      opened.on('error', (error) => {
        stop(directory);
        reportUnwatchable(directory, error, events);
      });
      watches.set(directory, { watch: opened, identity });
    } catch (error) {
      reportUnwatchable(directory, error, events);
    }
  };
  const restart = (directory: string): void => {
    stop(directory);
    if (isThere(directory)) start(directory);
  };
  return {
    add(directories) {
      for (const directory of directories) {
        // A directory that was removed and made again meanwhile is another one.
        const known = watches.get(directory);
        if (known && !isStill(directory, known.identity)) stop(directory);
        start(directory);
      }
    },
    remove: stop,
    close() {
      for (const directory of [...watches.keys()]) stop(directory);
      return Promise.resolve();
    },
  };
}

/** A parent that has become a file, or a link to itself, is as good as nothing there: this runs inside a watch's callback, where nobody catches. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function isThere(path: string): boolean {
  return statsOf(path) !== undefined;
}

/** File systems give the inode of a removed directory to the next one that is made. */
function identityOf({ ino, birthtimeMs }: Stats): string {
  return `${ino} ${birthtimeMs}`;
}

function isStill(path: string, identity: string): boolean {
  const stats = statsOf(path);
  return stats !== undefined && identityOf(stats) === identity;
}

/** One recursive watch per topmost directory; hints about directories that were not added are left out. */
export function watchTrees(events: WatcherEvents): Watcher {
  const wanted = new Set<string>();
  const trees = new Map<string, FSWatcher>();
  const isBelow = (directory: string, tree: string): boolean =>
    directory === tree || directory.startsWith(tree.endsWith(sep) ? tree : tree + sep);
  const stop = (tree: string): void => {
    trees.get(tree)?.close();
    trees.delete(tree);
  };
  const start = (tree: string): void => {
    try {
      const opened = watch(tree, { persistent: true, recursive: true }, (_kind, name) => {
        if (name === null) {
          events.onHint(tree, undefined);
          return;
        }
        const path = join(tree, name);
        if (wanted.has(dirname(path))) events.onHint(dirname(path), basename(path));
      });
      opened.on('error', (error) => {
        stop(tree);
        reportUnwatchable(tree, error, events);
      });
      trees.set(tree, opened);
    } catch (error) {
      reportUnwatchable(tree, error, events);
    }
  };
  return {
    add(directories) {
      for (const directory of directories) {
        wanted.add(directory);
        if ([...trees.keys()].some((tree) => isBelow(directory, tree))) continue;
        for (const tree of [...trees.keys()]) if (isBelow(tree, directory)) stop(tree);
        start(directory);
      }
    },
    remove(directory) {
      wanted.delete(directory);
      if (![...wanted].some((each) => isBelow(each, directory))) stop(directory);
    },
    close() {
      for (const tree of [...trees.keys()]) stop(tree);
      return Promise.resolve();
    },
  };
}
