import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, keyOf, parseCachedName, PROGRAMS } from './gobuild';

describe('the cache of built programs', () => {
  const sources = { 'main.go': 'package main', 'go.mod': 'module x' };
  const key = keyOf(sources, '-s', 'go1.26/amd64');

  test.each([
    ['a source', keyOf({ ...sources, 'main.go': 'package main // ' }, '-s', 'go1.26/amd64')],
    ['the name of a source', keyOf({ 'other.go': 'package main', 'go.mod': 'module x' }, '-s', 'go1.26/amd64')],
    ['a new source', keyOf({ ...sources, 'go.sum': '' }, '-s', 'go1.26/amd64')],
    ['a flag', keyOf(sources, '-w', 'go1.26/amd64')],
    ['the Go', keyOf(sources, '-s', 'go1.27/amd64')],
  ])('%s changes the key', (_what, other) => {
    expect(other).not.toBe(key);
  });

  test('the order in which sources are listed does not', () => {
    expect(keyOf({ 'go.mod': 'module x', 'main.go': 'package main' }, '-s', 'go1.26/amd64')).toBe(key);
  });

  test('a file name says what it holds, and other names say nothing', () => {
    expect(parseCachedName('pause-0123456789abcdef-fedcba9876543210')).toEqual({
      name: 'pause',
      key: '0123456789abcdef',
      digest: 'fedcba9876543210',
    });
    expect(parseCachedName('.pause.4711')).toBeUndefined();
    expect(parseCachedName('pause-0123456789abcdef')).toBeUndefined();
  });

  describe('with a Go that counts', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-gobuild-'));
    const cacheFolder = join(folder, 'cache');
    const command = join(folder, 'go');
    const builds = () => readFileSync(join(folder, 'builds'), 'utf8').length;
    const go = { command, version: 'go1.26/amd64' };
    const options = { go, sourceFolder: folder, cacheFolder, logFile: join(folder, 'log') };

    beforeAll(() => {
      mkdirSync(join(folder, 'pause'));
      writeFileSync(join(folder, 'pause/main.go'), 'package main');
      writeFileSync(join(folder, 'builds'), '');
      // Writes what it was asked to build to the path after `-o`.
      writeFileSync(command, `#!/bin/sh\nprintf x >>${folder}/builds\nwhile [ "$1" != -o ]; do shift; done\necho built >"$2"\n`);
      chmodSync(command, 0o755);
    });
    afterAll(() => {
      rmSync(folder, { recursive: true, force: true });
    });

    test('builds once, and again only when the file it kept is no longer what it was', async () => {
      const first = await build(PROGRAMS.pause, options);
      expect(first.fromCache).toBe(false);
      expect(await build(PROGRAMS.pause, options)).toEqual({ path: first.path, fromCache: true });
      expect(builds()).toBe(1);

      writeFileSync(first.path, 'cut sh');
      expect(await build(PROGRAMS.pause, options)).toEqual({ path: first.path, fromCache: false });
      expect(readFileSync(first.path, 'utf8')).toBe('built\n');
      expect(builds()).toBe(2);
    });

    test('clears away what a killed build left, and leaves no such file itself', async () => {
      writeFileSync(join(cacheFolder, '.pause.999999999'), 'half');
      writeFileSync(join(folder, 'pause/main.go'), 'package main // changed');
      await build(PROGRAMS.pause, options);
      expect(readdirSync(cacheFolder).filter((name) => name.startsWith('.'))).toEqual([]);
    });
  });
});
