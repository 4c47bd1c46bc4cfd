import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readNxJson } from './nxJson';

describe('nx.json', () => {
  let root: string;
  const write = (path: string, content: object) => writeFileSync(join(root, path), JSON.stringify(content));
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'slipway-nx-json-'));
    mkdirSync(join(root, 'node_modules/nx/dist/presets'), { recursive: true });
    write('node_modules/nx/package.json', { name: 'nx', exports: { './presets/*.json': './dist/presets/*.json' } });
    write('node_modules/nx/dist/presets/npm.json', { defaultBase: 'trunk', namedInputs: { preset: ['{projectRoot}/**/*'] } });
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it('has what the preset says that it extends', () => {
    write('nx.json', { extends: 'nx/presets/npm.json', defaultBase: 'main' });
    expect(readNxJson(root)).toMatchObject({ defaultBase: 'main', namedInputs: { preset: ['{projectRoot}/**/*'] } });
  });

  it('says itself what wins, as a whole', () => {
    write('nx.json', { extends: 'nx/presets/npm.json', namedInputs: { own: [] } });
    expect(readNxJson(root)).toMatchObject({ defaultBase: 'trunk', namedInputs: { own: [] } });
    expect(readNxJson(root)?.namedInputs).not.toHaveProperty('preset');
  });

  it('is not known without its preset', () => {
    write('nx.json', { extends: 'nx/presets/none.json', defaultBase: 'main' });
    expect(readNxJson(root)).toBeUndefined();
  });
});
