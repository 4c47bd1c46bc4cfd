import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emptyDir } from '../model';
import { sourceReader, wholeFileBytes } from './sourceReader';

const change = (source: string) => ({ path: `/app/${source}`, source, after: emptyDir });

describe('a source', () => {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'slipway-sources-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it('is read whole up to a size, and comes as a stream above it', async () => {
    writeFileSync(join(root, 'a'), 'text');
    writeFileSync(join(root, 'large'), '');
    truncateSync(join(root, 'large'), wholeFileBytes + 1);
    const read = sourceReader(root);
    expect(read(change('a'))).toEqual({ ok: true, value: { kind: 'bytes', bytes: Buffer.from('text') } });
    const large = read(change('large'));
    if (!large.ok || large.value?.kind !== 'stream') throw new Error('it came whole');
    let size = 0;
    for await (const chunk of large.value.chunks) size += chunk.length;
    expect([large.value.size, size]).toEqual([wholeFileBytes + 1, wholeFileBytes + 1]);
  });

  it.each([
    ['is gone', () => undefined],
    ['has become a directory', () => mkdirSync(join(root, 'a'))],
    ['has become a link', () => symlinkSync('b', join(root, 'a'))],
    ['has a file where its directory was', () => writeFileSync(join(root, 'd'), '')],
  ])('that %s is not there', (_, happen) => {
    writeFileSync(join(root, 'b'), 'other');
    happen();
    expect(sourceReader(root)(change('a'))).toEqual({ ok: true, value: undefined });
    expect(sourceReader(root)(change('d/a'))).toEqual({ ok: true, value: undefined });
  });

  it('that may not be read is a problem', () => {
    // The superuser may read everything; a name that no system takes fails for everybody.
    const [name, path] = process.geteuid?.() === 0 ? ['n'.repeat(300), undefined] : ['a', join(root, 'a')];
    if (path !== undefined) {
      writeFileSync(path, '');
      chmodSync(path, 0);
    }
    expect(sourceReader(root)(change(name))).toMatchObject({ ok: false, problem: { code: 'sourceUnreadable', exitCode: 1 } });
  });
});
