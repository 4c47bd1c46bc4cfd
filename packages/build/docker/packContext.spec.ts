import { chmodSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { extract, type Header } from 'tar-stream';
import { contentDigest, emptyDir, fileEntry, linkEntry } from '../../model';
import type { ContextEntry } from './context';
import { packContext } from './packContext';

const root = mkdtempSync(join(tmpdir(), 'slipway-pack-'));
afterAll(() => rmSync(root, { recursive: true }));

function put(path: string, content: string, mode = 0o644): ContextEntry {
  writeFileSync(join(root, path), content);
  chmodSync(join(root, path), mode);
  return { name: path, source: path, entry: fileEntry({ digest: contentDigest(content), size: Buffer.byteLength(content), mode }) };
}

async function packed(entries: readonly ContextEntry[]) {
  const { stream, changed } = packContext({ root, entries, rewrite: new Map() });
  return { tar: await buffer(stream), changed: await changed };
}

async function contentOf(tar: Buffer): Promise<(Partial<Header> & { readonly text: string })[]> {
  const found: (Partial<Header> & { readonly text: string })[] = [];
  const entries = extract();
  entries.end(tar);
  for await (const entry of entries) {
    const pieces: Uint8Array[] = [];
    for await (const piece of entry) pieces.push(piece as Uint8Array);
    const { name, type, mode, uid, gid, linkname } = entry.header;
    found.push({ name, type, mode, uid, gid, linkname, text: Buffer.concat(pieces).toString() });
  }
  return found;
}

describe('packContext', () => {
  it('packs files, links and directories with nothing of the disk but content and mode', async () => {
    const file = put('run.sh', '#!/bin/sh', 0o755);
    const { tar, changed } = await packed([
      { name: 'empty', source: 'empty', entry: emptyDir },
      { name: 'link', source: 'link', entry: linkEntry('../somewhere') },
      { ...file, name: 'bin/run.sh' },
    ]);
    expect(await contentOf(tar)).toEqual([
      { name: 'empty/', type: 'directory', mode: 0o755, uid: 0, gid: 0, linkname: null, text: '' },
      { name: 'link', type: 'symlink', mode: 0o777, uid: 0, gid: 0, linkname: '../somewhere', text: '' },
      { name: 'bin/run.sh', type: 'file', mode: 0o755, uid: 0, gid: 0, linkname: null, text: '#!/bin/sh' },
    ]);
    expect(changed.size).toBe(0);
  });

  it('makes the same bytes of the same content, whenever it was written', async () => {
    const entries = [put('a.txt', 'a'), put('b.txt', '')];
    const before = await packed(entries);
    utimesSync(join(root, 'a.txt'), 1, 1);
    expect((await packed(entries)).tar.equals(before.tar)).toBe(true);
  });

  it.each([
    ['small', 100],
    ['large', 3_500_000],
  ])('packs a %s file whole', async (_, size) => {
    const content = 'x'.repeat(size - 1) + 'y';
    const { tar, changed } = await packed([put('file', content), put('after', 'after')]);
    expect((await contentOf(tar)).map(({ text }) => text)).toEqual([content, 'after']);
    expect(changed.size).toBe(0);
  });

  it.each<[string, (path: string) => void]>([
    ['was written', (path) => writeFileSync(path, 'wasn’t told')],
    ['became shorter', (path) => writeFileSync(path, 'to')],
    ['was removed', (path) => rmSync(path)],
    ['became a link', (path) => [rmSync, (gone: string) => symlinkSync('after', gone)].forEach((step) => step(path))],
  ])('says which file %s since it was looked at, and goes on', async (_, change) => {
    const entries = [put('file', 'told'), put('after', 'after')];
    change(join(root, 'file'));
    const { tar, changed } = await packed(entries);
    rmSync(join(root, 'file'), { force: true });
    expect([...changed.keys()]).toEqual(['file']);
    expect((await contentOf(tar)).map(({ name }) => name)).toEqual(['file', 'after']);
  });

  it('sends what the entry says of a file that only grew', async () => {
    const entry = put('file', 'told');
    writeFileSync(join(root, 'file'), 'told and more');
    const { tar, changed } = await packed([entry]);
    expect(changed.size).toBe(0);
    expect((await contentOf(tar))[0]?.text).toBe('told');
  });

  it('ends when its reader does', async () => {
    const { stream, changed } = packContext({ root, entries: [put('file', 'x'.repeat(5_000_000))], rewrite: new Map() });
    stream.once('readable', () => stream.destroy());
    expect((await changed).size).toBe(0);
  });
});
