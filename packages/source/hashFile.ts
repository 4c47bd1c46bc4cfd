import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import type { ContentDigest } from '../model';
import type { Pace } from './pace';

export interface HashedFile {
  readonly digest: ContentDigest;
  /** Bytes that were read and hashed. */
  readonly size: number;
  /** Whether the file was the same before and after it was read. */
  readonly steady: boolean;
}

// Content is hashed before anything can give way, so one buffer serves all.
const buffer = Buffer.allocUnsafeSlow(256 * 1024);

// A path that has become a link since it was looked at is not followed, and one that has become a pipe does not block.
const openFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Reads and hashes a regular file that `stats` was seen for. Throws what the system calls throw. */
export async function hashFile(file: string, stats: Stats, pace: Pace): Promise<HashedFile> {
  const descriptor = openSync(file, openFlags);
  try {
    let read = readSync(descriptor, buffer, 0, buffer.length, null);
    // A short read of a regular file is its end: nearly all files are done in one go.
    if (read < buffer.length) {
      return { digest: hash('sha256', buffer.subarray(0, read)), size: read, steady: isSteady(descriptor, stats) };
    }
    const hashing = createHash('sha256');
    let size = 0;
    while (read > 0) {
      hashing.update(buffer.subarray(0, read));
      size += read;
      if (pace.due()) await pace.rest();
      read = readSync(descriptor, buffer, 0, buffer.length, null);
    }
    return { digest: hashing.digest('hex'), size, steady: isSteady(descriptor, stats) };
  } finally {
    closeSync(descriptor);
  }
}

function isSteady(descriptor: number, before: Stats): boolean {
  const after = fstatSync(descriptor);
  return after.size === before.size && after.mtimeMs === before.mtimeMs && after.ino === before.ino;
}
