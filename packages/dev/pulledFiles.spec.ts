import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentDigest } from '../model';
import { PulledFiles } from './pulledFiles';

describe('files that are pulled into the workspace', () => {
  let root: string;
  let files: PulledFiles;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'slipway pulled '));
    mkdirSync(join(root, 'apps/api'), { recursive: true });
    files = new PulledFiles(root);
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const within = 'apps/api';
  const write = (path: string, text: string, expected?: string, executable = false) =>
    files.write({ path, within, bytes: Buffer.from(text), executable }, expected === undefined ? undefined : contentDigest(expected));
  const problemOf = (path: string) => {
    const answer = write(path, 'theirs');
    return answer.ok ? undefined : answer.problem.message;
  };

  it('are made with the directories above them, and nothing is left over', () => {
    expect(write('apps/api/src/made/a.ts', 'one')).toMatchObject({ ok: true, value: { size: 3, mode: 0o644 } });
    expect(readFileSync(join(root, 'apps/api/src/made/a.ts'), 'utf8')).toBe('one');
    expect(readdirSync(join(root, 'apps/api/src/made'))).toEqual(['a.ts']);
    expect(readdirSync(join(root, '.slipway/pulled'))).toEqual([]);
  });

  it('keep the mode that they have here, but for whether they can be run', () => {
    const file = join(root, 'apps/api/run');
    writeFileSync(file, 'one');
    chmodSync(file, 0o640);
    write('apps/api/run', 'two', 'one');
    expect(lstatSync(file).mode & 0o777).toBe(0o640);
    write('apps/api/run', 'three', 'two', true);
    expect(lstatSync(file).mode & 0o777).toBe(0o751);
  });

  it('are not written over what is not as expected', () => {
    writeFileSync(join(root, 'apps/api/lock'), 'mine');
    expect(write('apps/api/lock', 'theirs', 'older')).toEqual({ ok: true, value: undefined });
    expect(write('apps/api/lock', 'theirs')).toEqual({ ok: true, value: undefined });
    expect(readFileSync(join(root, 'apps/api/lock'), 'utf8')).toBe('mine');
  });

  it('never land outside of the project, nor in place of a link or a directory, whatever links lead there', () => {
    mkdirSync(join(root, 'elsewhere'));
    mkdirSync(join(root, 'apps/api/folder'));
    symlinkSync(join(root, 'elsewhere'), join(root, 'apps/api/out'));
    symlinkSync('nowhere', join(root, 'apps/api/dangling'));
    symlinkSync('folder', join(root, 'apps/api/in'));
    expect(problemOf('apps/api/out/a')).toContain('reached through a link to');
    expect(problemOf('apps/api/out/b/a')).toContain('reached through a link to');
    expect(problemOf('apps/api/dangling/a')).toContain('is not pulled');
    expect(problemOf('apps/api/dangling')).toContain('there is a link here');
    expect(problemOf('apps/api/folder')).toContain('there is a directory here');
    expect(problemOf('apps/api/../../elsewhere/a')).toContain('is not pulled');
    expect(problemOf('apps/other')).toContain('is not pulled');
    expect(problemOf('apps/api/.git/hooks/pre-commit')).toContain('is not pulled');
    expect(problemOf('apps/api/in/a')).toBeUndefined();
    expect(readdirSync(join(root, 'elsewhere'))).toEqual([]);
    expect(readdirSync(join(root, 'apps'))).toEqual(['api']);
  });

  it('are remembered by those who come after', () => {
    files.remember('apps/api/lock', contentDigest('one'));
    expect(new PulledFiles(root).lastOf('apps/api/lock')).toBe(contentDigest('one'));
    writeFileSync(join(root, '.slipway/pulled/last.json'), 'damaged');
    expect(new PulledFiles(root).lastOf('apps/api/lock')).toBeUndefined();
  });

  it('are kept where nothing uses them when both sides have changed', () => {
    expect(files.setAside('apps/api/lock', Buffer.from('theirs'))).toEqual({ ok: true, value: '.slipway/pulled/theirs/apps/api/lock' });
    expect(readFileSync(join(root, '.slipway/pulled/theirs/apps/api/lock'), 'utf8')).toBe('theirs');
  });
});
