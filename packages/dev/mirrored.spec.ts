import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { emptyDir, fileEntry, withEntries, type Artifact, type Input } from '../model';
import { openAgent } from '../sync';
import { localContainer, programPath } from '../testkit/localContainer';
import { mirror, mirroredRoots, onlyThere } from './mirrored';

const file = fileEntry({ digest: 'x', size: 1, mode: 0o644 });
const input = (more: Partial<Input>): Input => ({ path: 'src', containerPath: '/app/src', onChange: 'sync', because: '', ...more });
const artifactOf = (inputs: readonly Input[], more: Partial<Artifact> = {}): Artifact => ({
  name: 'api',
  project: 'api',
  image: 'api',
  recipe: { builder: 'docker/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs,
  requires: [],
  targets: [],
  reload: { kind: 'hot', because: '' },
  after: [],
  ...more,
});
const treeOf = (paths: readonly string[]) =>
  withEntries(
    emptyDir,
    paths.map((path) => [path, file] as const),
  );
/** What ends with a slash is a directory. */
const listing = (paths: readonly string[]) => ({
  below: new Map(paths.map((path) => [path.replace(/\/$/, ''), path.endsWith('/') ? ('dir' as const) : ('other' as const)])),
});

const mirrored = input({ mirror: true });
const onlyJs = input({ mirror: true, accepts: (path, kind) => kind === 'dir' || path.endsWith('.js') });

describe('what only the container has', () => {
  it('is nothing that is pulled, nor a directory that has it', () => {
    const pulls = [{ from: '/app/src/made', depth: 2, pattern: '/app/src/made/*.ts', to: 'src/made', base: '/app/src/made', within: '' }];
    const there = listing(['/app/src/made/', '/app/src/made/a.ts', '/app/src/made/a.log']);
    expect(onlyThere(artifactOf([mirrored], { pulls }), emptyDir, there)).toEqual(['/app/src/made/a.log']);
  });

  it.each<readonly [string, readonly Input[], readonly string[], readonly string[], readonly string[]]>([
    ['is what is not here', [mirrored], ['/app/src/a'], ['/app/src/a', '/app/src/b'], ['/app/src/b']],
    ['is a directory, with all in it', [mirrored], [], ['/app/src/d/', '/app/src/d/a', '/app/src/d/e/', '/app/src/d/e/b'], ['/app/src/d']],
    ['is an empty directory', [mirrored], [], ['/app/src/d/'], ['/app/src/d']],
    ['is no directory that is here', [mirrored], ['/app/src/d/a'], ['/app/src/d/', '/app/src/d/a', '/app/src/d/b'], ['/app/src/d/b']],
    [
      'is nothing that the globs do not name',
      [onlyJs],
      [],
      ['/app/src/a.log', '/app/src/d/', '/app/src/d/b.js', '/app/src/d/b.log'],
      ['/app/src/d/b.js'],
    ],
    ['is nothing outside', [mirrored], [], ['/app/other', '/app/srcs/a', '/app/src/'], []],
    ['is nothing where it is not asked for', [input({})], [], ['/app/src/a'], []],
    [
      'is no package',
      [mirrored],
      [],
      ['/app/src/node_modules/', '/app/src/node_modules/x/', '/app/src/node_modules/x/i.js', '/app/src/a'],
      ['/app/src/a'],
    ],
    [
      'is nothing of another place in it',
      [mirrored, input({ path: 'gen', containerPath: '/app/src/gen' })],
      [],
      ['/app/src/gen/', '/app/src/gen/a', '/app/src/b'],
      ['/app/src/b'],
    ],
    [
      'is nothing that the image alone brings',
      [mirrored, input({ path: 'x', onChange: 'rebuild', containerPath: '/app/src/x' })],
      [],
      ['/app/src/b'],
      ['/app/src/b'],
    ],
  ])('%s', (_what, inputs, wanted, there, expected) => {
    expect(onlyThere(artifactOf(inputs), treeOf(wanted), listing(there))).toEqual(expected);
  });

  it('is looked for in mirrored places alone, and nowhere where nothing is removed', () => {
    expect(mirroredRoots(artifactOf([mirrored, onlyJs, input({ containerPath: '/x' })]))).toEqual(['/app/src']);
    expect(mirroredRoots(artifactOf([mirrored], { keepsRemoved: true }))).toEqual([]);
  });
});

const busybox = programPath('busybox');
const needed = ['sh', 'dd', 'tar', 'cat', 'chmod', 'ln', 'mkdir', 'mv', 'rm'];
const gnu = Object.fromEntries(needed.map((name) => [name, programPath(name === 'sh' ? 'dash' : name) ?? programPath(name) ?? '']));

describe.each([
  { name: 'node', programs: { ...gnu, node: process.execPath } },
  { name: 'dash and the GNU tools', programs: gnu },
  ...(busybox === undefined ? [] : [{ name: 'busybox', programs: Object.fromEntries(needed.map((name) => [name, busybox])) }]),
])('a container with $name', ({ programs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway mirror '));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('loses what only it has, not what links lead to', async () => {
    const { kube } = localContainer(folder, programs);
    const root = join(folder, 'app');
    const write = (path: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
    };
    const odd = ['new\nline', '-rf', ' x ', '.hidden', '..a', '*', 'ü', '$HOME'];
    for (const each of ['kept', 'gone/deep/a', ...odd.map((name) => `gone/${name}`), ...odd]) write(join(root, each));
    write(join(folder, 'outside/a'));
    write(join(folder, 'other/b'));
    symlinkSync(join(folder, 'outside'), join(root, 'link'));
    symlinkSync(join(folder, 'other'), join(folder, 'linked'));
    const container = { namespace: 'shop', pod: 'api-1', container: 'api' };
    const inputs = [root, join(folder, 'linked')].map((containerPath) => input({ mirror: true, path: '', containerPath }));
    const ledgerFolders = folder;
    const roots = [root, join(folder, 'linked')];
    const agent = await openAgent({ kube, container: { ...container, id: '1' }, roots, onLost: () => undefined, ledgerFolders });
    if (!agent.ok) throw new Error(agent.problem.message);
    const told: unknown[] = [];
    const removed = await mirror({
      ...{ kube, container, agent: agent.value, artifact: artifactOf(inputs), wanted: treeOf([join(root, 'kept')]), stale: [] },
      ...{ report: (event) => void told.push(event), signal: new AbortController().signal, silenceMs: 10_000 },
    });
    await agent.value.close();
    expect(removed.ok ? [...removed.value].sort() : removed).toEqual(['gone', 'link', ...odd].map((name) => join(root, name)).sort());
    expect(readdirSync(root)).toEqual(['kept']);
    expect([readdirSync(join(folder, 'outside')), readdirSync(join(folder, 'other'))]).toEqual([['a'], ['b']]);
    expect(told).toMatchObject([
      { kind: 'notice', message: expect.stringContaining('linked is reached through a link') as string },
      { kind: 'notice', message: expect.stringContaining('removed what only api-1 had: ') as string },
    ]);
  });
});
