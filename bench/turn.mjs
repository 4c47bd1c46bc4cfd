// A turn of the core for one saved file, in a workspace of 1,000 projects with 100,000 files and three containers each.
import { createRequire } from 'node:module';
import { measure } from './measure.mjs';

const require = createRequire(import.meta.url);
const { contentDigest, fileEntry } = require('../dist/model');
const { emptyWorld, isReached, plan, record, snapshotOf } = require('../dist/plan');

const projects = 1000;
const filesEach = 100;

function entryOf(text) {
  return fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 });
}

/** A world in which everything is in step. */
function settledWorld() {
  const artifacts = new Map();
  const releases = new Map();
  const entries = [];
  for (let index = 0; index < projects; index += 1) {
    const name = `p${index}`;
    const inputs = [
      { path: `apps/${name}/package.json`, onChange: 'rebuild', because: '' },
      { path: `apps/${name}/src`, containerPath: '/app/src', onChange: 'sync', because: '', accepts: (path) => !path.endsWith('.test.js') },
      { path: `libs/l${index % 50}/src`, containerPath: '/app/lib', onChange: 'sync', because: '' },
    ];
    const recipe = { builder: 'bench/1', context: '', dockerfile: `apps/${name}/Dockerfile`, args: {} };
    artifacts.set(name, {
      name,
      project: name,
      image: name,
      recipe,
      inputs,
      requires: [],
      targets: [],
      reload: { kind: 'hot', because: '' },
      after: [],
    });
    const manifest = `apps/${name}/k8s.yaml`;
    const sources = [{ kind: 'kubectl', manifests: [manifest] }];
    releases.set(name, { name, project: name, sources, inputs: [{ path: manifest, because: '' }], artifacts: [name] });
    entries.push([`apps/${name}/package.json`, entryOf(name)], [`apps/${name}/k8s.yaml`, entryOf(name)]);
    for (let file = 0; file < filesEach - 2; file += 1)
      entries.push([`apps/${name}/src/d${file % 10}/f${file}.js`, entryOf(`${name} ${file}`)]);
  }
  for (let lib = 0; lib < 50; lib += 1) entries.push([`libs/l${lib}/src/index.js`, entryOf(`lib ${lib}`)]);
  const workspace = { root: '/', projects: new Map(), artifacts, releases, targets: new Map(), forwards: [], problems: [] };
  let world = record(emptyWorld, {
    kind: 'goalSet',
    goal: { kind: 'live', artifacts: new Set(artifacts.keys()), releases: new Set(releases.keys()) },
  });
  world = record(world, { kind: 'workspaceSeen', workspace });
  world = record(world, { kind: 'filesSeen', entries, scanned: true, at: 1 });
  const artifactStates = new Map();
  const containers = new Map();
  const releaseStates = new Map();
  for (const artifact of artifacts.values()) {
    const snapshot = snapshotOf(artifact, world.disk, {});
    const delivered = { ref: `${artifact.name}:1`, digest: 'sha256:1' };
    artifactStates.set(artifact.name, {
      lookedUp: { state: 'unknown' },
      lookedUpFor: undefined,
      built: undefined,
      image: { snapshot, delivered, leftToFinish: false },
      stoppedOnce: false,
    });
    for (let replica = 0; replica < 3; replica += 1) {
      const id = `${artifact.name}-${replica}`;
      const seen = {
        id,
        artifact: artifact.name,
        namespace: 'default',
        pod: id,
        podUid: id,
        container: 'main',
        running: true,
        inputsHash: snapshot.inputsHash,
        restarts: 0,
        snapshot,
      };
      containers.set(id, {
        release: artifact.name,
        seen,
        stoppedAt: undefined,
        runningSince: 0,
        agent: { state: 'connected', connection: id, name: 'node', since: 0 },
        losses: 0,
        reconnectAt: 0,
        files: snapshot.tree,
        sent: snapshot.tree,
        inFlight: [],
        lastBatch: 0,
        taken: snapshot.tree,
        taking: undefined,
        unsettled: new Set(),
        quietUntil: 0,
        refused: new Map(),
      });
    }
    releaseStates.set(artifact.name, {
      revision: 1,
      live: { state: 'found', value: { fingerprint: '', images: {}, rollout: { state: 'ready' } } },
      applied: undefined,
      uncertain: false,
    });
  }
  world = { ...world, artifacts: artifactStates, containers, releases: releaseStates };
  // What the releases were applied from is what the plan says that it would apply.
  for (const step of plan(world).start) {
    if (step.kind !== 'apply') throw new Error(`the world is not settled: ${step.kind}`);
    const state = releaseStates.get(step.release);
    releaseStates.set(step.release, { ...state, live: { state: 'found', value: { ...state.live.value, fingerprint: step.fingerprint } } });
  }
  world = { ...world, releases: new Map(releaseStates) };
  if (plan(world).start.length > 0) throw new Error('the world is not settled');
  return world;
}

/** What the loop does for what came in: the facts, the plan, the steps that it starts, the plan again, and whether all is as it should be. */
function turn(world, facts, at) {
  let next = record(world, { kind: 'clockTicked', now: at });
  for (const fact of facts) next = record(next, fact);
  const started = plan(next).start.map((step, index) => ({ id: `${step.kind}#${at}-${index}`, step }));
  for (const { id, step } of started) next = record(next, { kind: 'stepStarted', id, step, at });
  if (started.length > 0 && plan(next).start.length > 0) throw new Error('a turn is to start all at once here');
  return { world: next, started, reached: isReached(next) };
}

function acknowledged({ id, step }, at) {
  const holds = step.changes.map(({ path, after }) => [path, after]);
  const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
  return { kind: 'stepEnded', id, at, outcome: { kind: 'synced', holds, notWritten: [], bytes: 0, timing } };
}

export async function benchTurn() {
  let world = settledWorld();
  const saves = [];
  const answers = [];
  for (let round = 0; round < 350; round += 1) {
    const path = `apps/p${(round * 7) % projects}/src/d3/f3.js`;
    // So long after their start that all processes watch their files.
    const at = 10_000 + round;
    const seen = { kind: 'filesSeen', entries: [[path, entryOf(`round ${round}`)]], scanned: false, at };
    let startedAt = performance.now();
    const save = turn(world, [seen], at);
    const saveMs = performance.now() - startedAt;
    if (save.started.length !== 3 || save.started.some(({ step }) => step.kind !== 'sync'))
      throw new Error('a save of one file must be three syncs');
    let last = save;
    for (const started of save.started) {
      startedAt = performance.now();
      last = turn(last.world, [acknowledged(started, at)], at);
      if (round >= 50) answers.push(performance.now() - startedAt);
    }
    if (!last.reached) throw new Error('three acknowledged syncs must bring all in step');
    world = last.world;
    if (round >= 50) saves.push(saveMs);
  }
  return [
    measure('a turn for one saved file, 1,000 projects, 100,000 files, 3 containers each', saves, { p50: 5 }),
    measure('a turn for one acknowledged file, in the same workspace', answers),
  ];
}
