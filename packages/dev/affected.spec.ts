import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphProject, GraphSource } from '../graph';
import { succeeded } from '../model';
import { affectedProjects, type AffectedOptions } from './affected';
import type { CommandOptions } from './command';
import { readWorkspace } from './readWorkspace';

// On a repository of git itself: what it prints is the half of it.
let folder: string;
let root: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-affected-')));
  root = join(folder, 'repository');
  mkdirSync(root);
  git('init', '--quiet', '--initial-branch=main');
  for (const [path, text] of Object.entries(files)) write(path, text);
  commit();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const pod = (image: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${image}}\nspec: {containers: [{name: c, image: ${image}}]}\n`;
/** `api` and `web` stand on the image of `base`; `api` takes a library, `web` a folder of nobody; `jobs` runs the image of `api`. */
const files = {
  'base/Dockerfile': 'FROM scratch\nCOPY etc /etc/\n',
  'base/etc/hosts': '',
  'api/Dockerfile': 'FROM scratch\nCOPY api/src libs/log/ *.json /app/\n',
  'base/.dockerignore': '',
  'api/src/a.js': '',
  'api/src/admin/package.json': '{}',
  'api/k8s/api.yaml': pod('api'),
  'api/k8s/old.yaml': pod('other:1'),
  'api/README.md': '',
  'libs/log/log.js': '',
  'web/Dockerfile': 'FROM base\nCOPY assets/ web/site/ /www/\n',
  'web/site/index.html': '',
  'web/k8s/web.yaml': pod('web'),
  'assets/logo.svg': '',
  'jobs/k8s/job.yaml': pod('api'),
  'deps.json': '',
  'README.md': '',
  'slipway.yaml': 'version: 1\n',
};

const project = (name: string, at = name): GraphProject => ({ name, root: at, dependencies: [], targets: new Map() });
const graph = (more: Partial<GraphSource> = {}): GraphSource => ({
  kind: 'nx',
  root,
  watch: [],
  read: () =>
    Promise.resolve(
      succeeded({
        projects: ['base', 'api', 'web', 'jobs']
          .map((name) => project(name))
          .concat(project('log', 'libs/log'), project('admin', 'api/src/admin'), project('docs')),
      }),
    ),
  runTarget: () => ({ command: 'nx', args: [] }),
  ...more,
});

function git(...args: readonly string[]): string {
  const names = ['-c', 'user.name=a', '-c', 'user.email=a@example', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', [...names, ...args], { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function commit(): void {
  git('add', '--all');
  git('commit', '--quiet', '--allow-empty', '--message=x');
}

async function ask(options: AffectedOptions = {}, more: Partial<CommandOptions> = {}) {
  const command: CommandOptions = {
    root,
    graph: graph(),
    projects: [],
    env: {},
    report: () => undefined,
    signal: new AbortController().signal,
    ...more,
  };
  return affectedProjects(command, options, () => readWorkspace({ root: command.root, graph: command.graph, mode: 'deploy', env: {} }));
}

async function affected(...asked: Parameters<typeof ask>): Promise<readonly string[]> {
  const answer = await ask(...asked);
  if (!answer.ok) throw new Error(`${answer.problem.code}: ${answer.problem.message}`);
  return answer.value.projects.map(({ project: name }) => name);
}

const edit =
  (path: string, text = 'changed\n') =>
  () =>
    write(path, text);
const remove = (path: string) => () => rmSync(join(root, path), { recursive: true });
const move = (from: string, to: string) => () => renameSync(join(root, from), join(root, to));

it.each<[string, () => void, readonly string[]]>([
  ['nothing', () => undefined, []],
  ['a source of a service', edit('web/site/index.html'), ['web']],
  ['a source whose image another project runs', edit('api/src/a.js'), ['api', 'jobs']],
  ['a library', edit('libs/log/log.js'), ['api', 'jobs']],
  ['a file of a project inside the sources', edit('api/src/admin/package.json', '{"a":1}'), ['api', 'jobs']],
  ['a folder outside of every project', edit('assets/logo.svg'), ['web']],
  ['a file that a pattern is new to', edit('more.json'), ['api', 'jobs']],
  ['an image that others stand on', edit('base/etc/hosts'), ['base', 'web']],
  ['a Dockerfile', edit('web/Dockerfile', 'FROM base\nCOPY assets /www/\n'), ['web']],
  ['a manifest', edit('api/k8s/api.yaml', `${pod('api')}# more\n`), ['api']],
  ['a new manifest', edit('api/k8s/new.yaml', pod('other:2')), ['api']],
  ['a removed manifest', remove('api/k8s/old.yaml'), ['api']],
  ['a renamed manifest', move('api/k8s/old.yaml', 'api/k8s/new.yaml'), ['api']],
  ['a removed source', remove('api/src/a.js'), ['api', 'jobs']],
  ['a source that was moved to where nobody takes it', move('web/site/index.html', 'index.html'), ['web']],
  ['a removed file of a pattern', () => [edit('b.json'), remove('deps.json')].forEach((act) => act()), ['api', 'jobs']],
  ['a removed ignore file', remove('base/.dockerignore'), ['base', 'web']],
  ['a new ignore file', edit('web/Dockerfile.dockerignore', ''), ['web']],
  ['a folder that an image takes and that is gone', remove('assets'), ['web']],
  ['prose', () => [edit('README.md'), edit('api/README.md')].forEach((act) => act()), []],
  ['a Dockerfile of an image that another project runs', edit('api/Dockerfile', 'FROM scratch\nCOPY api/src /app/\n'), ['api', 'jobs']],
  ['the config of a project whose image another one runs', edit('api/slipway.yaml', 'version: 1\n'), ['api', 'jobs']],
  ['the config of a project whose image another one stands on', edit('base/slipway.yaml', 'version: 1\n'), ['base', 'web']],
  ['the config of a project', edit('web/slipway.yaml', 'version: 1\nnamespace: other\n'), ['web']],
  ['the config of a project without anything to deploy', edit('docs/slipway.yaml', 'version: 1\n'), []],
  ['the config of the workspace', edit('slipway.yaml', 'version: 1\nnamespace: other\n'), ['api', 'base', 'jobs', 'web']],
  ['a mistake in a Dockerfile', edit('web/Dockerfile', 'FORM base\n'), ['web']],
])('%s, whether or not it is committed', async (_, change, expected) => {
  change();
  expect(await affected()).toEqual(expected);
  commit();
  expect(await affected({ base: 'HEAD~1' })).toEqual(expected);
});

it('does not read the workspace when nothing has changed, unless somebody names a project', async () => {
  const unread = graph({ read: () => Promise.reject(new Error('the graph was asked for')) });
  expect(await ask({}, { graph: unread })).toMatchObject({ ok: true, value: { workspace: undefined, projects: [] } });
  await expect(ask({}, { graph: unread, projects: ['web'] })).rejects.toThrow('the graph was asked for');
});

it('says for which files, once for each reason, and since when', async () => {
  write('web/site/index.html', 'x');
  write('web/site/more.html', 'x');
  write('web/k8s/web.yaml', `${pod('web')}# more\n`);
  expect(await ask()).toMatchObject({
    value: {
      since: expect.stringMatching(/^since main \([0-9a-f]{7}\), 3 files changed$/) as string,
      projects: [
        {
          project: 'web',
          image: true,
          because: [
            'web/k8s/web.yaml: a manifest of web',
            expect.stringMatching(/^web\/site\/index\.html and 1 more: copied to \/www \(web\/Dockerfile:2\)/) as string,
          ],
        },
      ],
    },
  });
});

it('a manifest asks for no image', async () => {
  write('api/k8s/api.yaml', `${pod('api')}# more\n`);
  expect(await ask()).toMatchObject({ value: { projects: [{ project: 'api', image: false }] } });
});

it('compares with where the branch began, not with what others have done since', async () => {
  git('switch', '--quiet', '--create=feature');
  write('web/site/index.html', 'x');
  commit();
  git('switch', '--quiet', 'main');
  write('api/src/a.js', 'x');
  commit();
  git('switch', '--quiet', 'feature');
  expect(await affected()).toEqual(['web']);
});

it('with a head, compares that and not the files', async () => {
  write('web/site/index.html', 'x');
  commit();
  write('api/src/a.js', 'x');
  git('add', '--all');
  expect(await affected({ base: 'HEAD~1', head: 'HEAD' })).toEqual(['web']);
  expect(await affected({ base: 'HEAD~1' })).toEqual(['api', 'jobs', 'web']);
});

it('leaves out what git ignores, and with a head what is not added', async () => {
  write('.gitignore', 'web/site/made\n');
  write('web/site/made/x.html', 'x');
  expect(await affected()).toEqual([]);
  write('web/site/x.html', 'x');
  expect(await affected({ head: 'HEAD' })).toEqual([]);
});

it('knows a workspace that is a folder of a larger repository', async () => {
  write('mono/svc/Dockerfile', 'FROM scratch\nCOPY src /src/\n');
  write('mono/svc/src/a ü.js', 'x');
  commit();
  const inner = join(root, 'mono');
  const more = { root: inner, graph: graph({ root: inner, read: () => Promise.resolve(succeeded({ projects: [project('svc')] })) }) };
  write('web/site/index.html', 'x');
  expect(await affected({}, more)).toEqual([]);
  write('mono/svc/src/a ü.js', 'y');
  expect(await affected({}, more)).toEqual(['svc']);
  rmSync(join(inner, 'svc/src/a ü.js'));
  expect(await affected({}, more)).toEqual(['svc']);
});

it.each<[string, Partial<CommandOptions> & { readonly defaultBase?: string }, string]>([
  ['NX_BASE', { env: { NX_BASE: 'one', TURBO_SCM_BASE: 'two' }, defaultBase: 'three' }, 'one'],
  ['TURBO_SCM_BASE', { env: { NX_BASE: '', TURBO_SCM_BASE: 'two' }, defaultBase: 'three' }, 'two'],
  ['defaultBase', { defaultBase: 'three' }, 'three'],
  ['a defaultBase of the remote', { defaultBase: 'remote' }, 'origin/remote'],
  ['main when the defaultBase is not there', { defaultBase: 'none' }, 'main'],
])('compares with %s', async (_, { defaultBase, ...more }, expected) => {
  for (const branch of ['one', 'two', 'three']) git('branch', branch);
  git('update-ref', 'refs/remotes/origin/remote', 'HEAD');
  const answer = await ask({}, { ...more, graph: graph(defaultBase === undefined ? {} : { defaultBase: () => defaultBase }) });
  expect(answer).toMatchObject({ value: { since: expect.stringContaining(`since ${expected} (`) as string } });
});

it('says what keeps it from comparing, and what to do', async () => {
  expect(await ask({ base: 'nope' })).toMatchObject({ problem: { code: 'refUnknown', exitCode: 2, message: 'git knows no commit nope' } });
  expect(await ask({ head: 'nope' })).toMatchObject({ problem: { code: 'refUnknown', message: 'git knows no commit nope' } });
  expect(await ask({}, { env: { NX_BASE: 'nope' } })).toMatchObject({ problem: { code: 'refUnknown' } });
  git('switch', '--quiet', '--orphan', 'elsewhere');
  commit();
  expect(await ask()).toMatchObject({ problem: { code: 'historyMissing', hint: expect.stringContaining('--base') as string } });
  git('branch', '--quiet', '-D', 'main');
  expect(await ask()).toMatchObject({ problem: { code: 'refUnknown', hint: expect.stringContaining('--base') as string } });
});

it('says that a clone is shallow', async () => {
  write('web/site/index.html', 'x');
  commit();
  const clone = join(folder, 'clone');
  git('clone', '--quiet', '--depth=1', `file://${root}`, clone);
  const more = { root: clone, graph: graph({ root: clone }) };
  const shallow = { hint: expect.stringContaining('--unshallow') as string };
  expect(await ask({ base: 'HEAD~1' }, more)).toMatchObject({ problem: { code: 'refUnknown', ...shallow } });
  root = clone;
  git('checkout', '--quiet', '--detach');
  git('branch', '-D', 'main');
  git('update-ref', '-d', 'refs/remotes/origin/main');
  expect(await ask({}, more)).toMatchObject({ problem: { code: 'refUnknown', ...shallow } });
});

it('says that there is no repository', async () => {
  rmSync(join(root, '.git'), { recursive: true });
  // A repository further up, on the machine that runs this, would be found.
  expect(await ask()).toMatchObject({ problem: { code: 'notARepository', hint: 'name the projects instead' } });
});
