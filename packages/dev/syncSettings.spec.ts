import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSyncSettings, type GivenSync } from './syncSettings';

describe('what a sync is told', () => {
  const cwd = mkdtempSync(join(realpathSync(tmpdir()), 'slipway-settings-'));
  afterAll(() => rmSync(cwd, { recursive: true }));
  const read = (given: GivenSync, env: Readonly<Record<string, string>> = {}, namespace?: string) =>
    readSyncSettings({ given, env, namespace, cwd });
  const messages = (...args: Parameters<typeof read>): readonly string[] => {
    const answer = read(...args);
    return answer.ok ? [] : answer.problems.map(({ message }) => message);
  };

  it('is of projects, at once and with deletions, when nothing is said', () => {
    expect(read({})).toEqual({ ok: true, value: { namespace: undefined, debounceMs: 0, deletes: true, folder: undefined } });
  });

  it('comes from variables of the environment, and from options before them', () => {
    const env = {
      SLIPWAY_NAMESPACE: 'shop',
      SLIPWAY_SELECTOR: 'app=web',
      SLIPWAY_CONTAINER: 'nginx',
      SLIPWAY_REMOTE_PATH: '/srv/www/',
      SLIPWAY_EXCLUDE: '*.log, tmp/\n!keep.log',
      SLIPWAY_DEBOUNCE_MS: '200',
      SLIPWAY_DELETES: 'true',
      SLIPWAY_MIRROR: '1',
      SLIPWAY_WRITE: 'atomic',
      SLIPWAY_PULL: 'package-lock.json, gen/*.ts',
    };
    const folder = {
      selector: 'app=web',
      container: 'nginx',
      localPath: cwd,
      remotePath: '/srv/www',
      exclude: ['*.log', 'tmp/', '!keep.log'],
      mirror: true,
      write: 'atomic',
      pull: ['package-lock.json', 'gen/*.ts'],
    };
    expect(read({}, env)).toEqual({ ok: true, value: { namespace: 'shop', debounceMs: 200, deletes: true, folder } });
    const over = { mirror: false, write: 'in-place', pull: ['b'] } as const;
    const given = { selector: 'app=api', remotePath: '/app', exclude: ['a'], debounceMs: 0, deletes: false, ...over };
    expect(read(given, env, 'other')).toEqual({
      ok: true,
      value: {
        namespace: 'other',
        debounceMs: 0,
        deletes: false,
        folder: { ...folder, selector: 'app=api', remotePath: '/app', exclude: ['a'], ...over },
      },
    });
  });

  it('is refused with all mistakes at once', () => {
    expect(
      messages({ selector: 'app=web', remotePath: 'app', localPath: 'missing' }, { SLIPWAY_DEBOUNCE_MS: 'x', SLIPWAY_DELETES: 'no' }),
    ).toEqual([
      'SLIPWAY_DEBOUNCE_MS is "x", which is no number of milliseconds',
      'SLIPWAY_DELETES is "no"',
      '--remote-path is "app", which is no absolute path below the root',
      `--local-path is ${join(cwd, 'missing')}, which is no directory`,
    ]);
    expect(messages({ selector: 'app=web' })).toEqual(['--remote-path is missing: where in the container the folder goes']);
    expect(messages({ selector: 'app=web', remotePath: '//' })).toHaveLength(1);
    const env = { SLIPWAY_REMOTE_PATH: 'app', SLIPWAY_LOCAL_PATH: 'missing', SLIPWAY_PULL: '../a' };
    expect(messages({ selector: 'app=web' }, env)).toEqual([
      'SLIPWAY_REMOTE_PATH is "app", which is no absolute path below the root',
      `SLIPWAY_LOCAL_PATH is ${join(cwd, 'missing')}, which is no directory`,
      expect.stringMatching(/^SLIPWAY_PULL /) as string,
    ]);
  });

  it('mirrors nothing that a container runs on, and pulls nothing from elsewhere', () => {
    const folder = { selector: 'app=web', remotePath: '/srv/www' };
    expect(messages({ ...folder, remotePath: '/etc', mirror: true })).toEqual([
      expect.stringContaining('files that they run on') as string,
    ]);
    expect(messages({ ...folder, mirror: true, deletes: false })).toHaveLength(1);
    expect(messages(folder, { SLIPWAY_WRITE: 'twice', SLIPWAY_MIRROR: 'no' })).toEqual([
      'SLIPWAY_MIRROR is "no"',
      'SLIPWAY_WRITE is "twice"',
    ]);
    expect(messages({ ...folder, pull: ['../a', '/etc/passwd', '.', 'lock'] })).toHaveLength(3);
    expect(messages({ pull: ['lock'] })).toEqual([expect.stringContaining('--pull is for a folder') as string]);
  });

  it('says what is missing when it is about a folder and no pods are chosen', () => {
    expect(messages({ remotePath: '/app' })).toEqual([expect.stringContaining('--remote-path is for a folder') as string]);
  });
});
