import {
  contentDigest,
  emptyDir,
  entryAt,
  failed,
  fileEntry,
  succeeded,
  withEntries,
  type Artifact,
  type Entry,
  type Fact,
  type Problem,
  type Step,
  type Target,
  type Workspace,
  type World,
} from '../model';
import { classify } from './classify';
import { plan } from './plan';
import { emptyWorld, record } from './record';
import { staleTargets, unansweredMs, visibleTree } from './targets';

function file(text: string): Entry {
  return fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 });
}

const watch: Target = {
  id: 'api:watch',
  project: 'api',
  inputs: [{ path: 'api/src' }],
  outputs: ['api/dist'],
  dependsOn: [],
  runsDependencies: true,
  continuous: true,
};

const api: Artifact = {
  name: 'api',
  project: 'api',
  image: 'api',
  recipe: { builder: 'test/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
  inputs: [{ path: 'api/dist', containerPath: '/app', onChange: 'sync', because: 'copied to /app (api/Dockerfile:2)' }],
  requires: [],
  targets: ['api:watch'],
  after: [],
  reload: { kind: 'hot', because: 'node --watch restarts it' },
};

function workspaceWith(...targets: readonly Target[]): Workspace {
  return {
    root: '/',
    projects: new Map([['api', { name: 'api', root: 'api', dependencies: [] }]]),
    artifacts: new Map([['api', { ...api, targets: targets.slice(0, 1).map(({ id }) => id) }]]),
    releases: new Map(),
    targets: new Map(targets.map((target) => [target.id, target])),
    forwards: [],
    problems: [],
  };
}

function after(world: World, ...facts: readonly Fact[]): World {
  return facts.reduce(record, world);
}

function begun(workspace = workspaceWith(watch)): World {
  return after(
    emptyWorld,
    { kind: 'goalSet', goal: { kind: 'live', artifacts: new Set(['api']), releases: new Set() } },
    { kind: 'workspaceSeen', workspace },
    {
      kind: 'filesSeen',
      entries: [
        ['api/src/main.ts', file('one')],
        ['api/dist/main.js', file('ONE')],
      ],
      scanned: true,
      at: 1,
    },
  );
}

function edited(world: World, path: string, text: string | undefined): World {
  const entry = text === undefined ? undefined : file(text);
  return after(world, { kind: 'filesSeen', entries: [[path, entry]], scanned: false, at: world.now + 10 });
}

function built(world: World, build: number, bundle: string): World {
  const dist = withEntries(emptyDir, [['main.js', file(bundle)]]);
  return after(world, { kind: 'targetBuilt', run: 'w', build, made: succeeded([['api/dist', dist]]) });
}

const mistake: Problem = { code: 'targetFailed', message: 'api:watch found a mistake', retry: 'whenInputChanges', exitCode: 1 };

function failing(world: World, build: number): World {
  return after(world, { kind: 'targetBuilt', run: 'w', build, made: failed(mistake) });
}

/** The one that is planned has been started. */
function watching(): World {
  const world = begun();
  const step = plan(world).start.find(({ kind }) => kind === 'watchTarget') as Step;
  return after(world, { kind: 'stepStarted', id: 'w', step, at: world.now });
}

const isFrozen = (world: World): boolean => staleTargets(world, api).length > 0;
const starts = (world: World): readonly string[] => plan(world).start.map(({ kind }) => kind);

it('is started once, and nothing is made of its outputs before its first build', () => {
  expect(starts(begun())).toEqual(['watchTarget']);
  expect(starts(watching())).toEqual([]);
  expect(plan(watching()).held).toContainEqual({ subject: 'api', reason: 'waitingForTarget', detail: 'api:watch' });
  expect(starts(built(watching(), 1, 'ONE'))).toEqual(['lookUp']);
});

it('is not started again for an edit: its outputs are frozen until it answers', () => {
  let world = edited(built(watching(), 1, 'ONE'), 'api/src/main.ts', 'two');
  expect([starts(world), isFrozen(world)]).toEqual([[], true]);
  world = edited(world, 'api/dist/main.js', undefined);
  expect(entryAt(visibleTree(world), 'api/dist/main.js')).toEqual(file('ONE'));
  world = built(world, 2, 'TWO');
  expect(isFrozen(world)).toBe(false);
});

it('a mistake keeps what it wrote last, also when it removes its outputs, until it is mended', () => {
  let world = edited(built(watching(), 1, 'ONE'), 'api/src/main.ts', 'bad');
  world = failing(edited(world, 'api/dist/main.js', undefined), 2);
  const late = after(world, { kind: 'clockTicked', now: world.now + 10 * unansweredMs });
  expect([isFrozen(late), [...late.failures.values()].map(({ problem }) => problem)]).toEqual([true, [mistake]]);
  world = built(edited(world, 'api/src/main.ts', 'two'), 3, 'TWO');
  expect([isFrozen(world), world.failures.size]).toEqual([false, 0]);
});

it('a file that it does not use is no longer waited for after a while', () => {
  const world = edited(built(watching(), 1, 'ONE'), 'api/src/notes.txt', 'n');
  expect(plan(world).wakeAt).toBe(world.noticedAt + unansweredMs);
  expect(isFrozen(after(world, { kind: 'clockTicked', now: world.noticedAt + unansweredMs }))).toBe(false);
});

it('one that ends is started again by the next edit, and what it has made is not read before', () => {
  const ended: Problem = { ...mistake, code: 'targetEnded' };
  let world = built(watching(), 1, 'ONE');
  world = after(world, { kind: 'stepEnded', id: 'w', outcome: { kind: 'failed', problem: ended }, at: world.now });
  expect([starts(world), isFrozen(world)]).toEqual([[], true]);
  expect(starts(edited(world, 'api/src/main.ts', 'two'))).toEqual(['watchTarget']);
});

it('waits for what it reads to be made first', () => {
  const lower: Target = {
    id: 'lib:build',
    project: 'lib',
    inputs: [{ path: 'lib/src' }],
    outputs: ['lib/dist'],
    dependsOn: [],
    runsDependencies: true,
  };
  const world = begun(workspaceWith({ ...watch, dependsOn: ['lib:build'] }, lower));
  expect(plan(world).start).toMatchObject([{ kind: 'runTarget', target: 'lib:build' }]);
});

it('is stopped when no image takes what it makes any more', () => {
  expect(plan(after(watching(), { kind: 'workspaceSeen', workspace: workspaceWith() })).stop).toEqual(['w']);
});

it('an edit of what it watches is told as such', () => {
  expect(classify(workspaceWith(watch), 'api/src/main.ts')).toMatchObject([
    { action: 'target-then-sync', because: 'api:watch watches it, and its output is copied' },
  ]);
});
