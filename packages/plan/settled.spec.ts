import {
  absent,
  contentDigest,
  fileEntry,
  unknown,
  withEntries,
  type Artifact,
  type Fact,
  type Failure,
  type Goal,
  type Release,
  type RunningStep,
  type SeenContainer,
  type Snapshot,
  type Step,
  type Workspace,
  type World,
} from '../model';
import { noArtifactState } from './need';
import { emptyWorld, record } from './record';
import { Settled } from './settled';

const artifact = (name: string, requires: readonly string[] = []): Artifact => ({
  name,
  project: name,
  image: name,
  recipe: { builder: 'test/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [`apps/${name}/src`, ...(name === 'web' ? [] : ['libs/log'])].map((path) => ({ path, onChange: 'sync', because: '' })),
  requires,
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
});
const release = (name: string): Release => ({
  name,
  project: name,
  sources: [],
  inputs: [{ path: `apps/${name}/k8s`, because: '' }],
  artifacts: [name],
});
const byName = <T extends { readonly name: string }>(...all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((one) => [one.name, one]));

const names = ['api', 'base', 'web'];
const workspace: Workspace = {
  root: '/',
  projects: new Map(),
  artifacts: byName(artifact('api', ['base']), artifact('base'), artifact('web')),
  releases: byName(...names.map(release)),
  targets: new Map(),
  forwards: [],
  problems: [],
};
const file = (text: string) => fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 });
const goal: Goal = { kind: 'live', artifacts: new Set(names), releases: new Set(names) };
const paths = ['apps/api/src/main.js', 'apps/web/src/main.js', 'apps/web/k8s/web.yaml', 'libs/log/index.js', 'README.md'];
const container = (of: string): SeenContainer => ({
  id: `${of}-1`,
  artifact: of,
  namespace: '',
  pod: of,
  podUid: of,
  container: 'main',
  running: true,
  inputsHash: '',
  restarts: 0,
  snapshot: undefined,
});
const facts: readonly Fact[] = [
  { kind: 'goalSet', goal },
  { kind: 'workspaceSeen', workspace },
  { kind: 'filesSeen', entries: paths.map((path) => [path, file(path)]), scanned: true, at: 0 },
  ...names.map((name): Fact => ({ kind: 'releaseSeen', release: name, revision: 1, live: absent, containers: [container(name)] })),
];
const world: World = { ...facts.reduce(record, emptyWorld), artifacts: new Map(names.map((name) => [name, noArtifactState])) };
const ofWeb = [...world.containers].filter(([, { seen }]) => seen.artifact === 'web');
const failure: Failure = {
  inputs: '',
  problem: { code: 'buildFailed', message: 'no', retry: 'whenInputChanges', exitCode: 1 },
  attempts: 1,
  retryAt: undefined,
};
const running = (step: Step): World['running'] =>
  new Map<string, RunningStep>([['s1', { id: 's1', step, startedAt: 0, stopAsked: false }]]);
const wrote = (path: string): World => ({ ...world, disk: withEntries(world.disk, [[path, file('another')]]) });
const inPlace = <V>(map: ReadonlyMap<string, V>, key: string, change: (value: V) => V): ReadonlyMap<string, V> =>
  new Map([...map].map(([name, value]) => [name, name === key ? change(value) : value]));
const noSnapshot: Snapshot = { inputsHash: '', rebuildHash: '', layoutHash: '', sources: emptyWorld.disk, tree: emptyWorld.disk };
const everything = [...names, 'api release', 'base release', 'web release'];

/** What has to be looked at again when one world comes after another. */
function touched(before: World, after: World): readonly string[] {
  const settled = new Settled();
  settled.follow(before);
  for (const name of names) {
    settled.addArtifact(name);
    settled.addRelease(name);
  }
  settled.follow(after);
  return [
    ...names.filter((name) => !settled.hasArtifact(name)),
    ...names.filter((name) => !settled.hasRelease(name)).map((name) => `${name} release`),
  ];
}

describe('what has to be looked at again', () => {
  it.each<readonly [string, World, readonly string[]]>([
    ['nothing happened', { ...world }, []],
    ['only time went by', { ...world, now: 5000, noticedAt: 4000 }, []],
    ['a file that nothing takes', wrote('README.md'), []],
    ['a file of one artifact', wrote('apps/web/src/main.js'), ['web', 'web release']],
    ['a new file in a new directory of one artifact', wrote('apps/web/src/a/b.js'), ['web', 'web release']],
    [
      'a directory in which an artifact looks is gone',
      { ...world, disk: withEntries(world.disk, [['apps/web', undefined]]) },
      ['web', 'web release'],
    ],
    ['a file that a base takes, and what stands on it', wrote('libs/log/index.js'), ['api', 'base', 'api release', 'base release']],
    ['a manifest', wrote('apps/web/k8s/web.yaml'), ['web release']],
    [
      'what is known of an image',
      { ...world, artifacts: inPlace(world.artifacts, 'web', (state) => ({ ...state, stoppedOnce: true })) },
      ['web', 'web release'],
    ],
    [
      'a container',
      { ...world, containers: inPlace(world.containers, 'web-1', (state) => ({ ...state, lastBatch: 1 })) },
      ['web', 'web release'],
    ],
    [
      'a new container',
      { ...world, containers: new Map([...ofWeb.map(([, state]) => ['web-2', state] as const), ...world.containers]) },
      ['web', 'web release'],
    ],
    [
      'a container that is gone',
      { ...world, containers: new Map([...world.containers].filter(([id]) => id !== 'web-1')) },
      ['web', 'web release'],
    ],
    [
      'what the cluster shows of a release, and what its image is',
      { ...world, releases: inPlace(world.releases, 'web', (state) => ({ ...state, live: unknown, revision: 2 })) },
      ['web', 'web release'],
    ],
    [
      'a step for an image',
      { ...world, running: running({ kind: 'lookUp', artifact: 'web', snapshot: noSnapshot }) },
      ['web', 'web release'],
    ],
    ['a step for a release', { ...world, running: running({ kind: 'remove', release: 'web' }) }, ['web release']],
    ['a step for a container', { ...world, running: running({ kind: 'connect', container: 'web-1' }) }, ['web', 'web release']],
    ['a failure', { ...world, failures: new Map([['build:web', failure]]) }, everything],
    ['outputs of a target', { ...world, targets: new Map([['web:build', { madeFrom: '', outputs: [] }]]) }, everything],
    ['another goal', { ...world, goal: { ...world.goal } }, everything],
    ['another workspace', { ...world, workspace: { ...workspace } }, everything],
  ])('%s', (_what, after, expected) => {
    expect(touched(world, after)).toEqual(expected);
    expect(touched(after, { ...world })).toEqual(expected);
  });
});
