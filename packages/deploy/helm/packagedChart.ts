import { gunzipSync } from 'node:zlib';

const blockBytes = 512;

/** The files of a packaged chart by their names in it: `worker/templates/deployment.yaml`. Throws for what is no such package. */
export function filesOfPackage(bytes: Uint8Array): ReadonlyMap<string, string> {
  const tar = gunzipSync(bytes);
  const textAt = (from: number, length: number): string => tar.toString('utf8', from, from + length).replace(/\0.*$/s, '');
  const files = new Map<string, string>();
  let at = 0;
  // Source: POSIX ustar, as helm writes it.
  while (at + blockBytes <= tar.length) {
    const name = textAt(at, 100);
    if (name === '') break;
    const size = parseInt(textAt(at + 124, 12), 8) || 0;
    const prefix = textAt(at + 345, 155);
    const start = at + blockBytes;
    if (/^[0]?$/.test(textAt(at + 156, 1)))
      files.set(prefix === '' ? name : `${prefix}/${name}`, tar.toString('utf8', start, start + size));
    at = start + Math.ceil(size / blockBytes) * blockBytes;
  }
  return files;
}
