import type { LayerEntry, Node } from './fileTree';

const block = 512;

/** What stands before the content of an entry. Sizes and names that the old form has no room for go into a pax header, as the image specification asks. */
export function tarHeader({ path, node }: LayerEntry): Buffer {
  const name = `${path.slice(1)}${node.kind === 'dir' ? '/' : ''}`;
  const target = node.kind === 'link' ? node.target : '';
  const size = node.kind === 'file' ? node.size : 0;
  const records: (readonly [string, string])[] = [];
  if (!fits(name, 100)) records.push(['path', name]);
  if (!fits(target, 100)) records.push(['linkpath', target]);
  if (size > 0o77777777777) records.push(['size', String(size)]);
  if (node.uid > 0o7777777) records.push(['uid', String(node.uid)]);
  if (node.gid > 0o7777777) records.push(['gid', String(node.gid)]);
  const own = header({ name, target, size, type: types[node.kind], node });
  if (records.length === 0) return own;
  const text = Buffer.from(records.map(([key, value]) => record(key, value)).join(''));
  const pax = header({ name: 'PaxHeaders/0', target: '', size: text.length, type: 'x', node: { ...node, mode: 0o644, uid: 0, gid: 0 } });
  return Buffer.concat([pax, text, padding(text.length), own]);
}

const types: Readonly<Record<Node['kind'], string>> = { file: '0', link: '2', dir: '5', other: '0' };

/** What fills the last block of a content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((block - (size % block)) % block);
}

export const tarEnd = Buffer.alloc(2 * block);

function fits(text: string, bytes: number): boolean {
  return Buffer.byteLength(text) <= bytes && /^[\x20-\x7e]*$/.test(text);
}

/** Its length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const bytes = Buffer.byteLength(rest);
  let length = bytes + String(bytes).length;
  if (bytes + String(length).length > length) length += 1;
  return `${length}${rest}`;
}

interface Header {
  readonly name: string;
  readonly target: string;
  readonly size: number;
  readonly type: string;
  readonly node: Pick<Node, 'mode' | 'uid' | 'gid' | 'mtime'>;
}

function header({ name, target, size, type, node }: Header): Buffer {
  const bytes = Buffer.alloc(block);
  Buffer.from(name).copy(bytes, 0, 0, 100);
  octal(bytes, type === '2' ? 0o777 : node.mode, 100, 8);
  octal(bytes, node.uid, 108, 8);
  octal(bytes, node.gid, 116, 8);
  octal(bytes, size, 124, 12);
  octal(bytes, node.mtime, 136, 12);
  bytes.fill(' ', 148, 156);
  bytes.write(type, 156, 'latin1');
  Buffer.from(target).copy(bytes, 157, 0, 100);
  bytes.write('ustar\x0000', 257, 'latin1');
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** A number in octal digits that ends with a zero byte. One that is too large stands in the pax header. */
function octal(bytes: Buffer, value: number, at: number, length: number): void {
  const largest = 8 ** (length - 1) - 1;
  bytes.write(`${(value > largest ? 0 : Math.max(0, Math.floor(value))).toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
}
