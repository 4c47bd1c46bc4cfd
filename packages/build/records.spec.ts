import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentDigest, dirEntry, emptyDir, fileEntry, linkEntry, withEntries, type Snapshot } from '../model';
import { readImageRecord, writeImageRecord } from '.';

let cacheDir: string;
beforeEach(() => {
  cacheDir = join(mkdtempSync(join(tmpdir(), 'slipway-records-')), 'images');
});
afterEach(() => rmSync(join(cacheDir, '..'), { recursive: true }));

function snapshotOf(inputsHash: string): Snapshot {
  const file = fileEntry({ digest: contentDigest(inputsHash), size: 3, mode: 0o755 });
  const sources = withEntries(emptyDir, [
    ['apps/api/main.js', file],
    ['apps/api/__proto__', file],
    ['apps/link', linkEntry('api')],
    ['apps/empty', emptyDir],
  ]);
  return { inputsHash, rebuildHash: 'rebuild', layoutHash: 'layout', sources, tree: dirEntry(new Map([['app', sources]])) };
}

function onlyFile(): string {
  return join(cacheDir, readdirSync(cacheDir)[0] ?? '');
}

describe('records of images', () => {
  it('are read as they were written', () => {
    const snapshot = snapshotOf('in/puts:1');
    writeImageRecord(cacheDir, snapshot);
    expect(readImageRecord(cacheDir, 'in/puts:1')).toEqual(snapshot);
  });

  it('are absent when none was written', () => {
    expect(readImageRecord(cacheDir, 'other')).toBeUndefined();
  });

  it.each<[string, (text: string) => string]>([
    ['cut short', (text) => text.slice(0, -10)],
    ['empty', () => ''],
    ['another file’s digest', (text) => text.replace(contentDigest('inputs'), contentDigest('others'))],
    ['no JSON', () => `${contentDigest('{')}\n{`],
  ])('are absent when damaged: %s', (_, damage) => {
    writeImageRecord(cacheDir, snapshotOf('inputs'));
    writeFileSync(onlyFile(), damage(readFileSync(onlyFile(), 'utf8')));
    expect(readImageRecord(cacheDir, 'inputs')).toBeUndefined();
  });

  it('cost nothing but a build when they cannot be written', () => {
    writeFileSync(cacheDir, 'a file in the way');
    writeImageRecord(cacheDir, snapshotOf('inputs'));
    expect(readImageRecord(cacheDir, 'inputs')).toBeUndefined();
  });

  it('are kept two hundred at a time, those that were asked for longest', () => {
    writeImageRecord(cacheDir, snapshotOf('first'));
    for (let index = 0; index < 210; index++) {
      writeImageRecord(cacheDir, snapshotOf(`inputs ${index}`));
      readImageRecord(cacheDir, 'first');
    }
    expect(readdirSync(cacheDir)).toHaveLength(200);
    expect(readImageRecord(cacheDir, 'first')).toBeDefined();
    expect(readImageRecord(cacheDir, 'inputs 0')).toBeUndefined();
  });
});
