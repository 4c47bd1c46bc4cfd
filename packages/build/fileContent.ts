import { closeSync, constants, openSync, readSync } from 'node:fs';

/** As much of a file as is read at a time. */
export const pieceBytes = 1024 * 1024;

/** The first so many bytes of a file; zeros where it has become shorter, or is no file any more. */
export class FileContent {
  private readonly descriptor: number | undefined;

  constructor(
    file: string,
    public left: number,
  ) {
    try {
      // A link that took the file's place is not followed, and a pipe does not block.
      this.descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  next(): Buffer {
    const piece = Buffer.allocUnsafe(Math.min(this.left, pieceBytes));
    let filled = 0;
    while (filled < piece.length) {
      const read = this.read(piece, filled);
      if (read === 0) break;
      filled += read;
    }
    piece.fill(0, filled);
    this.left -= piece.length;
    return piece;
  }

  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
  }

  private read(piece: Buffer, from: number): number {
    try {
      return this.descriptor === undefined ? 0 : readSync(this.descriptor, piece, from, piece.length - from, null);
    } catch (error) {
      if (isGone(error)) return 0;
      throw error;
    }
  }
}

function isGone(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'EISDIR' || code === 'ENXIO';
}
