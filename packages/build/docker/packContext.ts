import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack as openPack, type Header, type Pack } from 'tar-stream';
import { contentDigest, messageOf, type ContentDigest, type WorkspacePath } from '../../model';
import { FileContent, pieceBytes } from '../fileContent';
import type { ContextEntry } from './context';

export interface PackOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly entries: readonly ContextEntry[];
  /** Changes the text of single files on the way, after it was compared. */
  readonly rewrite: ReadonlyMap<WorkspacePath, (text: string) => string>;
}

export interface PackedContext {
  readonly stream: Readable;
  /** Resolves when the stream is over, with the files that did not hold what their entries say, and the digest of what was sent instead. */
  readonly changed: Promise<ReadonlyMap<WorkspacePath, ContentDigest>>;
}

type FileHeader = Partial<Header> & Pick<Header, 'name' | 'size'>;

/** Nothing of the disk but content and mode enters the tar: the same inputs make the same bytes everywhere. */
const fixed = { uid: 0, gid: 0, uname: '', gname: '', mtime: new Date(Date.UTC(2000, 0, 1)) };

/** Packs files as they are on disk now, and says which were not as expected: each is hashed from the very bytes that are sent. */
export function packContext({ root, entries, rewrite }: PackOptions): PackedContext {
  const pack = openPack();
  const changed = new Map<WorkspacePath, ContentDigest>();
  const fill = async (): Promise<void> => {
    for (const { name, entry, source } of entries) {
      switch (entry.kind) {
        case 'dir':
          pack.entry({ ...fixed, name: `${name}/`, type: 'directory', mode: 0o755 });
          break;
        case 'link':
          pack.entry({ ...fixed, name, type: 'symlink', linkname: entry.target, mode: 0o777 });
          break;
        case 'file': {
          const header: FileHeader = { ...fixed, name, type: 'file', mode: entry.mode, size: entry.size };
          const digest = await packFile(pack, header, join(root, source), rewrite.get(source));
          if (digest !== entry.digest) changed.set(source, digest);
        }
      }
    }
    pack.finalize();
  };
  const ended = fill().then(
    () => changed,
    (error: unknown) => {
      // A reader that stopped early ends the packing as well; then this does nothing.
      pack.destroy(error instanceof Error ? error : new Error(messageOf(error)));
      return changed;
    },
  );
  const stream = Readable.from(pack, { objectMode: false });
  stream.once('close', () => pack.destroy());
  return { stream, changed: ended };
}

/** Sends exactly as many bytes as the header says, whatever the file has become, and returns their digest. */
async function packFile(
  pack: Pack,
  header: FileHeader,
  file: string,
  rewrite: ((text: string) => string) | undefined,
): Promise<ContentDigest> {
  const content = new FileContent(file, header.size);
  try {
    if (content.left > pieceBytes) return await packPieces(pack, header, content);
    const whole = content.next();
    const digest = contentDigest(whole);
    const sent = rewrite ? Buffer.from(rewrite(whole.toString())) : whole;
    await new Promise<void>((resolve, reject) => {
      pack.entry({ ...header, size: sent.length }, sent, (error) => (error ? reject(error) : resolve()));
    });
    return digest;
  } finally {
    content.close();
  }
}

async function packPieces(pack: Pack, header: FileHeader, content: FileContent): Promise<ContentDigest> {
  const hashing = createHash('sha256');
  await new Promise<void>((resolve, reject) => {
    const sink = pack.entry(header, (error) => (error ? reject(error) : resolve()));
    const more = (): void => {
      while (content.left > 0) {
        const piece = content.next();
        hashing.update(piece);
        if (!sink.write(piece)) return;
      }
      sink.end(null);
    };
    sink.on('drain', more);
    more();
  });
  return hashing.digest('hex');
}
