import { tmpdir } from 'node:os';
import type { GraphSource, TargetEnd } from '../graph';
import type { Event, Target } from '../model';
import { TargetRunner } from './targetRunner';

const target = (id: string, runsDependencies = true): Target => ({
  id,
  project: id.split(':')[0] ?? '',
  inputs: [],
  outputs: [],
  dependsOn: [],
  runsDependencies,
});

const never = () => new AbortController().signal;

/** A runner that is a small program: it says what it runs, and fails what it is told to. */
function runnerThat(fails: readonly string[], told: boolean, hasRun: readonly string[] = []) {
  const started: string[] = [];
  const events: Event[] = [];
  const program = (ids: readonly string[]) => {
    started.push(ids.join(' '));
    const bad = ids.filter((id) => fails.includes(id));
    const lines = [...bad.map((id) => `${id} src/a.ts:3:5 is wrong`), '\u001b[2m\u001b[22m', 'own: the end'];
    return {
      command: process.execPath,
      args: ['-e', `console.log(${JSON.stringify(lines.join('\n'))}); process.exitCode = ${bad.length}`],
    };
  };
  const graph: GraphSource = {
    kind: 'nx',
    root: tmpdir(),
    watch: [],
    read: () => Promise.reject(new Error('not asked for')),
    runTarget: (project, name) => program([`${project}:${name}`]),
    runTargets: (projects, name) => program(projects.map((project) => `${project}:${name}`)),
    outcomesIn: (lines) =>
      told
        ? new Map(
            lines.flatMap((line): [string, TargetEnd][] => {
              const [id = '', ...rest] = line.split(' ');
              return id.startsWith('own') ? [] : [[id, { ok: false, lines: [rest.join(' ')] }]];
            }),
          )
        : new Map<string, TargetEnd>(),
    hasRun: new Set(hasRun),
    isOwnLine: (line) => line.startsWith('own:'),
  };
  return { runner: new TargetRunner({ root: tmpdir(), graph }, (event) => events.push(event)), started, events };
}

it('targets that are asked for at one moment are one process of the runner for each name', async () => {
  const { runner, started } = runnerThat([], false);
  const runs = ['a:build', 'b:build', 'c:bundle'].map((id) => runner.run(target(id), never()));
  expect((await Promise.all(runs)).map(({ ok }) => ok)).toEqual([true, true, true]);
  expect(started).toEqual(['a:build b:build', 'c:bundle']);
});

it('of those that ran together each has its own end', async () => {
  const { runner, started } = runnerThat(['a:build'], true);
  const [a, b] = await Promise.all(['a:build', 'b:build'].map((id) => runner.run(target(id), never())));
  expect(a).toMatchObject({ ok: false, problem: { code: 'targetFailed', detail: 'src/a.ts:3:5 is wrong', retry: 'whenInputChanges' } });
  expect(b?.ok).toBe(true);
  // Nothing was said of the second.
  expect(started).toEqual(['a:build b:build', 'b:build']);
});

it('what is not told is found out one by one', async () => {
  const { runner, started } = runnerThat(['a:build'], false);
  const runs = await Promise.all(['a:build', 'b:build'].map((id) => runner.run(target(id), never())));
  expect(runs.map(({ ok }) => ok)).toEqual([false, true]);
  expect(started).toEqual(['a:build b:build', 'a:build', 'b:build']);
});

it('a runner that runs one target and nothing else gets a process for each', async () => {
  const { runner, started } = runnerThat([], false);
  await Promise.all(['a:build', 'b:build'].map((id) => runner.run(target(id, false), never())));
  expect(started.sort()).toEqual(['a:build', 'b:build']);
});

it('what the runner has run before is not run again until it is asked for a second time', async () => {
  const { runner, started, events } = runnerThat([], false, ['a:build']);
  const first = await runner.run(target('a:build'), never());
  expect(first).toEqual({ ok: true, value: { startedAt: performance.timeOrigin } });
  expect([started, events]).toEqual([[], []]);
  await runner.run(target('a:build'), never());
  expect(started).toEqual(['a:build']);
});

it('the lines of the tool are told, those of the runner are not', async () => {
  const { runner, events } = runnerThat(['a:build'], false);
  await runner.run(target('a:build'), never());
  expect(events).toEqual([
    { kind: 'started', what: 'runTarget', subject: 'a:build' },
    { kind: 'output', subject: 'a:build', line: 'a:build src/a.ts:3:5 is wrong' },
  ]);
});

/** A tool that watches: it prints lines, and goes on unless it is told not to. */
function watchingRunner(script: string) {
  const graph: GraphSource = {
    kind: 'nx',
    root: tmpdir(),
    watch: [],
    read: () => Promise.reject(new Error('not asked for')),
    runTarget: () => ({ command: process.execPath, args: ['-e', script] }),
  };
  return new TargetRunner({ root: tmpdir(), graph }, () => undefined);
}

it('each build of a continuous target is told as it ends, and it goes on until it is stopped', async () => {
  const lines = [
    '[watch] build finished',
    '[watch] build started',
    '✘ [ERROR] bad',
    '    src/a.ts:3:5:',
    '1 error',
    '[watch] build finished',
  ];
  const stop = new AbortController();
  // It ends when its standard input does, as esbuild.
  const script = `console.log(${JSON.stringify(lines.join('\n'))}); process.stdin.on('end', () => process.exit(7)).resume()`;
  const details: (string | undefined)[] = [];
  const ended = await watchingRunner(script).watch(target('a:watch'), {
    signal: stop.signal,
    onBuilt: ({ problem }) => {
      details.push(problem?.detail);
      if (details.length === 2) stop.abort();
    },
  });
  expect(details).toEqual([undefined, '✘ [ERROR] bad\n    src/a.ts:3:5:\n1 error']);
  expect(ended.code).toBe('aborted');
});

it('one that prints only its mistakes has failed when it is silent again', async () => {
  const stop = new AbortController();
  const built = new Promise<string | undefined>((resolve) => {
    void watchingRunner(`console.error('✘ [ERROR] bad'); process.stdin.resume()`).watch(target('a:watch'), {
      signal: stop.signal,
      onBuilt: ({ problem }) => resolve(problem?.detail),
    });
  });
  expect(await built).toBe('✘ [ERROR] bad');
  stop.abort();
});

it('a continuous target that ends is a problem, with what it printed last', async () => {
  const ended = await watchingRunner(`console.log('nothing to watch')`).watch(target('a:watch'), {
    signal: never(),
    onBuilt: () => undefined,
  });
  expect(ended).toMatchObject({
    code: 'targetEnded',
    message: 'a:watch is continuous, and ended with exit code 0',
    detail: 'nothing to watch',
  });
});
