import { closeSync, constants, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { failed, messageOf, succeeded, type Result, type SyncChange } from '../model';

/** A file's content as it is when it is read. What is above `wholeFileBytes` comes as a stream, with the size it had when it was opened. */
export type Content =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly size: number; readonly chunks: AsyncIterable<Uint8Array> };

/** Reads the content for a change of a file; undefined when there is no such file any more, which is no failure: a newer fact is on its way. */
export type ReadSource = (change: SyncChange) => Result<Content | undefined>;

/** Files up to this size are read whole, so that their digest is that of exactly the bytes sent. */
export const wholeFileBytes = 8 * 1024 * 1024;

// A path that has become a link since it was looked at is not followed, and one that has become a pipe does not block.
// (Windows has neither flag.)
const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW || 0) | (constants.O_NONBLOCK || 0);

/** Reads sources below a workspace's root. Reading is synchronous: small files take microseconds that way, and a thread hop takes more. */
export function sourceReader(root: string): ReadSource {
  return ({ source }) => {
    if (source === undefined) return succeeded(undefined);
    let descriptor: number;
    try {
      descriptor = openSync(join(root, source), openFlags);
    } catch (error) {
      return unlessGone(source, error);
    }
    let kept = false;
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) return succeeded(undefined);
      if (stats.size <= wholeFileBytes) return succeeded({ kind: 'bytes', bytes: readWhole(descriptor, stats.size) });
      kept = true;
      return succeeded({ kind: 'stream', size: stats.size, chunks: createReadStream('', { fd: descriptor, highWaterMark: 256 * 1024 }) });
    } catch (error) {
      return unlessGone(source, error);
    } finally {
      if (!kept) closeSync(descriptor);
    }
  };
}

/** What is there up to the expected size; less when the file was cut meanwhile, never more. */
function readWhole(descriptor: number, size: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const read = readSync(descriptor, bytes, length, size - length, length);
    if (read === 0) break;
    length += read;
  }
  return bytes.subarray(0, length);
}

function unlessGone(source: string, error: unknown): Result<undefined> {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  // ELOOP: it has become a link; ENXIO: a socket; EISDIR: a directory, on Windows.
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENXIO' || code === 'EISDIR') return succeeded(undefined);
  return failed({
    code: 'sourceUnreadable',
    message: `${source} cannot be read: ${messageOf(error)}`,
    hint: 'make it readable, or leave it out of the image with .dockerignore',
    retry: 'whenInputChanges',
    exitCode: 1,
  });
}
