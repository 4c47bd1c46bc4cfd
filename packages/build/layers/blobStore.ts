import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

/** A layer as a registry keeps it. */
export interface Blob {
  /** Of the bytes as they are stored: `sha256:…`. */
  readonly digest: string;
  readonly size: number;
}

export interface PackedBlob extends Blob {
  /** Of the tar without compression. */
  readonly diffId: string;
}

/** Layers and what is known of them, in a folder of the workspace: all of it can be made again. Its functions throw what the disk says. */
export interface BlobStore {
  has(digest: string): boolean;
  open(digest: string): Readable;
  /** Keeps bytes as they are. */
  add(content: Readable): Promise<Blob>;
  /** Compresses a tar, always in the same way. */
  pack(tar: Readable): Promise<PackedBlob>;
  /** What was noted under a key, as parsed JSON; undefined: nothing that can be read. */
  note(key: string): unknown;
  setNote(key: string, value: unknown): void;
  /** A file for the time of one use. */
  spool<T>(content: Readable, use: (file: string) => Promise<T>): Promise<T>;
}

/** What the folder may hold before the oldest go. */
const keptBytes = 2 * 1024 ** 3;

export function blobStore(folder: string): BlobStore {
  const pathOf = (digest: string) => join(folder, digest.replace(':', '-'));
  const noteOf = (key: string) => join(folder, `note-${sha256(key).slice(0, 40)}.json`);
  let written = Infinity;

  const keep = async (content: Readable, through: readonly Transform[], hash: Hashing): Promise<Blob> => {
    mkdirSync(folder, { recursive: true });
    const unfinished = join(folder, `${randomUUID()}.tmp`);
    try {
      await pipeline([content, ...through, hash, createWriteStream(unfinished)]);
      const digest = hash.digest();
      renameSync(unfinished, pathOf(digest));
      written += hash.size;
      if (written > keptBytes / 4) {
        prune(folder);
        written = 0;
      }
      return { digest, size: hash.size };
    } finally {
      rmSync(unfinished, { force: true });
    }
  };

  return {
    has: (digest) => statSync(pathOf(digest), { throwIfNoEntry: false }) !== undefined,
    open(digest) {
      const now = new Date();
      utimesSync(pathOf(digest), now, now);
      return createReadStream(pathOf(digest));
    },
    add: (content) => keep(content, [], new Hashing()),
    async pack(tar) {
      const plain = new Hashing();
      const blob = await keep(tar, [plain, createGzip({ level: 1 }), new SameHeader()], new Hashing());
      return { ...blob, diffId: plain.digest() };
    },
    note(key) {
      try {
        return JSON.parse(readFileSync(noteOf(key), 'utf8')) as unknown;
      } catch {
        return undefined;
      }
    },
    setNote(key, value) {
      mkdirSync(folder, { recursive: true });
      const unfinished = join(folder, `${randomUUID()}.tmp`);
      try {
        writeFileSync(unfinished, JSON.stringify(value));
        renameSync(unfinished, noteOf(key));
      } finally {
        rmSync(unfinished, { force: true });
      }
    },
    async spool(content, use) {
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${randomUUID()}.tmp`);
      try {
        await pipeline(content, createWriteStream(file));
        return await use(file);
      } finally {
        rmSync(file, { force: true });
      }
    },
  };
}

/** Lets bytes through and hashes them. */
class Hashing extends Transform {
  size = 0;
  private readonly hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.hash.update(chunk);
    this.size += chunk.length;
    done(null, chunk);
  }

  digest(): string {
    return `sha256:${this.hash.digest('hex')}`;
  }
}

/** The gzip header names the operating system in its tenth byte; the same layer is to have the same digest everywhere. */
class SameHeader extends Transform {
  private seen = 0;

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    const at = 9 - this.seen;
    if (at >= 0 && at < chunk.length) chunk[at] = 0xff;
    this.seen += chunk.length;
    done(null, chunk);
  }
}

/** Those that were longest not used go. */
function prune(folder: string): void {
  const files = readdirSync(folder).map((name) => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return { path: join(folder, name), size: stats?.size ?? 0, usedAt: stats?.mtimeMs ?? 0 };
  });
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of files.sort((one, other) => one.usedAt - other.usedAt)) {
    if (total <= keptBytes) return;
    rmSync(path, { force: true });
    total -= size;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
