import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contentDigest } from '../model';
import { localContainer, programPath } from '../testkit/localContainer';
import { readWatched, watchFiles, type WatchedFiles } from './watchFiles';

const tools = ['sh', 'sha256sum', 'stat', 'sleep', 'cat'];
const busybox = programPath('busybox');
const of = (program: (name: string) => string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(tools.flatMap((name) => ((path) => (path === undefined ? [] : [[name, path]]))(program(name))));
const gnu = of((name) => programPath(name === 'sh' ? 'dash' : name) ?? programPath(name));
const oddNames = ['back\\slash', '\\n', 'carriage\rreturn', '*', '$HOME', "it's", ' ', '..a', 'ü\u0001', 'u\u0308', 'line\u2028', 'x  etc'];
const withoutStat = Object.fromEntries(Object.entries(gnu).filter(([name]) => name !== 'stat'));

describe.each([
  { name: 'node', programs: { ...gnu, node: process.execPath } },
  { name: 'node without a shell', programs: { node: process.execPath } },
  { name: 'dash and the GNU tools', programs: gnu },
  { name: 'a shell without stat', programs: withoutStat },
  ...(busybox === undefined ? [] : [{ name: 'busybox', programs: of(() => busybox) }]),
])('files that a container makes, watched by $name', ({ programs }) => {
  let folder: string;
  let container: ReturnType<typeof localContainer>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway watch '));
    container = localContainer(folder, programs);
    mkdirSync(join(folder, 'app/gen/deep'), { recursive: true });
  });
  afterEach(async () => {
    await container.kill();
    rmSync(folder, { recursive: true });
  });

  const at = (path: string) => join(folder, 'app', path);
  const place = () => ({ kube: container.kube, container: { namespace: 'shop', pod: 'api-1', container: 'api' } });
  const told = (files: WatchedFiles) =>
    Object.fromEntries(
      [...files].map(([path, { digest, executable }]) => [path.slice(at('').length + 1), `${digest.slice(0, 8)}${executable ? ' x' : ''}`]),
    );
  const sum = (text: string) => contentDigest(text).slice(0, 8);
  const look = async (places: readonly { readonly path: string; readonly depth: number }[]) => {
    let seen: WatchedFiles = new Map();
    const answer = await watchFiles({ ...place(), places, once: true, onSeen: (files) => (seen = files) });
    expect(answer).toEqual({ ok: true, value: undefined });
    return told(seen);
  };

  it('are told with what they hold, as deep as is asked for, and no links', async () => {
    writeFileSync(at('a b.lock'), 'lock');
    writeFileSync(at('gen/-run'), 'run');
    chmodSync(at('gen/-run'), 0o755);
    writeFileSync(at('gen/.hidden'), '');
    writeFileSync(at('gen/deep/a'), 'deep');
    mkdirSync(at('gen/node_modules'));
    writeFileSync(at('gen/node_modules/a'), 'none of ours');
    symlinkSync('/etc/passwd', at('gen/link'));
    symlinkSync('/etc', at('gen/folder'));
    for (const name of oddNames) writeFileSync(at(`gen/${name}`), name);
    // As if one line of it named the other file.
    for (const name of ['.hidden\n', `\n${contentDigest('lock')}  ${at('gen/-run')}`.replaceAll('/', '\\')])
      writeFileSync(at(`gen/${name}`), 'of two lines');
    const places = ['a b.lock', 'gen', 'missing'].map((path) => ({ path: at(path), depth: 1 }));
    const odd = Object.fromEntries(oddNames.map((name) => [`gen/${name}`, sum(name)]));
    const shallow = { 'a b.lock': sum('lock'), 'gen/-run': `${sum('run')} x`, 'gen/.hidden': sum(''), ...odd };
    expect(await look(places)).toEqual(shallow);
    expect(await look(places.map(({ path }) => ({ path, depth: 5 })))).toEqual({ ...shallow, 'gen/deep/a': sum('deep') });
  });

  it('are told again when they change, whatever their times say, and its end leaves nobody behind', async () => {
    const ending = new AbortController();
    const seen: ReturnType<typeof told>[] = [];
    let wake: () => void = () => undefined;
    const onSeen = (files: WatchedFiles) => {
      seen.push(told(files));
      wake();
    };
    const until = async (wanted: ReturnType<typeof told>) => {
      while (JSON.stringify(seen.at(-1)) !== JSON.stringify(wanted)) await new Promise<void>((resolve) => (wake = resolve));
    };
    const places = [{ path: at('gen'), depth: 1 }];
    const watching = watchFiles({ ...place(), places, once: false, onSeen, signal: ending.signal });
    await until({});
    writeFileSync(at('gen/a'), 'one');
    await until({ 'gen/a': sum('one') });
    const then = new Date();
    writeFileSync(at('gen/a'), 'two');
    utimesSync(at('gen/a'), then, then);
    await until({ 'gen/a': sum('two') });
    unlinkSync(at('gen/a'));
    await until({});
    ending.abort();
    await watching;
    for (const child of container.processes) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });

  it('are read as they were seen, and not when they are something else, or too much', async () => {
    writeFileSync(at('lock'), 'lock');
    const file = (text: string) => ({ digest: contentDigest(text), executable: false });
    expect(await readWatched(place(), at('lock'), file('lock'), 100)).toEqual({ ok: true, value: Buffer.from('lock') });
    expect(await readWatched(place(), at('lock'), file('other'), 100)).toEqual({ ok: true, value: undefined });
    expect(await readWatched(place(), at('gone'), file('lock'), 100)).toEqual({ ok: true, value: undefined });
    expect(await readWatched(place(), at('lock'), file('lock'), 3)).toEqual({ ok: true, value: 'tooLarge' });
  });
});

it('a container without what is needed says so', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway watch '));
  const shell: Record<string, string> = { sh: programPath('dash') ?? programPath('sh') ?? '' };
  const messages = [];
  for (const [index, tool] of [{}, shell].entries()) {
    mkdirSync(join(folder, String(index)));
    const { kube } = localContainer(join(folder, String(index)), tool);
    const container = { namespace: 'shop', pod: 'api-1', container: 'api' };
    const answer = await watchFiles({ kube, container, places: [], once: true, onSeen: () => undefined });
    messages.push(answer.ok ? '' : answer.problem.message);
  }
  rmSync(folder, { recursive: true });
  expect(messages).toEqual([
    expect.stringContaining('it has neither a shell nor node'),
    expect.stringContaining('sha256sum is missing there'),
  ]);
});
