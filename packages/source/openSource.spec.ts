import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openWatcher, type OpenWatcher, type WatcherEvents } from '../clients';
import { contentDigest, emptyDir, entryAt, leavesOf, withEntries, type DirEntry, type Problem } from '../model';
import { openSource, readEntry, type Scope, type SeenPath, type Source } from '.';

/** Says what it is told to say, for the directories that it was asked to watch. */
class HandWatcher {
  readonly directories = new Set<string>();
  /** Directories, and what the system says of them. */
  readonly refused = new Map<string, string>();
  events: WatcherEvents | undefined;

  readonly open: OpenWatcher = (events) => {
    this.events = events;
    return {
      add: (directories) => {
        for (const directory of directories) {
          const refused = this.refused.get(directory);
          if (refused === undefined) this.directories.add(directory);
          else events.onUnwatchable(directory, refused);
        }
      },
      remove: (directory) => void this.directories.delete(directory),
      close: () => {
        this.directories.clear();
        return Promise.resolve();
      },
    };
  };

  hint(path: string): void {
    const directory = dirname(path);
    if (this.directories.has(directory)) this.events?.onHint(directory, path.slice(directory.length + 1));
  }
}

interface Bench {
  readonly root: string;
  readonly source: Source;
  readonly watcher: HandWatcher;
  readonly reports: { readonly entries: readonly SeenPath[]; readonly scanned: boolean; readonly at: number }[];
  readonly problems: Problem[];
  /** The sum of all reports. */
  readonly tree: () => DirEntry;
  readonly paths: () => string[];
  readonly put: (path: string, content?: string) => void;
  readonly at: (path: string) => string;
  /** Hints at paths and waits until the source is at rest. */
  readonly hint: (...paths: string[]) => Promise<void>;
  readonly until: (isTrue: () => boolean) => Promise<void>;
}

const closing: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function bench(
  scope: Scope,
  files: Readonly<Record<string, string>> = {},
  options: { readonly open?: OpenWatcher; readonly root?: string; readonly quietMs?: number } = {},
): Bench {
  const root = options.root ?? realpathSync(mkdtempSync(join(tmpdir(), 'slipway-source-')));
  const at = (path: string) => join(root, path);
  const put = (path: string, content = path) => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), content);
  };
  // Old, so that nothing has to be looked at a second time.
  for (const [path, content] of Object.entries(files)) {
    put(path, content);
    utimesSync(at(path), 1_600_000_000, 1_600_000_000);
  }
  const watcher = new HandWatcher();
  const reports: Bench['reports'] = [];
  const problems: Problem[] = [];
  let tree = emptyDir;
  let clock = 0;
  let check: () => void = () => undefined;
  const source = openSource({
    root,
    scope,
    openWatcher: options.open ?? watcher.open,
    now: () => ++clock,
    ...(options.quietMs !== undefined && { quietMs: options.quietMs }),
    onProblem: (problem) => problems.push(problem),
    onFacts: (entries, { scanned, at: noticedAt }) => {
      reports.push({ entries, scanned, at: noticedAt });
      tree = withEntries(tree, entries);
      check();
    },
  });
  closing.push(async () => {
    await source.close();
    if (options.root === undefined) rmSync(root, { recursive: true, force: true });
  });
  return {
    root,
    source,
    watcher,
    reports,
    problems,
    at,
    put,
    tree: () => tree,
    paths: () => [...leavesOf(tree)].map(([path]) => path),
    async hint(...paths) {
      for (const path of paths) watcher.hint(at(path));
      await source.settle();
    },
    until: (isTrue) =>
      new Promise((resolve) => {
        check = () => {
          if (isTrue()) resolve();
        };
        check();
      }),
  };
}

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
/** What system files, times and links are like there is not to be had elsewhere. */
const onLinux = process.platform === 'linux' ? it : it.skip;

const everything: Scope = { paths: [''] };

describe('the first scan', () => {
  it('tells everything in scope in one report', async () => {
    const { source, reports, tree, root, paths } = bench(
      { paths: ['apps/api', 'package.json'] },
      { 'apps/api/src/a.ts': 'a', 'apps/web/b.ts': 'b', 'package.json': '{}', 'other.txt': '' },
    );
    await source.scan();
    expect(paths()).toEqual(['apps/api/src/a.ts', 'package.json']);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.scanned).toBe(true);
    expect(entryAt(tree(), 'apps/api/src/a.ts')).toMatchObject({
      kind: 'file',
      digest: contentDigest('a'),
      size: 1,
      mode: statSync(join(root, 'package.json')).mode & 0o755,
    });
  });

  it('tells that it was done even when nothing is there', async () => {
    const { source, reports } = bench({ paths: ['missing'] });
    await source.scan();
    expect(reports).toEqual([{ entries: [], scanned: true, at: 1 }]);
  });

  it.each<[string, Scope, string[]]>([
    ['leaves out dependencies and what tools keep for themselves', everything, ['a.ts', 'dist/a.js', 'sub/b.ts']],
    [
      'looks into dependencies where they are named',
      { paths: ['', 'node_modules/left'] },
      ['a.ts', 'dist/a.js', 'node_modules/left/index.js', 'sub/b.ts'],
    ],
    [
      'leaves out what is not accepted, and all that is below it',
      { paths: [''], accepts: (path) => path !== 'sub' && path !== 'a.ts' },
      ['dist/a.js'],
    ],
    ['follows a named path whatever is accepted', { paths: ['', 'sub/b.ts'], accepts: () => false }, ['sub/b.ts']],
  ])('%s', async (_, scope, expected) => {
    const files = [
      'a.ts',
      'dist/a.js',
      'sub/b.ts',
      'node_modules/left/index.js',
      'node_modules/right/index.js',
      'sub/node_modules/x.js',
      '.git/HEAD',
      '.nx/cache',
      '.slipway/images/1',
    ];
    const { source, paths } = bench(scope, Object.fromEntries(files.map((path) => [path, path])));
    await source.scan();
    expect(paths()).toEqual(expected);
  });

  onLinux('tells a file that cannot be read as a problem, once, and goes on', async () => {
    const { source, problems, paths } = bench({ paths: ['mem', 'comm'] }, {}, { root: '/proc/self' });
    await source.scan();
    await source.settle();
    expect(problems).toMatchObject([{ code: 'fileUnreadable', message: 'mem cannot be read (EIO)', location: { file: 'mem' } }]);
    expect(paths()).toEqual(['comm']);
  });

  it('says once of sockets and pipes that they are skipped, where they are wanted', async () => {
    const scope: Scope = { paths: ['src', 'other/a'], accepts: (path) => !path.endsWith('.ignored') };
    const { source, at, put, hint, paths, problems } = bench(scope, { 'src/a': 'a', 'other/a': 'a' });
    for (const pipe of ['src/pipe', 'src/pipe.ignored', 'other/pipe']) execFileSync('mkfifo', [at(pipe)]);
    const socket = createServer().listen(at('src/app.sock'));
    await once(socket, 'listening');
    await source.scan();
    await hint('src/pipe');
    expect(paths()).toEqual(['other/a', 'src/a']);
    const told = ['src/app.sock is not copied: it is a socket', 'src/pipe is not copied: it is a pipe'];
    expect(problems.map(({ message }) => message).sort()).toEqual(told);
    // One that comes again is another one.
    rmSync(at('src/pipe'));
    await hint('src/pipe');
    put('src/pipe', 'a file');
    await hint('src/pipe');
    expect(paths()).toEqual(['other/a', 'src/a', 'src/pipe']);
    rmSync(at('src/pipe'));
    execFileSync('mkfifo', [at('src/pipe')]);
    await hint('src/pipe');
    expect(paths()).toEqual(['other/a', 'src/a']);
    expect(problems).toHaveLength(3);
    socket.close();
  });

  it('tells links as links, and empty directories as such', async () => {
    const { source, tree, at, paths, problems } = bench(everything, { 'real/file': 'x' });
    symlinkSync('real', at('link'));
    symlinkSync('nowhere', at('dangling'));
    mkdirSync(at('empty'));
    await source.scan();
    expect(paths()).toEqual(['dangling', 'empty', 'link', 'real/file']);
    expect(entryAt(tree(), 'link')).toMatchObject({ kind: 'link', target: 'real' });
    expect(entryAt(tree(), 'empty')).toMatchObject({ kind: 'dir' });
    expect(problems).toEqual([]);
  });
});

describe('a hint', () => {
  it('leads to the change being told, with the time of the hint', async () => {
    const { source, hint, put, reports } = bench(everything, { 'src/a.ts': 'old', 'src/b.ts': 'same' });
    await source.scan();
    put('src/a.ts', 'new');
    await hint('src/a.ts', 'src/b.ts');
    expect(reports.slice(1)).toMatchObject([{ entries: [['src/a.ts', { digest: contentDigest('new') }]], scanned: false, at: 2 }]);
  });

  it.each<[string, (bench: Bench) => void]>([
    ['a file was touched', ({ at }) => utimesSync(at('a.ts'), 1_700_000_000, 1_700_000_000)],
    ['a file was written with what it held', ({ put }) => put('a.ts', 'a')],
    [
      'a file came and went before it was looked at',
      ({ put, at }) => {
        put('swap', 'x');
        rmSync(at('swap'));
      },
    ],
    [
      'a file was replaced by an equal one',
      ({ put, at }) => {
        put('b', 'a');
        renameSync(at('b'), at('a.ts'));
      },
    ],
    ['something changed outside of the scope', ({ put }) => put('node_modules/x/index.js')],
  ])('tells nothing when %s', async (_, change) => {
    const made = bench(everything, { 'a.ts': 'a' });
    await made.source.scan();
    change(made);
    await made.hint('a.ts', 'b', 'swap', 'node_modules');
    expect(made.reports).toHaveLength(1);
  });

  it('finds a change that left size and modification time as they were', async () => {
    const { source, hint, put, at, tree } = bench(everything, { 'a.ts': 'old' });
    await source.scan();
    put('a.ts', 'new');
    utimesSync(at('a.ts'), 1_600_000_000, 1_600_000_000);
    await hint('a.ts');
    expect(entryAt(tree(), 'a.ts')).toMatchObject({ digest: contentDigest('new') });
  });

  it('tells a changed mode', async () => {
    const { source, hint, at, tree } = bench(everything, { 'run.sh': '#!/bin/sh' });
    await source.scan();
    chmodSync(at('run.sh'), 0o755);
    await hint('run.sh');
    expect(entryAt(tree(), 'run.sh')).toMatchObject({ mode: 0o755 });
  });

  it('tells what became something else', async () => {
    const { source, hint, put, at, tree, paths } = bench(everything, { a: 'file', 'b/c': 'dir', d: 'file' });
    await source.scan();
    rmSync(at('a'));
    put('a/inside');
    rmSync(at('b'), { recursive: true });
    put('b');
    rmSync(at('d'));
    symlinkSync('b', at('d'));
    await hint('a', 'b', 'd');
    expect(paths()).toEqual(['a/inside', 'b', 'd']);
    expect(entryAt(tree(), 'd')).toMatchObject({ kind: 'link', target: 'b' });
  });

  it('of a new directory watches and tells all that is in it', async () => {
    const { source, hint, put, reports, paths } = bench(everything, { 'src/a.ts': 'a' });
    await source.scan();
    put('src/new/deep/b.ts');
    await hint('src/new');
    expect(reports[1]?.entries.map(([path]) => path)).toEqual(['src/new']);
    put('src/new/deep/c.ts');
    await hint('src/new/deep/c.ts');
    expect(paths()).toEqual(['src/a.ts', 'src/new/deep/b.ts', 'src/new/deep/c.ts']);
  });

  it('of a removed directory tells that it is gone and watches it no more', async () => {
    const { source, hint, at, reports, watcher } = bench(everything, { 'src/deep/a.ts': 'a', 'b.ts': 'b' });
    await source.scan();
    rmSync(at('src'), { recursive: true });
    await hint('src');
    expect(reports[1]?.entries).toEqual([['src', undefined]]);
    expect([...watcher.directories]).toEqual([at('')].map((path) => path.replace(/\/$/, '')));
  });

  it('of a renamed directory tells both names and follows the new one', async () => {
    const { source, hint, put, at, paths } = bench(everything, { 'old/deep/a.ts': 'a' });
    await source.scan();
    renameSync(at('old'), at('new'));
    await hint('old', 'new');
    expect(paths()).toEqual(['new/deep/a.ts']);
    put('new/deep/b.ts');
    await hint('new/deep/b.ts');
    expect(paths()).toEqual(['new/deep/a.ts', 'new/deep/b.ts']);
  });

  it('of a directory that was replaced by one of its name finds what is in the new one', async () => {
    const { source, hint, put, at, paths } = bench(everything, { 'dist/old.js': 'old', 'dist/lib/a.js': 'a' });
    await source.scan();
    rmSync(at('dist'), { recursive: true });
    put('dist/lib/b.js');
    await hint('dist');
    expect(paths()).toEqual(['dist/lib/b.js']);
  });

  it('waits for the content of a file that was only just emptied', async () => {
    const { source, put, at, watcher, reports } = bench(everything, { 'a.ts': 'old' });
    await source.scan();
    put('a.ts', '');
    watcher.hint(at('a.ts'));
    await turnOfLoop();
    await turnOfLoop();
    put('a.ts', 'new');
    await source.settle();
    expect(reports.slice(1)).toMatchObject([{ entries: [['a.ts', { digest: contentDigest('new') }]] }]);
  });

  it('tells a file that stays empty', async () => {
    const { source, hint, put, tree } = bench(everything, { 'a.ts': 'old' });
    await source.scan();
    put('a.ts', '');
    await hint('a.ts');
    expect(entryAt(tree(), 'a.ts')).toMatchObject({ size: 0 });
  });

  it('leads to a second look when the file changed too recently for its time to tell', async () => {
    const { source, put, at, watcher, reports, tree, until } = bench(everything, { 'a.ts': 'old' });
    await source.scan();
    put('a.ts', 'two');
    watcher.hint(at('a.ts'));
    await until(() => reports.length === 2);
    put('a.ts', 'six');
    await source.settle();
    expect(entryAt(tree(), 'a.ts')).toMatchObject({ digest: contentDigest('six') });
  });

  it('of a burst is told together with the others', async () => {
    const { source, put, at, watcher, reports, paths } = bench(everything, { 'a.ts': 'a' });
    await source.scan();
    for (let index = 0; index < 200; index++) {
      put(`new-${index}`);
      watcher.hint(at(`new-${index}`));
      await turnOfLoop();
    }
    await source.settle();
    expect(paths()).toHaveLength(201);
    // On a busy machine a window holds fewer of them, but never only one.
    expect(reports.length).toBeLessThan(100);
  });

  it('is told once when it has been quiet for as long as was asked for', async () => {
    const { source, put, at, watcher, reports, paths } = bench(everything, { 'a.ts': 'a' }, { quietMs: 100 });
    await source.scan();
    for (let index = 0; index < 20; index++) {
      put(`new-${index}`);
      watcher.hint(at(`new-${index}`));
      await turnOfLoop();
    }
    expect(reports).toHaveLength(1);
    await source.settle();
    expect(reports).toHaveLength(2);
    expect(paths()).toHaveLength(21);
  });

  it('is told before it is quiet when the writer never rests', async () => {
    const { source, put, at, watcher, reports } = bench(everything, { 'a.ts': 'a' }, { quietMs: 3 });
    await source.scan();
    // The clock of these tests goes one millisecond a question, so patience ends with the hints, however fast they come.
    for (let index = 0; reports.length < 2; index++) {
      put('a.ts', String(index));
      watcher.hint(at('a.ts'));
      await turnOfLoop();
    }
    expect(reports.length).toBeGreaterThan(1);
  });
});

describe('while git changes the working tree', () => {
  it.each([
    ['a repository', {}, '.git'],
    ['a worktree', { '.git': 'gitdir: ../main.git/worktrees/one\n' }, '../main.git/worktrees/one'],
  ])('nothing is told, and then everything at once: %s', async (_, files, gitDir) => {
    const { source, put, at, watcher, reports } = bench({ paths: ['src'] }, { ...files, 'src/a.ts': 'a', 'src/b.ts': 'b' });
    await source.scan();
    const lock = `${gitDir}/index.lock`;
    closing.push(async () => rm(at('../main.git'), { recursive: true, force: true }));
    put(lock, '');
    put('src/a.ts', 'changed');
    watcher.hint(at('src/a.ts'));
    for (let turn = 0; turn < 100; turn++) await turnOfLoop();
    expect(reports).toHaveLength(1);
    put('src/b.ts', 'changed');
    watcher.hint(at('src/b.ts'));
    rmSync(at(lock));
    await source.settle();
    expect(reports.slice(1).map(({ entries }) => entries.map(([path]) => path))).toEqual([['src/a.ts', 'src/b.ts']]);
  });

  it('a lock that was left behind does not hold anything for long', async () => {
    const { source, hint, put, reports } = bench({ paths: ['src'] }, { 'src/a.ts': 'a' });
    await source.scan();
    put('.git/index.lock', '');
    put('src/a.ts', 'changed');
    await hint('src/a.ts');
    const since = performance.now();
    put('src/a.ts', 'again');
    await hint('src/a.ts');
    expect(reports).toHaveLength(3);
    expect(performance.now() - since).toBeLessThan(1000);
  });
});

describe('the sweep', () => {
  it('finds what no hint told of', async () => {
    const { source, put, at, paths, tree, until } = bench(everything, { 'src/a.ts': 'a', 'src/b.ts': 'b', 'lib/c.ts': 'c' });
    await source.scan();
    put('src/a.ts', 'changed');
    rmSync(at('src/b.ts'));
    put('lib/deep/d.ts');
    await until(
      () =>
        paths().join() === 'lib/c.ts,lib/deep/d.ts,src/a.ts' &&
        entryAt(tree(), 'src/a.ts')?.hash.endsWith(contentDigest('changed')) === true,
    );
  });

  it('finds again what was looked for while a directory above it was away for a moment', async () => {
    const { source, root, at, paths, hint, until } = bench(everything, { 'src/a.ts': 'a', 'src/deep/b.ts': 'b' });
    for (const path of ['src/deep', 'src']) utimesSync(at(path), 1_600_000_000, 1_600_000_000);
    await source.scan();
    renameSync(at('src'), `${root}-away`);
    await hint('src/a.ts', 'src/deep');
    expect(paths()).toEqual(['src']);
    renameSync(`${root}-away`, at('src'));
    await until(() => paths().join() === 'src/a.ts,src/deep/b.ts');
  });

  it.each([
    ["ENOSPC: System limit for number of file watchers reached, watch '/src'", 'sudo sysctl fs.inotify.max_user_watches='],
    ["EMFILE: too many open files, watch '/src'", 'sudo sysctl fs.inotify.max_user_instances='],
  ])('looks after directories that cannot be watched, and says so once, with what mends it: %s', async (refused, mends) => {
    const { source, put, at, paths, until, watcher, problems } = bench(everything, { 'src/a.ts': 'a', 'src/deep/b.ts': 'b' });
    watcher.refused.set(at('src'), refused).set(at('src/deep'), refused);
    await source.scan();
    put('src/deep/c.ts');
    await until(() => paths().includes('src/deep/c.ts'));
    const hint = expect.stringContaining(mends) as string;
    expect(problems).toMatchObject([{ code: 'directoryUnwatchable', hint, detail: refused, location: { file: 'src' } }]);
  });
});

describe('another scope', () => {
  it('is read and told, and what left it is not told as gone', async () => {
    const { source, hint, put, paths, reports } = bench({ paths: ['api'] }, { 'api/a.ts': 'a', 'web/b.ts': 'b' });
    await source.scan();
    await source.setScope({ paths: ['web'] });
    expect(paths()).toEqual(['api/a.ts', 'web/b.ts']);
    put('api/a.ts', 'changed');
    await hint('api/a.ts');
    expect(reports).toHaveLength(2);
  });

  it('that takes something back tells what became of it meanwhile', async () => {
    const { source, at, put, paths, tree } = bench({ paths: ['api', 'web'] }, { 'api/a.ts': 'a', 'api/b.ts': 'b', 'web/c.ts': 'c' });
    await source.scan();
    await source.setScope({ paths: ['web'] });
    rmSync(at('api/a.ts'));
    put('api/b.ts', 'changed');
    await source.setScope({ paths: ['api', 'web'] });
    expect(paths()).toEqual(['api/b.ts', 'web/c.ts']);
    expect(entryAt(tree(), 'api/b.ts')).toMatchObject({ digest: contentDigest('changed') });
  });

  it('ends with one report that says scanned, however often it was set', async () => {
    const { source, put, reports } = bench({ paths: ['api'] }, { 'api/a.ts': 'a', 'web/c.ts': 'c' });
    const first = source.scan();
    put('api/a.ts', 'changed');
    await source.setScope({ paths: ['api', 'web'] });
    await first;
    expect(reports.map(({ scanned }) => scanned)).toEqual([false, true]);
  });

  it('may name what does not exist yet', async () => {
    const { source, hint, put, paths } = bench({ paths: ['apps/api/dist'] });
    await source.scan();
    put('apps/api/dist/main.js');
    put('apps/web/dist/main.js');
    await hint('apps');
    expect(paths()).toEqual(['apps/api/dist/main.js']);
  });
});

describe('with the events of this system', () => {
  it.each([1, 2, 3, 4, 5])('what was told is what is on disk after any changes (seed %i)', async (seed) => {
    const { source, root, at, put, tree, until } = bench(everything, {}, { open: openWatcher });
    let state = seed;
    const pick = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    const anyPath = () => Array.from({ length: 1 + pick(3) }, () => 'abcd'[pick(4)]).join('/');
    await source.scan();
    for (let step = 0; step < 400; step++) {
      try {
        switch (pick(6)) {
          case 0:
          case 1:
          case 2:
            put(anyPath(), `${step}`);
            break;
          case 3:
            rmSync(at(anyPath()), { recursive: true });
            break;
          case 4:
            renameSync(at(anyPath()), at(anyPath()));
            break;
          case 5:
            symlinkSync('a', at(anyPath()));
            break;
        }
      } catch {
        // What cannot be done there is not done.
      }
      if (pick(4) === 0) await turnOfLoop();
    }
    const disk = await readEntry(root, '');
    await until(() => disk.ok && tree().hash === disk.value?.hash);
  });
});
