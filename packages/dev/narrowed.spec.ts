import {
  emptyDir,
  type Artifact,
  type Event,
  type Failure,
  type Goal,
  type Release,
  type ReleaseState,
  type Step,
  type Workspace,
  type World,
} from '../model';
import { emptyWorld } from '../plan';
import type { Turn } from './converge';
import { narrowingTo } from './narrowed';

const artifact = (name: string, more: Partial<Artifact> = {}): Artifact => ({
  name,
  project: name,
  image: name,
  recipe: { builder: 'docker/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [],
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
  ...more,
});
const release = (name: string): Release => ({ name, project: name, sources: [], inputs: [], artifacts: [name] });
const target = (id: string, dependsOn: readonly string[] = []) =>
  [id, { id, project: 'x', inputs: [], outputs: [], dependsOn, runsDependencies: true }] as const;

const workspace: Workspace = {
  root: '/w',
  projects: new Map(),
  artifacts: new Map(
    [artifact('api', { requires: ['base'], targets: ['api:build'] }), artifact('base'), artifact('web')].map((each) => [each.name, each]),
  ),
  releases: new Map(['api', 'web'].map((name) => [name, release(name)])),
  targets: new Map([target('api:build', ['lib:build']), target('lib:build'), target('web:build')]),
  forwards: [],
  problems: [],
};
const goal: Goal = { kind: 'live', artifacts: new Set(['api']), releases: new Set(['api']) };
const { turn, concerns } = narrowingTo(workspace, goal, ['api', 'docs']);

const failure: Failure = {
  inputs: '',
  attempts: 1,
  retryAt: undefined,
  problem: { code: 'buildFailed', message: 'no', retry: 'never', exitCode: 1 },
};
const released: ReleaseState = { revision: 1, live: { state: 'absent' }, applied: undefined, uncertain: false };
const running = (id: string, step: Step) => [id, { id, step, startedAt: 0, stopAsked: false }] as const;

it('is a world of what it is about: its services, what they stand on, and what is wrong with these', () => {
  const world: World = {
    ...emptyWorld,
    workspace,
    goal: { kind: 'live', artifacts: new Set(['api', 'web']), releases: new Set(['api', 'web']) },
    failures: new Map(['build:base', 'build:web', 'runTarget:lib:build', 'runTarget:web:build', 'apply:api'].map((key) => [key, failure])),
    releases: new Map([
      ['api', released],
      ['web', released],
    ]),
    running: new Map([
      running('1', { kind: 'remove', release: 'web' }),
      running('2', { kind: 'runTarget', target: 'api:build', inputsHash: '' }),
    ]),
    disk: emptyDir,
  };
  const whole: Turn = {
    before: world,
    after: world,
    facts: [],
    plan: {
      start: [{ kind: 'remove', release: 'web' }],
      stop: [],
      held: [
        { subject: 'web', reason: 'waitingForImage' },
        { subject: 'api api-1', reason: 'waitingForAgent' },
        { subject: 'workspace', reason: 'waitingForScan' },
      ],
      wakeAt: undefined,
    },
  };
  const { after, plan } = turn(whole);
  expect([...after.failures.keys()]).toEqual(['build:base', 'runTarget:lib:build', 'apply:api']);
  expect([...after.releases.keys()]).toEqual(['api']);
  expect([...after.running.keys()]).toEqual(['2']);
  expect([...(after.workspace?.artifacts.keys() ?? [])]).toEqual(['api', 'base']);
  expect(after.goal).toBe(goal);
  expect(plan.start).toEqual([]);
  expect(plan.held.map(({ subject }) => subject)).toEqual(['api api-1', 'workspace']);
});

it.each<[Event, boolean]>([
  [{ kind: 'started', what: 'build', subject: 'base' }, true],
  [{ kind: 'targetRan', target: 'lib:build', ms: 1 }, true],
  [{ kind: 'mended', subject: 'docs' }, true],
  [{ kind: 'mended', subject: 'workspace' }, true],
  [{ kind: 'notice', message: 'the disk is full' }, true],
  [{ kind: 'removed', release: 'web', objects: [] }, false],
  [{ kind: 'service', service: 'web', state: 'ready' }, false],
  [{ kind: 'log', service: 'api', artifact: 'sidecar', pod: 'p', container: 'c', line: 'x', replicas: 1 }, true],
  [{ kind: 'log', service: 'web', artifact: 'api', pod: 'p', container: 'c', line: 'x', replicas: 1 }, false],
])('hears %j: %s', (event, hears) => {
  expect(concerns(event)).toBe(hears);
});
