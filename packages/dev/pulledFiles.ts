import { randomUUID } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync, type Stats } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import {
  contentDigest,
  failed,
  fileEntry,
  messageOf,
  succeeded,
  type ContentDigest,
  type FileEntry,
  type Problem,
  type Result,
  type WorkspacePath,
} from '../model';
import { neverFollowed } from '../source';

export interface PulledContent {
  readonly path: WorkspacePath;
  /** Nothing is written outside of this directory. */
  readonly within: WorkspacePath;
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/** The workspace's side of pulling: files are replaced whole, never through a link, and what was pulled last is remembered over sessions. */
export class PulledFiles {
  private readonly folder: string;
  private remembered: Map<WorkspacePath, ContentDigest> | undefined;

  constructor(private readonly root: string) {
    this.folder = join(root, '.slipway', 'pulled');
  }

  /** What was pulled to a path last. */
  lastOf(path: WorkspacePath): ContentDigest | undefined {
    return this.memory().get(path);
  }

  /** Both sides are the same from now on. */
  remember(path: WorkspacePath, digest: ContentDigest): void {
    const memory = this.memory();
    if (memory.get(path) === digest) return;
    memory.set(path, digest);
    try {
      this.replace(this.memoryFile(), Buffer.from(`${JSON.stringify(Object.fromEntries([...memory].sort()), undefined, 2)}\n`));
    } catch {
      // Then the next session takes what both have changed for a conflict, which loses nothing.
    }
  }

  /** What this machine holds there. Undefined: nothing. Failure: `pullRefused`, for what cannot be written over. */
  digestOf({ path, within }: Pick<PulledContent, 'path' | 'within'>): Result<ContentDigest | undefined> {
    try {
      const stats = this.checked(path, within);
      return typeof stats === 'string'
        ? failed(refused(path, stats))
        : succeeded(stats && contentDigest(readFileSync(join(this.root, path))));
    } catch (error) {
      return failed(refused(path, messageOf(error)));
    }
  }

  /** Writes a file whole, if it still holds what is expected. Undefined: it holds something else by now. Failure: `pullRefused`. */
  write({ path, within, bytes, executable }: PulledContent, expected: ContentDigest | undefined): Result<FileEntry | undefined> {
    const file = join(this.root, path);
    try {
      const stats = this.checked(path, within);
      if (typeof stats === 'string') return failed(refused(path, stats));
      if ((stats && contentDigest(readFileSync(file))) !== expected) return succeeded(undefined);
      const plain = (stats?.mode ?? 0o644) & 0o777;
      const mode = executable ? plain | 0o111 : plain & ~0o111;
      mkdirSync(dirname(file), { recursive: true });
      this.replace(file, bytes, mode);
      return succeeded(fileEntry({ digest: contentDigest(bytes), size: bytes.length, mode }));
    } catch (error) {
      return failed(refused(path, messageOf(error)));
    }
  }

  /** Keeps what a container has made where nothing uses it. Says where. */
  setAside(path: WorkspacePath, bytes: Uint8Array): Result<WorkspacePath> {
    const aside = join(this.folder, 'theirs', path);
    try {
      mkdirSync(dirname(aside), { recursive: true });
      this.replace(aside, bytes);
      return succeeded(relative(this.root, aside).split(sep).join('/'));
    } catch (error) {
      return failed(refused(path, messageOf(error)));
    }
  }

  private memory(): Map<WorkspacePath, ContentDigest> {
    this.remembered ??= new Map(readMemory(this.memoryFile()));
    return this.remembered;
  }

  private memoryFile(): string {
    return join(this.folder, 'last.json');
  }

  /** What is at a path where a file may be written, or why none may. */
  private checked(path: WorkspacePath, within: WorkspacePath): Stats | undefined | string {
    const names = path.split('/');
    if (names.some((name) => name === '' || name === '.' || name === '..' || neverFollowed.has(name)))
      return 'nothing is pulled to a place like that';
    const top = realpathSync(join(this.root, within));
    const place = realOfNearest(join(this.root, dirname(path)));
    if (place !== top && !place.startsWith(top === sep ? sep : `${top}${sep}`)) return `it is reached through a link to ${place}`;
    const stats = lstatSync(join(this.root, path), { throwIfNoEntry: false });
    if (stats && !stats.isFile()) return `there is a ${stats.isDirectory() ? 'directory' : 'link'} here`;
    return stats;
  }

  /** Where nobody watches, and then renamed: neither a reader nor a watcher sees half of it. */
  private replace(file: string, bytes: Uint8Array, mode = 0o644): void {
    mkdirSync(this.folder, { recursive: true });
    const written = join(this.folder, `.${basename(file)}.${randomUUID()}`);
    try {
      writeFileSync(written, bytes, { mode });
      // Whatever the umask is.
      chmodSync(written, mode);
      renameSync(written, file);
    } catch (error) {
      rmSync(written, { force: true });
      throw error;
    }
  }
}

function realOfNearest(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (lstatSync(at, { throwIfNoEntry: false })) return realpathSync(at);
  }
}

function readMemory(file: string): readonly (readonly [WorkspacePath, ContentDigest])[] {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    return Object.entries(read).flatMap(([path, digest]) => (typeof digest === 'string' ? [[path, digest] as const] : []));
  } catch {
    return [];
  }
}

function refused(path: WorkspacePath, because: string): Problem {
  return {
    code: 'pullRefused',
    message: `${path} is not pulled: ${because}`,
    hint: 'make way for it, or take it out of sync.pull',
    retry: 'whenInputChanges',
    exitCode: 1,
    location: { file: path },
  };
}
