import type { Problem, World } from '../model';
import { emptyWorld } from '../plan';
import type { Loop, Turn } from './converge';
import { sessionEnd, type Readiness } from './readiness';

const problem: Problem = { code: 'buildFailed', message: 'it was not built', retry: 'whenInputChanges', exitCode: 1 };
const portTaken: Problem = { ...problem, code: 'portTaken' };
const working: World = { ...emptyWorld, scanned: true };
const reached: World = {
  ...working,
  workspace: { root: '/', projects: new Map(), artifacts: new Map(), releases: new Map(), targets: new Map(), forwards: [], problems: [] },
};
const failing: World = { ...working, failures: new Map([['build:web', { inputs: '', problem, attempts: 1, retryAt: undefined }]]) };

/** A loop that stays in one world. */
function loopIn(after: World): Loop {
  const turn: Turn = { before: after, after, facts: [], plan: { start: [], stop: [], held: [], wakeAt: undefined } };
  return {
    post: () => undefined,
    world: () => after,
    until: (condition) => (condition(turn) ? Promise.resolve(turn) : new Promise(() => undefined)),
    close: () => Promise.resolve(),
  };
}

async function ends(world: World, readiness: Partial<Readiness>): Promise<string> {
  const end = await sessionEnd(loopIn(world), {
    exitWhenReady: false,
    timeoutMs: undefined,
    signal: new AbortController().signal,
    ...readiness,
  });
  return end.kind === 'notReady' ? end.problems.map(({ code }) => code).join() : end.kind;
}

describe('a session ends', () => {
  const asked = AbortSignal.abort();

  it.each<[string, World, Partial<Readiness>, string]>([
    ['when somebody asks for it', reached, { signal: asked }, 'asked'],
    ['when all is ready, if that was wanted', reached, { exitWhenReady: true }, 'ready'],
    ['when it gets no further, if that was wanted', failing, { exitWhenReady: true }, 'buildFailed'],
    [
      'when something is missing beside what is ready',
      reached,
      { exitWhenReady: true, missing: () => Promise.resolve([portTaken]) },
      'portTaken',
    ],
    ['when it is not ready in time', working, { timeoutMs: 1 }, 'notReadyInTime'],
    ['when it is not ready in time, though an edit may still mend it', failing, { timeoutMs: 1 }, 'notReadyInTime'],
  ])('%s', async (_what, world, readiness, end) => {
    expect(await ends(world, readiness)).toBe(end);
  });

  it('by no timeout once it has been ready', async () => {
    const stop = new AbortController();
    const end = ends(reached, { timeoutMs: 1, signal: stop.signal });
    await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    expect(await end).toBe('asked');
  });
});
