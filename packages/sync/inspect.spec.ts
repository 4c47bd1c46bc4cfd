import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentDigest, emptyDir, fileEntry, linkEntry, type Entry } from '../model';
import { localContainer, programPath } from '../testkit/localContainer';
import { inspect, sameContent } from './inspect';

const tools = ['sh', 'sha256sum', 'xargs', 'readlink', 'stat'];
const oddNames = ['new\nline', '\n', 'tab\tx', 'back\\slash', '%41', 'ü\u0001', 'line\u2028'];
const busybox = programPath('busybox');
const of = (program: (name: string) => string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(tools.flatMap((name) => ((path) => (path === undefined ? [] : [[name, path]]))(program(name))));
const gnu = of((name) => programPath(name === 'sh' ? 'dash' : name) ?? programPath(name));

describe.each([
  { name: 'node', programs: { ...gnu, node: process.execPath } },
  { name: 'node without a shell', programs: { node: process.execPath } },
  { name: 'dash and the GNU tools', programs: gnu },
  ...(busybox === undefined ? [] : [{ name: 'busybox', programs: of(() => busybox) }]),
])('what a container holds, read by $name', ({ programs }) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway inspect '));
  afterAll(() => rmSync(folder, { recursive: true }));
  const { kube } = localContainer(folder, programs);
  const container = { namespace: 'shop', pod: 'api-1', container: 'api' };
  const file = (text: string, mode = 0o644): Entry =>
    fileEntry({ digest: contentDigest(Buffer.from(text)), size: Buffer.byteLength(text), mode });

  it('is told for files, links, directories and what is not there', async () => {
    const app = join(folder, 'app');
    mkdirSync(join(app, 'dir'), { recursive: true });
    writeFileSync(join(app, '-a b.txt'), 'hello');
    writeFileSync(join(app, 'run'), 'go');
    chmodSync(join(app, 'run'), 0o755);
    writeFileSync(join(app, 'secret'), 'sh');
    chmodSync(join(app, 'secret'), 0o600);
    symlinkSync('nowhere', join(app, 'link'));
    const many = [...Array(300).keys()].map((index) => join(app, 'dir', `f${String(index)}`));
    for (const path of many) writeFileSync(path, path);
    for (const name of oddNames) {
      mkdirSync(join(app, name));
      writeFileSync(join(app, name, name), name, { mode: 0o600 });
    }
    const odd = oddNames.flatMap((name) => [join(app, name), join(app, name, name)]);
    const paths = [...odd, ...['-a b.txt', 'run', 'link', 'dir', 'gone', 'gone/below', 'secret'].map((name) => join(app, name)), ...many];
    const answer = await inspect({ kube, container, paths });
    if (!answer.ok) throw new Error(answer.problem.message);
    const found = answer.value;
    expect([...found.keys()].sort()).toEqual([...paths].sort());
    const oddEntries = oddNames.flatMap((name) => [emptyDir, file(name, 0o600)]);
    const wanted: readonly (Entry | undefined)[] = [
      ...oddEntries,
      file('hello'),
      file('go', 0o755),
      linkEntry('nowhere'),
      emptyDir,
      undefined,
      undefined,
      file('sh', 0o600),
    ];
    for (const [index, path] of odd.entries()) expect(found.get(path)?.hash).toBe(oddEntries[index]?.hash);
    const same = paths.filter((path, index) => sameContent(index < wanted.length ? wanted[index] : file(path), found.get(path)));
    expect(same).toEqual(paths);
    expect(found.get(join(app, 'run'))?.hash).toBe(file('go', 0o755).hash);
    expect(found.get(join(app, 'secret'))?.hash).toBe(file('sh', 0o600).hash);
    expect(sameContent(file('hello', 0o755), found.get(join(app, '-a b.txt')))).toBe(false);
    expect(sameContent(file('hallo'), found.get(join(app, '-a b.txt')))).toBe(false);
    expect(sameContent(file('x'), found.get(join(app, 'gone')))).toBe(false);
    expect(sameContent(undefined, found.get(join(app, 'dir')))).toBe(false);
  });

  it('is told of thousands of files, though hashes are told while others are still looked for', async () => {
    const app = join(folder, 'thousands');
    mkdirSync(app);
    const paths = [...Array(4000).keys()].map((index) => join(app, `${'n'.repeat(60)}${String(index)}`));
    for (const path of paths) writeFileSync(path, 'x');
    const answer = await inspect({ kube, container, paths });
    const wanted = file('x').hash;
    expect(paths.filter((path) => !answer.ok || answer.value.get(path)?.hash !== wanted)).toEqual([]);
  });
});

it('says what is missing where a container cannot be looked into', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway inspect '));
  const answers = await Promise.all(
    [{}, { ...gnu, xargs: '/nowhere' }].map((programs, index) => {
      const { kube } = localContainer(join(folder, String(index)), programs);
      return inspect({ kube, container: { namespace: 'shop', pod: 'api-1', container: 'api' }, paths: ['/a'] });
    }),
  );
  rmSync(folder, { recursive: true });
  expect(answers.map((answer) => (answer.ok ? '' : answer.problem.message))).toEqual([
    'what container api of pod api-1 holds cannot be read: it has neither a shell nor node',
    'what container api of pod api-1 holds cannot be read: xargs is missing there',
  ]);
});

it.each([
  ['before it has said a word', ''],
  ['while it looks', 'echo; '],
])('tries again when what looks there is killed %s', async (_when, first) => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway inspect '));
  const killed = join(folder, 'node');
  writeFileSync(killed, `#!${gnu['sh'] ?? ''}\n${first}kill -KILL $$\n`, { mode: 0o755 });
  const { kube } = localContainer(join(folder, 'root'), { ...gnu, node: killed });
  const answer = await inspect({ kube, container: { namespace: 'shop', pod: 'api-1', container: 'api' }, paths: ['/a'] });
  rmSync(folder, { recursive: true });
  expect(answer).toMatchObject({ ok: false, problem: { retry: 'afterDelay' } });
});

it('does not wait for ever for a container that says nothing', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway inspect '));
  const silent = join(folder, 'node');
  writeFileSync(silent, `#!${gnu['sh'] ?? ''}\nexec sleep 60\n`, { mode: 0o755 });
  const local = localContainer(join(folder, 'root'), { ...gnu, sleep: programPath('sleep') ?? '', node: silent });
  const { kube } = local;
  const answer = await inspect({ kube, container: { namespace: 'shop', pod: 'api-1', container: 'api' }, paths: ['/a'], silenceMs: 200 });
  await local.kill();
  rmSync(folder, { recursive: true });
  expect(answer).toMatchObject({ ok: false, problem: { code: 'cannotInspect', retry: 'afterDelay' } });
  expect(answer.ok ? '' : answer.problem.message).toContain('was silent for 0.2 s');
});
