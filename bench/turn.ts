import {
  contentDigest,
  fileEntry,
  type Artifact,
  type ArtifactState,
  type Entry,
  type Fact,
  type Input,
  type Release,
  type ReleaseState,
  type SeenContainer,
  type Snapshot,
  type Step,
  type Workspace,
  type World,
} from '../model';
import { emptyWorld, isReached, plan, record, snapshotOf } from '../plan';

const projects = 1000;
const filesEach = 100;
const libraries = 50;
const replicas = 3;
/** Rounds that are not counted, until the engine has compiled what it runs often. */
const warmUp = 50;

/** Milliseconds, one for each turn. */
export interface TurnTimes {
  readonly saves: readonly number[];
  readonly acknowledgements: readonly number[];
}

/** Turns of the loop for saved files, in a workspace of 1,000 projects with 100,000 files and three containers each in which all is in step. */
export function timeTurns(rounds: number): TurnTimes {
  let world = settledWorld();
  const saves: number[] = [];
  const acknowledgements: number[] = [];
  for (let round = 0; round < warmUp + rounds; round += 1) {
    // So long after their start that all processes watch their files.
    const at = 10_000 + round;
    const path = `apps/p${String((round * 7) % projects)}/src/d3/f3.js`;
    const seen: Fact = { kind: 'filesSeen', entries: [[path, entryOf(`round ${String(round)}`)]], scanned: false, at };
    const save = timed(() => turn(world, seen, at));
    if (save.value.started.length !== replicas || save.value.started.some(({ step }) => step.kind !== 'sync'))
      throw new Error('a save of one file must be three syncs');
    let last = save.value;
    const answers: number[] = [];
    for (const started of save.value.started) {
      const { world: before } = last;
      const answer = timed(() => turn(before, acknowledged(started, at), at));
      answers.push(answer.ms);
      last = answer.value;
    }
    if (!last.reached) throw new Error('three acknowledged syncs must bring all in step');
    world = last.world;
    if (round < warmUp) continue;
    saves.push(save.ms);
    acknowledgements.push(...answers);
  }
  return { saves, acknowledgements };
}

function timed<T>(run: () => T): { readonly value: T; readonly ms: number } {
  const startedAt = performance.now();
  return { value: run(), ms: performance.now() - startedAt };
}

interface Started {
  readonly id: string;
  readonly step: Step;
}

interface EndedTurn {
  readonly world: World;
  readonly started: readonly Started[];
  readonly reached: boolean;
}

/** What the loop does for what came in: the fact, the plan, the steps that it starts, the plan again, and whether all is as it should be. */
function turn(world: World, fact: Fact, at: number): EndedTurn {
  let next = record(record(world, { kind: 'clockTicked', now: at }), fact);
  const started = plan(next).start.map((step, index) => ({ id: `${step.kind}#${String(at)}-${String(index)}`, step }));
  for (const { id, step } of started) next = record(next, { kind: 'stepStarted', id, step, at });
  if (started.length > 0 && plan(next).start.length > 0) throw new Error('a turn is to start all at once here');
  return { world: next, started, reached: isReached(next) };
}

function acknowledged({ id, step }: Started, at: number): Fact {
  const holds = step.kind === 'sync' ? step.changes.map(({ path, after }) => [path, after] as const) : [];
  const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
  return { kind: 'stepEnded', id, at, outcome: { kind: 'synced', holds, notWritten: [], bytes: 0, timing } };
}

function entryOf(text: string): Entry {
  return fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 });
}

function artifactAt(index: number): Artifact {
  const name = `p${String(index)}`;
  const inputs: readonly Input[] = [
    { path: `apps/${name}/package.json`, onChange: 'rebuild', because: '' },
    {
      path: `apps/${name}/src`,
      containerPath: '/app/src',
      onChange: 'sync',
      because: '',
      accepts: (path) => !path.endsWith('.test.js'),
    },
    { path: `libs/l${String(index % libraries)}/src`, containerPath: '/app/lib', onChange: 'sync', because: '' },
  ];
  return {
    name,
    project: name,
    image: name,
    recipe: { builder: 'bench/1', context: '', dockerfile: `apps/${name}/Dockerfile`, args: {} },
    inputs,
    requires: [],
    targets: [],
    reload: { kind: 'hot', because: '' },
    after: [],
  };
}

function releaseOf({ name }: Artifact): Release {
  const manifest = `apps/${name}/k8s.yaml`;
  return {
    name,
    project: name,
    sources: [{ kind: 'kubectl', manifests: [manifest] }],
    inputs: [{ path: manifest, because: '' }],
    artifacts: [name],
  };
}

function filesOf({ name }: Artifact): readonly (readonly [string, Entry])[] {
  const sources = Array.from({ length: filesEach - 2 }, (_, file) => `apps/${name}/src/d${String(file % 10)}/f${String(file)}.js`);
  return [`apps/${name}/package.json`, `apps/${name}/k8s.yaml`, ...sources].map((path) => [path, entryOf(path)]);
}

function containersOf({ name }: Artifact, snapshot: Snapshot): readonly SeenContainer[] {
  return Array.from({ length: replicas }, (_, replica) => {
    const id = `${name}-${String(replica)}`;
    const { inputsHash } = snapshot;
    return {
      id,
      artifact: name,
      namespace: 'default',
      pod: id,
      podUid: id,
      container: 'main',
      running: true,
      inputsHash,
      restarts: 0,
      snapshot,
    };
  });
}

/** A stream to a container whose ledger is empty. */
function connected({ id }: SeenContainer): readonly Fact[] {
  return [
    { kind: 'stepStarted', id, step: { kind: 'connect', container: id }, at: 0 },
    { kind: 'stepEnded', id, outcome: { kind: 'connected', agent: 'node', ledger: [] }, at: 0 },
  ];
}

function liveWith(fingerprint: string): ReleaseState {
  const value = { fingerprint, appliedAt: 0, images: {}, rollout: { state: 'ready' } } as const;
  return { revision: 1, live: { state: 'found', value }, applied: undefined, uncertain: false };
}

/** A world in which everything is in step. */
function settledWorld(): World {
  const all = Array.from({ length: projects }, (_, index) => artifactAt(index));
  const names = new Set(all.map(({ name }) => name));
  const workspace: Workspace = {
    root: '/',
    projects: new Map(),
    artifacts: new Map(all.map((artifact) => [artifact.name, artifact])),
    releases: new Map(all.map((artifact) => [artifact.name, releaseOf(artifact)])),
    targets: new Map(),
    forwards: [],
    problems: [],
  };
  const shared = Array.from({ length: libraries }, (_, index) => `libs/l${String(index)}/src/index.js`);
  const entries = [...all.flatMap(filesOf), ...shared.map((path) => [path, entryOf(path)] as const)];
  const facts: readonly Fact[] = [
    { kind: 'goalSet', goal: { kind: 'live', artifacts: names, releases: names } },
    { kind: 'workspaceSeen', workspace },
    { kind: 'filesSeen', entries, scanned: true, at: 1 },
  ];
  const empty = facts.reduce(record, emptyWorld);
  const made = all.map((artifact) => ({ artifact, snapshot: snapshotOf(artifact, empty.disk, {}) }));
  const imagesMade: World = {
    ...empty,
    artifacts: new Map(made.map(({ artifact, snapshot }): [string, ArtifactState] => [artifact.name, deliveredFrom(artifact, snapshot)])),
  };
  const running = made
    .flatMap(({ artifact, snapshot }): readonly Fact[] => {
      const containers = containersOf(artifact, snapshot);
      return [
        { kind: 'releaseSeen', release: artifact.name, revision: 1, live: liveWith('').live, containers },
        ...containers.flatMap(connected),
      ];
    })
    .reduce(record, imagesMade);
  // What the releases were applied from is what the plan says that it would apply.
  const applied = plan(running).start.map((step): [string, ReleaseState] => {
    if (step.kind !== 'apply') throw new Error(`the world is not settled: ${step.kind}`);
    return [step.release, liveWith(step.fingerprint)];
  });
  const settled = { ...running, releases: new Map(applied) };
  if (plan(settled).start.length > 0) throw new Error('the world is not settled');
  return settled;
}

function deliveredFrom({ name }: Artifact, snapshot: Snapshot): ArtifactState {
  const delivered = { ref: `${name}:1`, digest: 'sha256:1' };
  return {
    lookedUp: { state: 'unknown' },
    lookedUpFor: undefined,
    built: undefined,
    image: { snapshot, delivered, leftToFinish: false },
    stoppedOnce: false,
  };
}
