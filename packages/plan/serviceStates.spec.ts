import type { Artifact, Failure, Plan, Problem, Release, Rollout, Step, Workspace, World } from '../model';
import { emptyWorld } from './record';
import { serviceStates } from './serviceStates';

const artifact = (name: string, targets: readonly string[] = []): Artifact => ({
  name,
  project: name,
  image: name,
  recipe: { builder: 'test/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [],
  requires: [],
  targets,
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
});
const release = (name: string): Release => ({ name, project: name, sources: [], inputs: [], artifacts: [name] });
const target = (id: string, dependsOn: readonly string[] = []) => ({
  id,
  project: id,
  inputs: [],
  outputs: [],
  dependsOn,
  runsDependencies: false,
});

const workspace: Workspace = {
  root: '/',
  projects: new Map(),
  artifacts: new Map([
    ['api', artifact('api', ['api:build'])],
    ['web', artifact('web')],
  ]),
  releases: new Map([
    ['api', release('api')],
    ['web', release('web')],
  ]),
  targets: new Map([
    ['api:build', target('api:build', ['money:build'])],
    ['money:build', target('money:build')],
  ]),
  forwards: [],
  problems: [],
};

const snapshot = { inputsHash: '', rebuildHash: '', layoutHash: '', sources: emptyWorld.disk, tree: emptyWorld.disk };
const build: Step = { kind: 'build', artifact: 'api', snapshot, bases: {} };
const problem: Problem = { code: 'buildFailed', message: 'it was not built', retry: 'whenInputChanges', exitCode: 1 };
const failing = (key: string, more: Partial<Failure> = {}): Partial<World> => ({
  failures: new Map([[key, { inputs: '', problem, attempts: 1, retryAt: undefined, ...more }]]),
});

function running(step: Step): Partial<World> {
  return { running: new Map([['1', { id: '1', step, startedAt: 0, stopAsked: false }]]) };
}

function released(rollout: Rollout): World['releases'] {
  const live = { state: 'found', value: { fingerprint: '', appliedAt: 0, images: {}, rollout } } as const;
  return new Map(['api', 'web'].map((name) => [name, { revision: 1, live, applied: undefined, uncertain: false }]));
}

function states(more: Partial<World>, held: Plan['held'] = []): Record<string, string> {
  const goal = { kind: 'live' as const, artifacts: new Set(['api', 'web']), releases: new Set(['api', 'web']) };
  const world: World = { ...emptyWorld, scanned: true, workspace, goal, releases: released({ state: 'ready' }), ...more };
  const told = serviceStates(world, { start: [], stop: [], held, wakeAt: undefined });
  return Object.fromEntries(
    [...told].map(([name, { state, because, detail }]) => [name, [state, because, detail].filter(Boolean).join(' ')]),
  );
}

describe('how services are', () => {
  it.each<[string, Partial<World>, Plan['held'], string]>([
    ['rolled out, with nothing to do', {}, [], 'ready'],
    ['not deployed yet', { releases: new Map() }, [], 'waiting'],
    ['rolling out', { releases: released({ state: 'progressing', message: '0 of 1' }) }, [], 'waiting waitingForRollout 0 of 1'],
    ['failed to roll out', { releases: released({ state: 'failed', problem }) }, [], 'failed buildFailed it was not built'],
    ['its image is built', running(build), [], 'building build'],
    [
      'a target of a library runs',
      running({ kind: 'runTarget', target: 'money:build', inputsHash: '' }),
      [],
      'building runTarget money:build',
    ],
    ['a target that goes on runs', running({ kind: 'watchTarget', target: 'api:build', inputsHash: '' }), [], 'ready'],
    ['a build failed', failing('build:api'), [], 'failed buildFailed it was not built'],
    ['a target of a library failed', failing('runTarget:money:build'), [], 'failed buildFailed it was not built'],
    ['a failure that the next try may mend', failing('build:api', { retryAt: 1 }), [], 'ready'],
    ['one that it did not mend', failing('build:api', { retryAt: 1, attempts: 2 }), [], 'failed buildFailed it was not built'],
    ['one of its pods is waited for', {}, [{ subject: 'api api-1-x', reason: 'waitingForAgent' }], 'waiting waitingForAgent'],
    ['a failure is worse than what goes on', { ...failing('apply:api'), ...running(build) }, [], 'failed buildFailed it was not built'],
  ])('%s', (_what, world, held, api) => {
    expect(states(world, held)['api']).toBe(api);
  });

  it('are each their own', () => {
    expect(states(running(build))).toEqual({ api: 'building build', web: 'ready' });
  });
});
