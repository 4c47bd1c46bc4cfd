/** Hints that something at or below a path may have changed. Never the truth: lstat and hashing decide. */
export interface Watcher {
  /** Watches directories (not what is below them); adding one twice is fine. */
  add(directories: readonly string[]): void;
  remove(directory: string): void;
  close(): Promise<void>;
}

export interface WatcherEvents {
  /** Absolute directory, and the name in it when the platform tells. */
  readonly onHint: (directory: string, name: string | undefined) => void;
  /** A directory cannot be watched (limits of the system): it must be looked at by itself now and then. */
  readonly onUnwatchable: (directory: string, message: string) => void;
}

export type OpenWatcher = (events: WatcherEvents) => Watcher;
