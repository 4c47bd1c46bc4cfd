import { setImmediate as immediate } from 'node:timers/promises';
import { emptyDir, type Artifact, type Outcome, type Step, type Workspace } from '../model';
import { openLoop, type Loop, type Turn } from './converge';

const artifact: Artifact = {
  name: 'api',
  project: 'api',
  image: 'api',
  recipe: { builder: 'test/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [{ path: 'src', containerPath: '/app', onChange: 'sync', because: 'copied' }],
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'watches' },
};

const workspace: Workspace = {
  root: '/',
  projects: new Map(),
  artifacts: new Map([['api', artifact]]),
  releases: new Map(),
  targets: new Map(),
  forwards: [],
  problems: [],
};

function opened(run: (step: Step, signal: AbortSignal) => Promise<Outcome>): {
  readonly loop: Loop;
  readonly turns: Turn[];
  readonly started: Step[];
} {
  const turns: Turn[] = [];
  const started: Step[] = [];
  const loop = openLoop({
    now: () => performance.now(),
    onTurn: (turn) => turns.push(turn),
    run: (step, { signal }) => {
      started.push(step);
      return run(step, signal);
    },
  });
  open.push(loop);
  loop.post({ kind: 'goalSet', goal: { kind: 'built', artifacts: new Set(['api']), releases: new Set() } });
  loop.post({ kind: 'workspaceSeen', workspace });
  loop.post({ kind: 'filesSeen', entries: [['src', emptyDir]], scanned: true, at: 1 });
  return { loop, turns, started };
}

const image = { ref: 'api:1@sha256:1', digest: 'sha256:1' };

const open: Loop[] = [];
afterEach(() => Promise.all(open.splice(0).map((loop) => loop.close())));

describe('the loop', () => {
  it('takes what has come by then as one turn, and starts what it asks for', async () => {
    const { loop, turns, started } = opened(() => Promise.resolve({ kind: 'lookedUp', image }));
    await loop.until(({ after }) => after.artifacts.get('api')?.image !== undefined);
    expect(turns.map(({ facts }) => facts.map(({ kind }) => kind))).toEqual([
      ['clockTicked', 'goalSet', 'workspaceSeen', 'filesSeen'],
      ['clockTicked', 'stepEnded'],
    ]);
    expect(started.map(({ kind }) => kind)).toEqual(['lookUp']);
    await loop.close();
  });

  it('goes on after a failure, and tries again when the world may have mended it', async () => {
    let tries = 0;
    const { loop, started } = opened(() => {
      tries += 1;
      if (tries > 1) return Promise.resolve({ kind: 'lookedUp', image });
      return Promise.resolve({
        kind: 'failed',
        problem: { code: 'registryUnreachable', message: 'no answer', retry: 'afterDelay', exitCode: 3 },
      });
    });
    await loop.until(({ after }) => after.failures.size === 1);
    await loop.until(({ after }) => after.artifacts.get('api')?.image !== undefined);
    expect(started).toHaveLength(2);
    expect(loop.world().failures.size).toBe(0);
    await loop.close();
  });

  it('asks what runs to stop when it is closed, and waits for it', async () => {
    let stopped = false;
    const { loop } = opened(
      (_step, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            stopped = true;
            resolve({ kind: 'stopped' });
          });
        }),
    );
    await loop.until(({ after }) => after.running.size === 1);
    await loop.close();
    expect(stopped).toBe(true);
  });

  it('takes no fact after it was closed', async () => {
    const { loop, turns } = opened(() => Promise.resolve({ kind: 'lookedUp', image }));
    await loop.until(({ after }) => after.artifacts.get('api')?.image !== undefined);
    await loop.close();
    const before = turns.length;
    loop.post({ kind: 'clockTicked', now: 1_000_000 });
    await immediate();
    expect(turns).toHaveLength(before);
  });
});
