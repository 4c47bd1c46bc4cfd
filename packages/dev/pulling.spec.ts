import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pullFrom } from '../graph';
import {
  contentDigest,
  emptyDir,
  entryAt,
  fileEntry,
  withEntries,
  type Artifact,
  type ContainerState,
  type Entry,
  type Event,
  type Fact,
  type SeenContainer,
  type World,
} from '../model';
import { emptyWorld, record } from '../plan';
import { localContainer, programPath } from '../testkit/localContainer';
import { Pulling } from './pulling';

const tools = ['sh', 'sha256sum', 'stat', 'sleep', 'cat'];
const shell = Object.fromEntries(tools.map((name) => [name, programPath(name === 'sh' ? 'dash' : name) ?? programPath(name) ?? '']));
const entryOf = (text: string): Entry => fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: 0o644 });

// What each kind of container tells is the affair of `watchFiles`.
const programs = { ...shell, node: process.execPath };

describe('what a container makes', () => {
  let folder: string;
  let container: ReturnType<typeof localContainer>;
  let pulling: Pulling;
  let world: World;
  let facts: Fact[];
  let events: Event[];
  let wake: () => void;

  const there = (path: string) => join(folder, 'app', path);
  const here = (path: string) => join(folder, 'workspace', path);
  const write = (file: string, text: string) => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const read = (file: string) => readFileSync(file, 'utf8');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway pulling '));
    for (const each of ['app', 'workspace']) mkdirSync(join(folder, each));
    container = localContainer(folder, programs);
    [facts, events, wake] = [[], [], () => undefined];
    world = worldWith({ files: emptyDir, sent: emptyDir });
    const post = (fact: Fact): void => {
      facts.push(fact);
      world = record(world, fact);
    };
    const report = (event: Event): void => {
      events.push(event);
      wake();
    };
    pulling = new Pulling({ root: here(''), kube: container.kube, report, post, now: () => 1234 });
  });
  afterEach(async () => {
    pulling.close();
    await container.kill();
    rmSync(folder, { recursive: true });
  });

  const seen: SeenContainer = {
    ...{ id: 'containerd://1', artifact: 'api', namespace: 'shop', pod: 'api-1', podUid: '1', container: 'api' },
    ...{ running: true, inputsHash: '', restarts: 0, snapshot: undefined },
  };
  const artifact = (): Artifact => ({
    name: 'api',
    project: 'api',
    image: 'api',
    recipe: { builder: 'docker/1', context: '', dockerfile: 'Dockerfile', args: {} },
    inputs: [{ path: '', containerPath: there(''), onChange: 'sync', because: '' }],
    requires: [],
    targets: [],
    reload: { kind: 'hot', because: '' },
    after: [],
    pulls: ['lock', 'gen/**'].map((src) => pullFrom({ src, workdir: there(''), dest: undefined, within: '' })),
  });
  const worldWith = (state: Pick<ContainerState, 'files' | 'sent'>): World => {
    const connected: ContainerState = {
      ...{ release: 'api', seen, stoppedAt: undefined, runningSince: 0, losses: 0, reconnectAt: 0, inFlight: [], lastBatch: 0 },
      ...{ taken: undefined, taking: undefined, unsettled: new Set(), quietUntil: 0, refused: new Map(), ...state },
      agent: { state: 'connected', connection: '1', name: 'sh', since: 0 },
    };
    return {
      ...emptyWorld,
      scanned: true,
      workspace: {
        ...{ root: here(''), projects: new Map(), releases: new Map(), targets: new Map(), forwards: [], problems: [] },
        artifacts: new Map([['api', artifact()]]),
      },
      containers: new Map([[seen.id, connected]]),
    };
  };
  /** As a batch does that was acknowledged, or is on its way. */
  const sync = (path: string, text: string, ...states: readonly ('files' | 'sent')[]) => {
    const state = world.containers.get(seen.id);
    if (!state?.files || !state.sent) throw new Error('nothing is connected');
    const now = { files: state.files, sent: state.sent };
    for (const each of states) now[each] = withEntries(now[each], [[there(path), entryOf(text)]]);
    world = { ...worldWith(now), workspace: world.workspace, disk: withEntries(world.disk, [[path, entryOf(text)]]) };
    pulling.follow(world);
  };
  const pulled = () => events.flatMap((event) => (event.kind === 'pulled' ? event.paths : []));
  const problems = () => events.flatMap((event) => (event.kind === 'failed' ? [event.message] : []));
  const until = async (wanted: () => boolean) => {
    while (!wanted()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const untilPulled = (path: string) => until(() => pulled().includes(path));
  const heldThere = (path: string) => entryAt(world.containers.get(seen.id)?.files, there(path))?.hash;
  const heldHere = (path: string) => entryAt(world.disk, path)?.hash;

  it('comes to the workspace, and is told of both sides at once, so nothing is sent back', async () => {
    pulling.follow(world);
    write(there('gen/deep/a.ts'), 'made');
    chmodSync(there('gen/deep/a.ts'), 0o755);
    write(there('gen/-- odd *.ts'), 'odd');
    write(there('other'), 'not named');
    await untilPulled('gen/-- odd *.ts');
    expect(read(here('gen/deep/a.ts'))).toBe('made');
    expect(existsSync(here('other'))).toBe(false);
    expect(facts.map(({ kind }) => kind)).toEqual(
      facts.flatMap((_, index) => (index % 2 === 0 ? ['filesSeen', 'contentSeen'] : [])).slice(0, facts.length),
    );
    expect(facts[0]).toMatchObject({ at: 1234 });
    for (const path of ['gen/deep/a.ts', 'gen/-- odd *.ts']) expect(heldThere(path)).toBe(heldHere(path));
    expect(heldHere('gen/deep/a.ts')).toBe(fileEntry({ digest: contentDigest('made'), size: 4, mode: 0o755 }).hash);
  });

  it('is pulled again when it changes, also back to what it was', async () => {
    pulling.follow(world);
    for (const text of ['one', 'two', 'one']) {
      events = [];
      write(there('lock'), text);
      await untilPulled('lock');
      expect(read(here('lock'))).toBe(text);
    }
  });

  it('is nothing that a sync has brought there', async () => {
    pulling.follow(world);
    write(here('lock'), 'from here');
    sync('lock', 'from here', 'files', 'sent');
    write(there('lock'), 'from here');
    write(here('lock'), 'newer');
    write(there('gen/after'), '');
    await untilPulled('gen/after');
    expect([read(here('lock')), pulled(), problems()]).toEqual(['newer', ['gen/after'], []]);
  });

  it('waits for what is on its way to the same path', async () => {
    pulling.follow(world);
    write(there('gen/first'), '');
    await untilPulled('gen/first');
    sync('lock', 'on its way', 'sent');
    write(there('lock'), 'made');
    write(there('gen/after'), '');
    await untilPulled('gen/after');
    expect(existsSync(here('lock'))).toBe(false);
    // The container was faster: what was on its way came before.
    sync('lock', 'on its way', 'files');
    await untilPulled('lock');
    expect(read(here('lock'))).toBe('made');
  });

  it('is kept aside where both sides have changed it, and that is told once', async () => {
    write(here('lock'), 'mine');
    pulling.follow(world);
    write(there('lock'), 'theirs');
    await until(() => problems().length > 0);
    expect([read(here('lock')), read(here('.slipway/pulled/theirs/lock'))]).toEqual(['mine', 'theirs']);
    write(there('gen/after'), '');
    await untilPulled('gen/after');
    expect(problems()).toEqual([expect.stringContaining('lock was changed here and in api-1: yours stays')]);
    // Without a file here theirs is wanted.
    unlinkSync(here('lock'));
    write(there('lock'), 'theirs too');
    await untilPulled('lock');
    expect(read(here('lock'))).toBe('theirs too');
  });

  it('stays here when it is removed there, and does not come back when it is removed here', async () => {
    pulling.follow(world);
    for (const path of ['gen/stays', 'gen/goes']) write(there(path), path);
    await until(() => pulled().length === 2);
    unlinkSync(there('gen/stays'));
    unlinkSync(here('gen/goes'));
    write(there('gen/after'), '');
    await untilPulled('gen/after');
    expect(readdirSync(here('gen')).sort()).toEqual(['after', 'stays']);
    expect(pulled().sort()).toEqual(['gen/after', 'gen/goes', 'gen/stays']);
  });

  it.each<readonly [string, () => void, readonly string[], readonly string[]]>([
    [
      'a directory that was a file is one here only where nothing is in its way',
      () => write(there('gen/x/deep'), 'd'),
      [],
      ['gen/x/deep is not pulled'],
    ],
    ['a link that was a file is not pulled', () => symlinkSync('/etc/passwd', there('gen/x')), [], []],
    ['a link to a directory is not looked into', () => symlinkSync('/etc', there('gen/x')), [], []],
    [
      'a file that was a directory is one here as before',
      () => write(there('gen/dir'), 'f'),
      [],
      ['gen/dir is not pulled: there is a directory here'],
    ],
  ])('%s', async (_what, change, more, refused) => {
    pulling.follow(world);
    write(there('gen/x'), 'x');
    write(there('gen/dir/a'), 'a');
    await until(() => pulled().length === 2);
    for (const each of ['gen/x', 'gen/dir']) rmSync(there(each), { recursive: true });
    change();
    write(there('gen/after'), '');
    await untilPulled('gen/after');
    expect(pulled().sort()).toEqual(['gen/after', 'gen/dir/a', 'gen/x', ...more]);
    expect(problems()).toEqual(refused.map((start) => expect.stringContaining(start) as string));
    expect([read(here('gen/x')), read(here('gen/dir/a'))]).toEqual(['x', 'a']);
  });

  it('never lands outside of the workspace through a link of it', async () => {
    mkdirSync(join(folder, 'outside'));
    symlinkSync(join(folder, 'outside'), here('gen'));
    pulling.follow(world);
    write(there('gen/a'), 'a');
    await until(() => problems().length > 0);
    write(there('lock'), '');
    await untilPulled('lock');
    expect(problems()).toEqual([expect.stringContaining('gen/a is not pulled: it is reached through a link to')]);
    expect(readdirSync(join(folder, 'outside'))).toEqual([]);
  });

  it('is told when it is too large, and the rest is pulled', async () => {
    pulling.follow(world);
    write(there('gen/large'), '');
    await untilPulled('gen/large');
    truncateSync(there('gen/large'), 33 * 1024 * 1024);
    await until(() => problems().length > 0);
    write(there('lock'), 'small');
    await untilPulled('lock');
    expect(problems()).toEqual([expect.stringContaining('it has more than 32 MB')]);
    const reads = container.processes.length;
    for (let turn = 0; turn < 5; turn += 1) pulling.follow(world);
    write(there('lock'), 'smaller');
    events = [];
    await untilPulled('lock');
    expect(container.processes.slice(reads).filter(({ spawnargs }) => spawnargs.includes(there('gen/large')))).toEqual([]);
  });

  it('while a stream was cut is pulled when there is another one', async () => {
    pulling.follow(world);
    write(there('lock'), 'one');
    await untilPulled('lock');
    events = [];
    container.cut();
    write(there('lock'), 'two');
    await untilPulled('lock');
    expect(read(here('lock'))).toBe('two');
  });

  it('is looked at no more when its container is gone', async () => {
    pulling.follow(world);
    write(there('lock'), 'one');
    await untilPulled('lock');
    world = { ...world, containers: new Map() };
    pulling.follow(world);
    for (const child of container.processes) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });

  it('while nobody was connected is pulled before anything is brought there, and what was brought is not', async () => {
    write(there('lock'), 'made meanwhile');
    write(there('gen/synced'), 'by an earlier session');
    write(here('gen/synced'), 'newer');
    write(there('gen/same'), 'same');
    write(here('gen/same'), 'same');
    world = { ...world, disk: withEntries(world.disk, [['gen/same', entryOf('same')]]) };
    const ledger = [[there('gen/synced'), entryOf('by an earlier session')]] as const;
    const holds = await pulling.first({ seen, artifact: artifact(), ledger, world, signal: new AbortController().signal });
    expect(read(here('lock'))).toBe('made meanwhile');
    expect(read(here('gen/synced'))).toBe('newer');
    expect(holds.map(([path]) => path).sort()).toEqual([there('gen/same'), there('lock')]);
    expect(problems()).toEqual([]);
  });
});
