import type { ContainerPath } from '../model';

/** A file, link or directory to be unpacked at the root of a file system. */
export type TarMember =
  | { readonly kind: 'file'; readonly path: ContainerPath; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly kind: 'link'; readonly path: ContainerPath; readonly target: string }
  | { readonly kind: 'dir'; readonly path: ContainerPath };

const blockBytes = 512;

/**
 * A tar archive in the form that every tar reads, busybox's too: old GNU headers, names above 100 bytes as GNU long names (busybox
 * skips pax headers). Padded with zeros to a whole number of `padTo` bytes, which must itself be a multiple of 512.
 */
export function tarArchive(members: readonly TarMember[], padTo: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (const member of members) {
    const name = Buffer.from(`${member.path.slice(1)}${member.kind === 'dir' ? '/' : ''}`);
    const target = Buffer.from(member.kind === 'link' ? member.target : '');
    if (name.length > 100) pieces.push(...longText('L', name));
    if (target.length > 100) pieces.push(...longText('K', target));
    switch (member.kind) {
      case 'file':
        pieces.push(header('0', name, target, member.mode, member.bytes.length), member.bytes, padding(member.bytes.length, blockBytes));
        break;
      case 'link':
        pieces.push(header('2', name, target, 0o777, 0));
        break;
      case 'dir':
        pieces.push(header('5', name, target, 0o755, 0));
        break;
    }
  }
  const end = 2 * blockBytes;
  const size = pieces.reduce((sum, piece) => sum + piece.length, end);
  return Buffer.concat([...pieces, Buffer.alloc(end), padding(size, padTo)]);
}

function padding(size: number, multiple: number): Buffer {
  return Buffer.alloc((multiple - (size % multiple)) % multiple);
}

function longText(type: 'L' | 'K', text: Buffer): Buffer[] {
  const terminated = Buffer.concat([text, Buffer.alloc(1)]);
  return [
    header(type, Buffer.from('././@LongLink'), Buffer.alloc(0), 0o644, terminated.length),
    terminated,
    padding(terminated.length, blockBytes),
  ];
}

function header(type: string, name: Buffer, target: Buffer, mode: number, size: number): Buffer {
  const block = Buffer.alloc(blockBytes);
  name.copy(block, 0, 0, 100);
  octal(block, mode, 100, 8);
  octal(block, 0, 108, 8);
  octal(block, 0, 116, 8);
  octal(block, size, 124, 12);
  octal(block, 0, 136, 12);
  block.fill(' ', 148, 156);
  block.write(type, 156);
  target.copy(block, 157, 0, 100);
  block.write('ustar  \0', 257, 'latin1');
  let sum = 0;
  for (const byte of block) sum += byte;
  octal(block, sum, 148, 7);
  return block;
}

/** A number in octal digits that ends with a zero byte, as a field of that many bytes. */
function octal(block: Buffer, value: number, at: number, bytes: number): void {
  block.write(`${value.toString(8).padStart(bytes - 1, '0')}\0`, at, 'latin1');
}
