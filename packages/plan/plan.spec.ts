import {
  contentDigest,
  emptyDir,
  fileEntry,
  withEntries,
  type Artifact,
  type Entry,
  type Fact,
  type Goal,
  type Input,
  type Outcome,
  type Problem,
  type Release,
  type Rollout,
  type SeenContainer,
  type Step,
  type Workspace,
  type World,
} from '../model';
import { classify } from './classify';
import { fingerprintOf } from './fingerprint';
import { isReached, progressOf } from './goalReached';
import { isSettled } from './need';
import { plan } from './plan';
import { emptyWorld, record } from './record';
import { snapshotOf } from './snapshot';

function file(text: string): Entry {
  return fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 });
}

const inputs: readonly Input[] = [
  { path: 'api/package.json', onChange: 'rebuild', because: 'read by RUN npm ci (api/Dockerfile:3)' },
  { path: 'api/package.json', containerPath: '/app/package.json', onChange: 'sync', because: 'copied to /app (api/Dockerfile:4)' },
  { path: 'api/src', containerPath: '/app/src', onChange: 'sync', because: 'copied to /app/src (api/Dockerfile:5)' },
];

const api: Artifact = {
  name: 'api',
  project: 'api',
  image: 'api',
  recipe: { builder: 'test/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
  inputs,
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'node --watch restarts it' },
};

const release: Release = {
  name: 'api',
  project: 'api',
  sources: [],
  inputs: [{ path: 'api/k8s/api.yaml', because: 'a manifest of api' }],
  artifacts: ['api'],
};

function workspaceWith(artifact: Artifact): Workspace {
  return {
    root: '/',
    projects: new Map([['api', { name: 'api', root: 'api', dependencies: [] }]]),
    artifacts: new Map([['api', artifact]]),
    releases: new Map([['api', release]]),
    targets: new Map(),
    forwards: [],
    problems: [],
  };
}

const live: Goal = { kind: 'live', artifacts: new Set(['api']), releases: new Set(['api']) };
const firstFiles: readonly (readonly [string, Entry])[] = [
  ['api/package.json', file('{}')],
  ['api/src/main.js', file('one')],
  ['api/k8s/api.yaml', file('kind: Deployment')],
];

function after(world: World, ...facts: readonly Fact[]): World {
  return facts.reduce(record, world);
}

function kinds(world: World): readonly string[] {
  return plan(world).start.map(({ kind }) => kind);
}

let counter = 0;

/** Starts the one step of a kind that is planned, and ends it. */
function does(world: World, kind: Step['kind'], outcome: (step: Step) => Outcome): World {
  const step = plan(world).start.find((one) => one.kind === kind);
  if (!step) throw new Error(`no ${kind} is planned, but: ${kinds(world).join(', ')}`);
  counter += 1;
  const id = `t${String(counter)}`;
  return after(
    world,
    { kind: 'stepStarted', id, step, at: world.now + 1 },
    { kind: 'stepEnded', id, outcome: outcome(step), at: world.now + 2 },
  );
}

function begun(artifact = api): World {
  return after(
    emptyWorld,
    { kind: 'goalSet', goal: live },
    { kind: 'workspaceSeen', workspace: workspaceWith(artifact) },
    { kind: 'filesSeen', entries: firstFiles, scanned: true, at: 1 },
    { kind: 'releaseSeen', release: 'api', revision: 1, live: { state: 'absent' }, containers: [] },
  );
}

const image = { ref: 'api:1@sha256:1', digest: 'sha256:1' };

function container(world: World, id: string, artifact = api): SeenContainer {
  const snapshot = snapshotOf(artifact, world.disk, {});
  return {
    id,
    artifact: 'api',
    namespace: 'default',
    pod: 'api-1',
    podUid: '1',
    container: 'main',
    running: true,
    inputsHash: snapshot.inputsHash,
    restarts: 0,
    snapshot,
  };
}

/** Deployed and rolled out; nobody has yet asked the container what it holds. */
function rolledOut(artifact: Artifact): World {
  let world = does(begun(artifact), 'lookUp', () => ({ kind: 'lookedUp', image }));
  let fingerprint = '';
  world = does(world, 'apply', (step) => {
    fingerprint = step.kind === 'apply' ? step.fingerprint : '';
    return { kind: 'applied', fingerprint, appliedAt: 1 };
  });
  const seen = container(world, 'c1', artifact);
  return after(world, {
    kind: 'releaseSeen',
    release: 'api',
    revision: 2,
    live: {
      state: 'found',
      value: {
        fingerprint,
        appliedAt: 1,
        images: { api: { ref: image.ref, inputsHash: seen.inputsHash, snapshot: seen.snapshot } },
        rollout: { state: 'ready' },
      },
    },
    containers: [seen],
  });
}

function deployed(artifact = api): World {
  return does(rolledOut(artifact), 'connect', () => ({ kind: 'connected', agent: 'node', ledger: [] }));
}

function edited(world: World, path: string, entry: Entry | undefined): World {
  return after(world, { kind: 'filesSeen', entries: [[path, entry]], scanned: false, at: world.now + 10 });
}

const deployedGoal: Goal = { ...live, kind: 'deployed' };

describe('plan', () => {
  it('decides nothing before the disk was read and the cluster was asked', () => {
    expect(kinds(emptyWorld)).toEqual([]);
    const unread = after(emptyWorld, { kind: 'goalSet', goal: live }, { kind: 'workspaceSeen', workspace: workspaceWith(api) });
    expect(plan(unread)).toMatchObject({ start: [], held: [{ reason: 'waitingForScan' }] });
    expect(plan({ ...unread, scanned: true, workspace: undefined })).toMatchObject({ start: [], held: [] });
    const unasked = after(unread, { kind: 'filesSeen', entries: firstFiles, scanned: true, at: 1 });
    expect(plan(unasked)).toMatchObject({ start: [], held: [{ reason: 'waitingForCluster' }, { reason: 'waitingForCluster' }] });
  });

  it('looks an image up before it builds it, and builds only what is absent', () => {
    const world = begun();
    expect(kinds(world)).toEqual(['lookUp']);
    expect(kinds(does(world, 'lookUp', () => ({ kind: 'lookedUp', image: undefined })))).toEqual(['build']);
    expect(kinds(does(world, 'lookUp', () => ({ kind: 'lookedUp', image })))).toEqual(['apply']);
  });

  it('has nothing to do once everything is in step', () => {
    expect(plan(deployed())).toMatchObject({ start: [], stop: [], held: [] });
  });

  it('syncs a file that is only copied, and keeps the image', () => {
    const { start } = plan(edited(deployed(), 'api/src/main.js', file('two')));
    expect(start).toEqual([
      {
        kind: 'sync',
        container: 'c1',
        batch: 1,
        changes: [{ path: '/app/src/main.js', source: 'api/src/main.js', after: file('two') }],
        noticedAt: expect.any(Number) as number,
        again: false,
      },
    ]);
  });

  it('sends small files first, and then large ones one by one, each when nothing else is on its way', () => {
    const large = (text: string): Entry => fileEntry({ digest: contentDigest(text), size: 2 * 1024 * 1024, mode: 0o644 });
    const pathsOf = (decided: World): unknown[] =>
      plan(decided).start.map((step) => (step.kind === 'sync' ? step.changes.map(({ path }) => path) : step.kind));
    const acknowledged = (before: World): World =>
      does(before, 'sync', (step) => ({
        kind: 'synced',
        holds: step.kind === 'sync' ? step.changes.map(({ path, after: holds }) => [path, holds]) : [],
        notWritten: [],
        bytes: 0,
        timing: { detect: 0, read: 0, send: 0, apply: 0, total: 0 },
      }));
    const entries = ['a', 'b'].map((name) => [`api/src/${name}.bin`, large(name)] as const);
    // Its process watches its files by now.
    const settled = after(deployed(), { kind: 'clockTicked', now: 10_000 });
    let world = after(settled, { kind: 'filesSeen', entries: [...entries, ['api/src/z.js', file('z')]], scanned: false, at: 10_001 });
    expect(pathsOf(world)).toEqual([['/app/src/z.js']]);
    world = acknowledged(world);
    expect(pathsOf(world)).toEqual([['/app/src/a.bin']]);
    const [step] = plan(world).start;
    const onItsWay = step ? after(world, { kind: 'stepStarted', id: 'large', step, at: 10_010 }) : world;
    expect(pathsOf(onItsWay)).toEqual([]);
    expect(isReached(onItsWay)).toBe(false);
    const edit = edited(onItsWay, 'api/src/main.js', file('two'));
    expect(pathsOf(edit)).toEqual([['/app/src/main.js']]);
    world = acknowledged(edited(acknowledged(world), 'api/src/main.js', file('two')));
    expect(pathsOf(world)).toEqual([['/app/src/b.bin']]);
    expect(plan(acknowledged(world))).toMatchObject({ start: [], held: [] });
    expect(isReached(acknowledged(world))).toBe(true);
  });

  it('rebuilds for a file that a RUN reads, and copies it all the same', () => {
    expect(kinds(edited(deployed(), 'api/package.json', file('{"x":1}')))).toEqual(['lookUp', 'sync']);
  });

  it('builds an image that a person asks for whatever is there, once, and is not ready before it is delivered', () => {
    const world = after(deployed(), { kind: 'rebuildAsked', artifact: 'api' });
    expect(plan(world).start).toMatchObject([{ kind: 'build', artifact: 'api', anew: true }]);
    expect(isReached(world)).toBe(false);
    const built = does(world, 'build', (step) => ({
      kind: 'built',
      image: { location: 'registry', ref: 'api:1', id: 'sha256:2' },
      sentHash: step.kind === 'build' ? step.snapshot.inputsHash : '',
    }));
    expect(kinds(built)).toEqual(['deliver']);
    const delivered = does(built, 'deliver', () => ({ kind: 'delivered', image: { ref: 'api:1@sha256:2', digest: 'sha256:2' } }));
    expect(kinds(delivered)).toEqual(['apply']);
    const same = does(built, 'deliver', () => ({ kind: 'delivered', image }));
    expect(plan(same)).toMatchObject({ start: [], held: [] });
    expect(isReached(same)).toBe(true);
  });

  it('brings what a container turned out not to hold once more, and only that', () => {
    const world = after(deployed(), { kind: 'contentDoubted', container: 'c1', paths: ['/app/src/main.js'] });
    expect(plan(world).start).toMatchObject([{ kind: 'sync', changes: [{ path: '/app/src/main.js', source: 'api/src/main.js' }] }]);
    const left = after(deployed(), { kind: 'contentDoubted', container: 'c1', paths: ['/app/src/old.js'] });
    expect(plan(left).start).toMatchObject([{ kind: 'sync', changes: [{ path: '/app/src/old.js', after: undefined }] }]);
  });

  it('redeploys for a manifest, and does nothing else', () => {
    expect(kinds(edited(deployed(), 'api/k8s/api.yaml', file('kind: StatefulSet')))).toEqual(['apply']);
  });

  it('does nothing for a file that reaches nothing', () => {
    expect(kinds(edited(deployed(), 'docs/readme.md', file('words')))).toEqual([]);
  });

  it('sends to a container what differs from what was sent, not from what was acknowledged', () => {
    const world = edited(deployed(), 'api/src/main.js', file('two'));
    const [step] = plan(world).start;
    const sending = after(world, { kind: 'stepStarted', id: 's', step: step as Step, at: world.now });
    expect(kinds(sending)).toEqual([]);
    expect(plan(edited(sending, 'api/src/main.js', file('three'))).start).toMatchObject([{ kind: 'sync', batch: 2 }]);
  });

  it('replays what was synced into a container that restarted in place', () => {
    let world = edited(deployed(), 'api/src/main.js', file('two'));
    world = does(world, 'sync', (step) => ({
      kind: 'synced',
      holds: step.kind === 'sync' ? step.changes.map((change) => [change.path, change.after] as const) : [],
      notWritten: [],
      bytes: 3,
      timing: { detect: 0, read: 0, send: 0, apply: 0, total: 0 },
    }));
    expect(kinds(world)).toEqual([]);
    const before = world.containers.get('c1')?.seen;
    if (!before) throw new Error('the container is gone');
    world = after(world, {
      kind: 'releaseSeen',
      release: 'api',
      revision: 3,
      live: world.releases.get('api')?.live ?? { state: 'unknown' },
      containers: [{ ...before, id: 'c2', restarts: 1 }],
    });
    world = does(world, 'connect', () => ({ kind: 'connected', agent: 'node', ledger: [] }));
    expect(plan(world).start).toMatchObject([{ kind: 'sync', container: 'c2', changes: [{ path: '/app/src/main.js' }] }]);
  });

  it('sends only the difference when a ledger tells what a container holds', () => {
    const fresh = after(deployed(), {
      kind: 'agentLost',
      container: 'c1',
      connection: `t${String(counter)}`,
      problem: { code: 'agentLost', message: '', retry: 'afterDelay', exitCode: 1 },
    });
    const world = edited(fresh, 'api/src/main.js', file('two'));
    const connected = does(world, 'connect', () => ({ kind: 'connected', agent: 'node', ledger: [['/app/src/main.js', file('two')]] }));
    expect(kinds(connected)).toEqual([]);
    const unsure = does(world, 'connect', () => ({ kind: 'connected', agent: 'node', ledger: [['/app/src/main.js', null]] }));
    expect(kinds(unsure)).toEqual(['sync']);
  });

  it('waits after a refused push, and does not wait when the input changes', () => {
    let world = does(begun(), 'lookUp', () => ({ kind: 'lookedUp', image: undefined }));
    world = does(world, 'build', () => ({
      kind: 'failed',
      problem: { code: 'engineBusy', message: 'busy', retry: 'afterDelay', exitCode: 1 },
    }));
    expect(plan(world)).toMatchObject({ start: [], wakeAt: world.now + 500 });
    expect(kinds(after(world, { kind: 'clockTicked', now: world.now + 501 }))).toEqual(['build']);
    expect(kinds(edited(world, 'api/src/main.js', file('two')))).toEqual(['lookUp']);
  });

  it('holds a compile error until its input changes', () => {
    let world = does(begun(), 'lookUp', () => ({ kind: 'lookedUp', image: undefined }));
    world = does(world, 'build', () => ({
      kind: 'failed',
      problem: { code: 'buildFailed', message: 'exit 1', retry: 'whenInputChanges', exitCode: 1 },
    }));
    expect(kinds(after(world, { kind: 'clockTicked', now: 1e9 }))).toEqual([]);
    expect(kinds(edited(world, 'api/package.json', file('{"y":1}')))).toEqual(['lookUp']);
  });

  it('what a mistake in the workspace kept from being made is made when that is mended, though its files are the same', () => {
    const problem: Problem = { code: 'configInvalid', message: 'foo is not a key', retry: 'whenInputChanges', exitCode: 2, project: 'api' };
    const mended = workspaceWith(api);
    const wrong = after(begun(), { kind: 'workspaceSeen', workspace: { ...mended, problems: [problem] } });
    const refused = does(wrong, 'lookUp', () => ({ kind: 'failed', problem }));
    expect(plan(refused).held).toContainEqual({ subject: 'api', reason: 'waitingForChange', detail: problem.message });
    expect(kinds(after(refused, { kind: 'workspaceSeen', workspace: mended }))).toEqual(['lookUp']);
    const other = { ...mended, problems: [{ ...problem, message: 'bar is not a key' }, problem] };
    expect(kinds(after(refused, { kind: 'workspaceSeen', workspace: other }))).toEqual([]);
  });

  it('is not ready while what an image stands on is another one than that of the files', () => {
    const base: Artifact = {
      ...api,
      name: 'base',
      project: 'base',
      inputs: [{ path: 'base/Dockerfile', onChange: 'rebuild', because: '' }],
    };
    const workspace = workspaceWith({ ...api, requires: ['base'] });
    let world = after(
      emptyWorld,
      { kind: 'goalSet', goal: { ...live, kind: 'built' } },
      { kind: 'workspaceSeen', workspace: { ...workspace, artifacts: new Map([...workspace.artifacts, ['base', base]]) } },
      { kind: 'filesSeen', entries: [...firstFiles, ['base/Dockerfile', file('one')]], scanned: true, at: 1 },
    );
    for (const found of ['base', 'api']) {
      expect(plan(world).start).toMatchObject([{ kind: 'lookUp', artifact: found }]);
      expect(isReached(world)).toBe(false);
      world = does(world, 'lookUp', () => ({ kind: 'lookedUp', image }));
    }
    expect(isReached(world)).toBe(true);
    expect(isReached(edited(world, 'base/Dockerfile', file('two')))).toBe(false);
  });

  it('forgets a failed build when the edit that it was for is taken back', () => {
    const problem: Problem = { code: 'buildFailed', message: 'exit 1', retry: 'whenInputChanges', exitCode: 1 };
    let world = edited(deployed(), 'api/package.json', file('{"y":1}'));
    world = does(world, 'lookUp', () => ({ kind: 'lookedUp', image: undefined }));
    world = does(world, 'build', () => ({ kind: 'failed', problem }));
    expect(world.failures.size).toBe(1);
    expect(edited(world, 'api/src/main.js', file('two')).failures.size).toBe(1);
    world = edited(world, 'api/package.json', file('{}'));
    expect(world.failures.size).toBe(0);
    expect(isReached(world)).toBe(true);
  });

  it('stops a build for newer input once, and lets the next one finish', () => {
    let world = does(begun(), 'lookUp', () => ({ kind: 'lookedUp', image: undefined }));
    const [build] = plan(world).start;
    world = after(world, { kind: 'stepStarted', id: 'b1', step: build as Step, at: world.now });
    world = edited(world, 'api/package.json', file('{"z":1}'));
    expect(plan(world).stop).toEqual(['b1']);
    world = after(world, { kind: 'stepEnded', id: 'b1', outcome: { kind: 'stopped' }, at: world.now });
    world = does(world, 'lookUp', () => ({ kind: 'lookedUp', image: undefined }));
    const [second] = plan(world).start;
    world = after(world, { kind: 'stepStarted', id: 'b2', step: second as Step, at: world.now });
    expect(plan(edited(world, 'api/package.json', file('{"z":2}'))).stop).toEqual([]);
  });

  it('gives a container that nothing can be copied into a new image', () => {
    let world = edited(deployed(), 'api/src/main.js', file('two'));
    world = does(world, 'sync', () => ({
      kind: 'failed',
      problem: { code: 'syncRefused', message: 'read-only', retry: 'whenInputChanges', exitCode: 1 },
    }));
    expect(kinds(world)).toEqual(['lookUp']);
  });

  it('takes a process for one that watches its files when its container has run for long, or for two seconds since it was seen', () => {
    const world = begun();
    const [young, old] = [container(world, 'young'), { ...container(world, 'old'), runsLong: true as const }];
    const seen = after(world, { kind: 'releaseSeen', release: 'api', revision: 2, live: { state: 'absent' }, containers: [young, old] });
    const settledAt = (now: number) => [...seen.containers.values()].filter((each) => isSettled(each, now)).map((each) => each.seen.id);
    expect(settledAt(seen.now)).toEqual(['old']);
    expect(settledAt(seen.now + 2000)).toEqual(['young', 'old']);
  });

  describe('of a container that does not take one of its files', () => {
    const denied: Problem = { code: 'syncRefused', message: '/app/src/bad.js cannot be changed', retry: 'afterDelay', exitCode: 1 };
    const refusing = (world: World): World =>
      does(world, 'sync', (step) => {
        const changes = step.kind === 'sync' ? step.changes : [];
        return {
          kind: 'synced',
          holds: changes.flatMap(({ path, after: entry }) => (path.endsWith('bad.js') ? [] : [[path, entry] as const])),
          notWritten: changes.flatMap(({ path }) => (path.endsWith('bad.js') ? [{ path, problem: denied }] : [])),
          bytes: 0,
          timing: { detect: 0, read: 0, send: 0, apply: 0, total: 0 },
        };
      });
    const later = (world: World, ms: number): World => after(world, { kind: 'clockTicked', now: world.now + ms });
    const both = () => edited(edited(deployed(), 'api/src/bad.js', file('bad')), 'api/src/good.js', file('good'));

    it('brings the others, says why, and tries again after a while', () => {
      const world = later(refusing(both()), 100);
      expect(plan(world)).toMatchObject({ start: [], held: [{ reason: 'waitingForRetry', detail: denied.message }] });
      expect([...world.failures.values()]).toMatchObject([{ problem: denied, attempts: 1 }]);
      expect(plan(edited(world, 'api/src/next.js', file('next'))).start).toMatchObject([{ changes: [{ path: '/app/src/next.js' }] }]);
      expect(plan(later(world, 1000)).start).toMatchObject([{ kind: 'sync', changes: [{ path: '/app/src/bad.js' }] }]);
    });

    it('tries at once when the file is another one, and forgets it when it is gone', () => {
      const world = later(refusing(both()), 100);
      expect(plan(edited(world, 'api/src/bad.js', file('worse'))).start).toMatchObject([{ changes: [{ path: '/app/src/bad.js' }] }]);
      const gone = does(edited(world, 'api/src/bad.js', undefined), 'sync', (step) => ({
        kind: 'synced',
        holds: step.kind === 'sync' ? step.changes.map(({ path, after: entry }) => [path, entry] as const) : [],
        notWritten: [],
        bytes: 0,
        timing: { detect: 0, read: 0, send: 0, apply: 0, total: 0 },
      }));
      expect(gone.failures.size).toBe(0);
    });

    it('gives it a new image when it has refused often enough', () => {
      let world = both();
      for (let attempt = 0; attempt < 3; attempt++) world = later(refusing(world), 5000);
      expect(kinds(world)).toContain('lookUp');
    });
  });

  it('leaves a container alone that no edit could be copied into', () => {
    const world = rolledOut({ ...api, inputs: inputs.map((input) => ({ ...input, onChange: 'rebuild' })) });
    expect(plan(world)).toMatchObject({ start: [], held: [] });
    expect(isReached(world)).toBe(true);
    expect(kinds(edited(world, 'api/src/main.js', file('two')))).toEqual(['lookUp']);
  });

  describe('of containers that it is only attached to', () => {
    const attached = (world: World): World => after(world, { kind: 'goalSet', goal: { ...live, kind: 'attached' } });

    it('copies what can be copied, and says of the rest that it needs a new image', () => {
      let world = edited(attached(deployed()), 'api/src/main.js', file('two'));
      world = does(world, 'sync', (step) => ({
        kind: 'synced',
        holds: step.kind === 'sync' ? step.changes.map(({ path, after: entry }) => [path, entry] as const) : [],
        notWritten: [],
        bytes: 3,
        timing: { detect: 0, read: 0, send: 0, apply: 0, total: 0 },
      }));
      world = edited(world, 'api/package.json', file('{"y":1}'));
      expect(kinds(world)).toEqual(['sync']);
      expect(plan(world).held).toContainEqual({
        subject: 'api',
        reason: 'needsNewImage',
        detail: 'api/package.json, read by RUN npm ci (api/Dockerfile:3)',
      });
    });

    it('has done its part when all is in step, whatever the probes of a container say', () => {
      const waiting = (world: World, rollout: Rollout): World => {
        const { live: seen, revision } = world.releases.get('api') ?? {};
        if (seen?.state !== 'found') throw new Error('nothing is deployed');
        const containers = [...world.containers.values()].map((each) => each.seen);
        const state = { ...seen, value: { ...seen.value, rollout } };
        return after(world, { kind: 'releaseSeen', release: 'api', revision: (revision ?? 0) + 1, live: state, containers });
      };
      const because = (code: string) =>
        waiting(attached(deployed()), {
          state: 'progressing',
          message: '',
          reason: { code, message: '', retry: 'whenInputChanges', exitCode: 1 },
        });
      const progress = (world: World) => progressOf(world, plan(world)).state;
      expect(progress(because('containerNotReady'))).toBe('reached');
      expect(progress(because('probeFailed'))).toBe('reached');
      expect(progress(edited(because('probeFailed'), 'api/src/main.js', file('two')))).toBe('working');
      expect(progress(because('imageNotFound'))).toBe('working');
      expect(progress(waiting(attached(deployed()), { state: 'progressing', message: '' }))).toBe('working');
      expect(progress(after(because('probeFailed'), { kind: 'goalSet', goal: deployedGoal }))).toBe('working');
    });

    it('applies no manifest and builds nothing for a container that is down', () => {
      let world = edited(attached(deployed()), 'api/k8s/api.yaml', file('kind: Deployment, changed'));
      world = after(world, { kind: 'clockTicked', now: world.now + 60_000 });
      expect(kinds(world)).toEqual([]);
      expect(isReached(world)).toBe(true);
    });
  });

  it('leaves in containers what is removed here, where removals are not wanted', () => {
    const keeping: Artifact = { ...api, keepsRemoved: true };
    const world = edited(deployed(keeping), 'api/src/main.js', undefined);
    expect(kinds(world)).toEqual([]);
    expect(isReached(world)).toBe(true);
    expect(plan(edited(world, 'api/src/other.js', file('two'))).start).toMatchObject([
      { kind: 'sync', changes: [{ path: '/app/src/other.js' }] },
    ]);
    expect(plan(edited(deployed(), 'api/src/main.js', undefined)).start).toMatchObject([
      { kind: 'sync', changes: [{ path: '/app/src/main.js' }] },
    ]);
  });

  it('removes releases, and first stops what runs for them', () => {
    const world = edited(deployed(), 'api/src/main.js', file('two'));
    const [step] = plan(world).start;
    const syncing = after(
      world,
      { kind: 'stepStarted', id: 's', step: step as Step, at: world.now },
      { kind: 'goalSet', goal: { ...live, kind: 'removed' } },
    );
    expect(plan(syncing)).toMatchObject({ stop: ['s'], start: [{ kind: 'remove', release: 'api' }] });
  });

  it('removes what leaves while the rest goes on, and stops only what was done for it', () => {
    const world = edited(deployed(), 'api/src/main.js', file('two'));
    const [sync] = plan(world).start;
    const other: Step = { kind: 'apply', release: 'web', fingerprint: 'f', images: {} };
    const busy = after(
      world,
      { kind: 'stepStarted', id: 's', step: sync as Step, at: world.now },
      { kind: 'stepStarted', id: 'w', step: other, at: world.now },
      { kind: 'goalSet', goal: { kind: 'live', artifacts: new Set(), releases: new Set(['web']), leaving: new Set(['api']) } },
    );
    expect(plan(busy)).toMatchObject({ stop: ['s'], start: [{ kind: 'remove', release: 'api' }] });
    const gone = does(after(busy, { kind: 'stepEnded', id: 's', outcome: { kind: 'stopped' }, at: busy.now }), 'remove', () => ({
      kind: 'removed',
    }));
    expect(plan(gone)).toMatchObject({ stop: [], start: [] });
  });

  it('applies what left and comes back only when it is gone', () => {
    const leaving = after(deployed(), { kind: 'goalSet', goal: { ...emptyWorld.goal, leaving: new Set(['api']) } });
    const [remove] = plan(leaving).start;
    const back = after(
      leaving,
      { kind: 'stepStarted', id: 'r', step: remove as Step, at: leaving.now },
      { kind: 'releaseSeen', release: 'api', revision: 9, live: { state: 'absent' }, containers: [] },
      { kind: 'goalSet', goal: live },
    );
    expect(plan(back).held).toContainEqual({ subject: 'api', reason: 'waitingForRemoval' });
    expect(kinds(back)).toEqual([]);
    expect(kinds(after(back, { kind: 'stepEnded', id: 'r', outcome: { kind: 'removed' }, at: back.now }))).toEqual(['apply']);
  });
});

describe('deploying', () => {
  const running = (world: World, appliedAt: number): Fact => ({
    kind: 'releaseSeen',
    release: 'api',
    revision: (world.releases.get('api')?.revision ?? 0) + 1,
    live: {
      state: 'found',
      value: {
        fingerprint: fingerprintOf(release, world.disk, {
          api: { ref: image.ref, inputsHash: snapshotOf(api, world.disk, {}).inputsHash },
        }),
        appliedAt,
        images: {
          api: { ref: image.ref, inputsHash: snapshotOf(api, world.disk, {}).inputsHash, snapshot: snapshotOf(api, world.disk, {}) },
        },
        rollout: { state: 'ready' },
      },
    },
    containers: [],
  });

  it('asks the registry also for the image that runs: nobody else can say that a pod may pull it', () => {
    const world = after(begun(), running(begun(), 1));
    expect(kinds(world)).toEqual(['apply']);
    expect(kinds(after(world, { kind: 'goalSet', goal: deployedGoal }))).toEqual(['lookUp']);
  });

  it.each([
    ['keeps what is said of an image that was given and runs already', true, undefined, 'h'],
    ['says of one that was given what its build says', false, 'i', 'i'],
  ])('%s', (_, runs, givenInputs, expected) => {
    const ref = `r/api:v1@sha256:${'1'.repeat(64)}`;
    const given = { ...api, inputs: [], given: { ref, digest: '' }, ...(givenInputs !== undefined && { givenInputs }) };
    const seen = {
      fingerprint: 'f',
      appliedAt: 1,
      images: { api: { ref, inputsHash: 'h', snapshot: undefined } },
      rollout: { state: 'ready' },
    } as const;
    const state = runs ? ({ state: 'found', value: seen } as const) : ({ state: 'absent' } as const);
    const world = after(
      begun(given),
      { kind: 'goalSet', goal: deployedGoal },
      { kind: 'releaseSeen', release: 'api', revision: 9, live: state, containers: [] },
    );
    const [step] = plan(does(world, 'lookUp', () => ({ kind: 'lookedUp', image: { ref, digest: '' } }))).start;
    if (step?.kind !== 'apply') throw new Error('no apply is planned');
    expect(step.images).toMatchObject({ api: { ref, snapshot: { inputsHash: expected } } });
  });

  it('does not wait for what the cluster has shown before the apply was answered', () => {
    const world = does(after(begun(), { kind: 'goalSet', goal: deployedGoal }), 'lookUp', () => ({ kind: 'lookedUp', image }));
    const [step] = plan(world).start;
    if (step?.kind !== 'apply') throw new Error('no apply is planned');
    const applying = after(world, { kind: 'stepStarted', id: 'a', step, at: 10 });
    const answered: Fact = {
      kind: 'stepEnded',
      id: 'a',
      outcome: { kind: 'applied', fingerprint: step.fingerprint, appliedAt: 5 },
      at: 20,
    };
    expect(isReached(after(applying, running(applying, 5), answered))).toBe(true);
    // What was live before is not what was applied, though it looks the same.
    expect(isReached(after(applying, running(applying, 4), answered))).toBe(false);
    expect(isReached(after(applying, answered, running(applying, 4)))).toBe(false);
    expect(isReached(after(applying, answered, running(applying, 5)))).toBe(true);
  });
});

describe('classify', () => {
  it.each([
    ['api/src/main.js', 'sync', ['/app/src/main.js'], 'copied to /app/src (api/Dockerfile:5); node --watch restarts it'],
    ['api/package.json', 'rebuild', ['/app/package.json'], 'read by RUN npm ci (api/Dockerfile:3)'],
    ['api/k8s/api.yaml', 'redeploy', [], 'a manifest of api'],
  ])('%s: %s', (path, action, containerPaths, because) => {
    expect(classify(workspaceWith(api), path)).toEqual([{ artifact: 'api', action, containerPaths, because }]);
  });

  it('says of a file that a rule copies, and nothing takes up, what can be chosen', () => {
    const compiled: Artifact = {
      ...api,
      inputs: [{ path: 'api/src', containerPath: '/src', onChange: 'sync', byRule: true, because: 'copied by sync.rules' }],
      reload: { kind: 'rebuild', because: 'nothing in `/app` would pick up a change' },
    };
    const becauseOf = (artifact: Artifact) => classify(workspaceWith(artifact), 'api/src/main.go').map(({ because }) => because);
    expect(becauseOf(compiled)).toEqual([
      'copied by sync.rules; nothing in `/app` would pick up a change: name a command in sync.after, say reload: hot if its process does, or take it out of sync.rules for a new image',
    ]);
    expect(becauseOf({ ...compiled, after: [{ run: ['go', 'build'], timeoutMs: 1 }] })).toEqual([
      'copied by sync.rules; then `go build` in the container',
    ]);
  });

  it('has no answer for a file that reaches nothing', () => {
    expect(classify(workspaceWith(api), 'api/notes.md')).toEqual([]);
  });
});

describe('snapshots', () => {
  it('lay later inputs over earlier ones, and uncover what was below when the upper one goes', () => {
    const overlaid: Artifact = {
      ...api,
      inputs: [
        { path: 'lib', containerPath: '/app', onChange: 'sync', because: '' },
        { path: 'own', containerPath: '/app', onChange: 'sync', because: '' },
      ],
    };
    const both = withEntries(emptyDir, [
      ['lib/a.js', file('lib')],
      ['own/a.js', file('own')],
    ]);
    const uncovered = withEntries(both, [['own/a.js', undefined]]);
    expect(snapshotOf(overlaid, both, {}).tree).toEqual(withEntries(emptyDir, [['app/a.js', file('own')]]));
    expect(snapshotOf(overlaid, uncovered, {}).tree).toEqual(withEntries(emptyDir, [['app/a.js', file('lib')]]));
  });

  it('are the same object while nothing they take has changed', () => {
    const tree = withEntries(emptyDir, firstFiles);
    const elsewhere = withEntries(tree, [['docs/x.md', file('x')]]);
    expect(snapshotOf(api, elsewhere, {})).toBe(snapshotOf(api, tree, {}));
  });
});
