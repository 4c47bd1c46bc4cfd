import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processes } from '../clients';
import type { GitFacts } from '../tag';
import { readGit } from './readGit';

describe('what git says of a workspace', () => {
  let repository: string;
  beforeEach(() => (repository = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-git-')))));
  afterEach(() => rmSync(repository, { recursive: true }));

  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.test', ...args], { cwd: repository, encoding: 'utf8' }).trim();
  const write = (path: string, content: string): void => {
    mkdirSync(join(repository, path, '..'), { recursive: true });
    writeFileSync(join(repository, path), content);
  };
  const facts = async (below: string, ...directories: readonly string[]): Promise<GitFacts | undefined> => {
    const read = await readGit({ root: join(repository, below), directories, processes });
    if (!read.ok) throw new Error(read.problem.message);
    return read.value;
  };

  it('is nothing without a repository, and without a commit', async () => {
    expect(await facts('')).toBeUndefined();
    git('init', '--quiet');
    expect(await facts('')).toBeUndefined();
  });

  it('is its commit, tag and trees, and which of its own files are not as they were committed', async () => {
    git('init', '--quiet');
    for (const path of ['outside.txt', 'web/a.txt', 'web/apps/api/with a space ü.txt', 'web/apps/api/gone.txt']) write(path, path);
    git('add', '--all');
    git('commit', '--quiet', '--message', 'one');
    git('tag', 'v1');
    write('outside.txt', 'changed');
    write('web/apps/api/with a space ü.txt', 'changed');
    write('web/apps/new/deep/file.txt', 'new');
    rmSync(join(repository, 'web/apps/api/gone.txt'));
    const commit = git('rev-parse', 'HEAD');
    expect(await facts('web', '', 'apps/api', 'apps/new')).toEqual({
      commit,
      shortCommit: git('rev-parse', '--short', 'HEAD'),
      described: 'v1',
      trees: new Map([
        ['', git('rev-parse', 'HEAD:web')],
        ['apps/api', git('rev-parse', 'HEAD:web/apps/api')],
      ]),
      changed: ['apps/api/gone.txt', 'apps/api/with a space ü.txt', 'apps/new/deep/file.txt'],
    });
  });
});
