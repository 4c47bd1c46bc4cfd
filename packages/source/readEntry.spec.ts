import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leavesOf, succeeded } from '../model';
import { readEntry } from '.';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-entry-'));
  for (const path of ['dist/lib/a.js', 'dist/node_modules/left/index.js', 'dist/b.js', 'node_modules/x.js']) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), path);
  }
  symlinkSync('b.js', join(root, 'dist/c.js'));
});
afterEach(() => rmSync(root, { recursive: true }));

async function pathsAt(path: string, accepts?: (path: string) => boolean): Promise<string[] | undefined> {
  const entry = await readEntry(root, path, accepts);
  if (!entry.ok) throw new Error(entry.problem.message);
  return entry.value && [...leavesOf(entry.value)].map(([at]) => at);
}

describe('readEntry', () => {
  it('reads a directory whole, links as links, without what no scope follows', async () => {
    expect(await pathsAt('dist')).toEqual(['b.js', 'c.js', 'lib/a.js']);
    expect(await pathsAt('')).toEqual(['dist/b.js', 'dist/c.js', 'dist/lib/a.js']);
  });

  it('reads what is named, whatever its name', async () => {
    expect(await pathsAt('node_modules')).toEqual(['x.js']);
  });

  it('leaves out what is not accepted', async () => {
    expect(await pathsAt('dist', (path) => path !== 'dist/lib')).toEqual(['b.js', 'c.js']);
  });

  it.each(['missing', 'missing/deep', 'dist/b.js/below'])('says that nothing is at %s', async (path) => {
    expect(await readEntry(root, path)).toEqual(succeeded(undefined));
  });
});
