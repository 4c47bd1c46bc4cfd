import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';

/** What is below a folder, by its path there: `directory`, `link TEXT`, or `file MODE BYTES SHA-256`. */
export type TreeListing = ReadonlyMap<string, string>;

/** A folder of this machine, as a container is to have it: sockets, pipes and what is not `accepted` are not copied. */
export function listingOf(folder: string, accepted: (name: string) => boolean): TreeListing {
  const listing = new Map<string, string>();
  const look = (at: string): void => {
    for (const name of readdirSync(join(folder, at)).filter(accepted)) {
      const path = at === '' ? name : `${at}/${name}`;
      const stats = lstatSync(join(folder, path));
      if (stats.isSymbolicLink()) listing.set(path, `link ${readlinkSync(join(folder, path))}`);
      else if (stats.isFile()) listing.set(path, fileLine(stats.mode & 0o755, readFileSync(join(folder, path))));
      else if (stats.isDirectory()) {
        listing.set(path, 'directory');
        look(path);
      }
    }
  };
  look('');
  return listing;
}

/** What a tar archive holds, from the `./` that it was made of. */
export async function listingInTar(archive: Readable): Promise<TreeListing> {
  const listing = new Map<string, string>();
  const reading = extract();
  archive.pipe(reading);
  for await (const entry of reading) {
    const { type, name, linkname, mode } = entry.header;
    const path = name.replace(/^\.\//, '').replace(/\/$/, '');
    const content = await buffer(entry);
    if (path === '' || path === '.') continue;
    if (type === 'directory') listing.set(path, 'directory');
    else if (type === 'symlink') listing.set(path, `link ${linkname}`);
    else listing.set(path, type === 'file' ? fileLine(mode & 0o777, content) : type);
  }
  return listing;
}

/** A file's line. */
export function fileLine(mode: number, content: Uint8Array): string {
  return `file ${mode.toString(8)} ${String(content.length)} ${createHash('sha256').update(content).digest('hex').slice(0, 16)}`;
}

/** Where two listings differ, a line each; empty when they are equal. */
export function differencesOf(wanted: TreeListing, held: TreeListing): readonly string[] {
  return [...new Set([...wanted.keys(), ...held.keys()])]
    .sort()
    .filter((path) => wanted.get(path) !== held.get(path))
    .map((path) => `${JSON.stringify(path)} is ${held.get(path) ?? 'missing'} instead of ${wanted.get(path) ?? 'nothing'}`);
}
