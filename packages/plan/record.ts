import {
  absent,
  emptyDir,
  entryAt,
  stepKey,
  unknown,
  withEntries,
  type ArtifactState,
  type ContainerPath,
  type ContainerState,
  type DirEntry,
  type Entry,
  type Fact,
  type Failure,
  type Outcome,
  type Problem,
  type ReleaseState,
  type RunningStep,
  type SeenContainer,
  type SentBatch,
  type Step,
  type Workspace,
  type World,
  hooksAt,
} from '../model';
import { unknownContent, withUnknown } from './after';
import { forgetMoot } from './forgetMoot';
import { hashOf } from './hash';
import { baseTree, isSettled, noArtifactState, noReleaseState, refusalKey, settlingMs } from './need';
import { stepInputs } from './stepInputs';
import { targetInputsHash } from './targets';

/** The world before anything is known. */
export const emptyWorld: World = {
  goal: { kind: 'live', artifacts: new Set(), releases: new Set() },
  now: 0,
  workspace: undefined,
  disk: emptyDir,
  scanned: false,
  noticedAt: 0,
  artifacts: new Map(),
  releases: new Map(),
  containers: new Map(),
  targets: new Map(),
  running: new Map(),
  failures: new Map(),
};

/** Delay before the n-th retry of what the world may mend by itself: half a second, doubled up to half a minute. */
export function retryDelayMs(attempts: number): number {
  return Math.min(500 * 2 ** (attempts - 1), 30_000);
}

/** Before a batch is tried again whose files were gone or different when they were read: the fact about them is on its way. */
const quietMs = 25;

/** A stream that lived so long was not lost to somebody who takes the container over again and again. */
const longLifeMs = 10_000;

/** The world after a fact. Pure; the same fact twice changes nothing more. */
export function record(world: World, fact: Fact): World {
  const next = recorded(world, fact);
  return next.failures.size === 0 ? next : forgetMoot(next);
}

function recorded(world: World, fact: Fact): World {
  switch (fact.kind) {
    case 'goalSet':
      return { ...world, goal: fact.goal };
    case 'workspaceSeen':
      return {
        ...world,
        workspace: fact.workspace,
        targets: targetsIn(world, fact.workspace),
        failures: failuresIn(world, fact.workspace),
      };
    case 'clockTicked':
      return fact.now > world.now ? { ...world, now: fact.now } : world;
    case 'filesSeen': {
      const disk = withEntries(world.disk, fact.entries);
      const changed = disk.hash !== world.disk.hash;
      return {
        ...world,
        now: Math.max(world.now, fact.at),
        disk: changed ? disk : world.disk,
        scanned: world.scanned || fact.scanned,
        noticedAt: changed ? fact.at : world.noticedAt,
      };
    }
    case 'stepStarted':
      return started({ ...world, now: Math.max(world.now, fact.at) }, fact.id, fact.step, fact.at);
    case 'stepEnded': {
      const running = world.running.get(fact.id);
      if (!running) return world;
      const next = { ...world, now: Math.max(world.now, fact.at), running: without(world.running, fact.id) };
      return ended(next, running, fact.outcome);
    }
    case 'targetBuilt':
      return targetBuilt(world, fact);
    case 'releaseSeen':
      return releaseSeen(world, fact);
    case 'rebuildAsked': {
      if (!world.workspace?.artifacts.has(fact.artifact)) return world;
      const failures = ['lookUp', 'build', 'deliver'].reduce((left, kind) => without(left, `${kind}:${fact.artifact}`), world.failures);
      return withArtifact({ ...world, failures }, fact.artifact, { anew: true });
    }
    case 'contentDoubted':
      return withContent(world, fact.container, (tree) => withUnknown(tree, fact.paths));
    case 'contentSeen':
      return withContent(world, fact.container, (tree) => withEntries(tree, fact.holds));
    case 'agentLost': {
      const container = world.containers.get(fact.container);
      if (container?.agent.state !== 'connected' || container.agent.connection !== fact.connection) return world;
      return withContainer(world, lostStream(container, world.now));
    }
  }
}

/** A step that a mistake in the workspace kept from its end is begun again when that is mended, though its inputs are the same. */
function failuresIn({ workspace, failures }: World, { problems }: Workspace): World['failures'] {
  const same = (one: Problem) => (other: Problem) => one.code === other.code && one.message === other.message;
  const mended = (workspace?.problems ?? []).filter((before) => !problems.some(same(before)));
  return mended.length === 0 ? failures : new Map([...failures].filter(([, { problem }]) => !mended.some(same(problem))));
}

/** What a target made that is no longer used hides nothing of the disk. */
function targetsIn({ targets }: World, workspace: Workspace): World['targets'] {
  const kept = [...targets].filter(([id]) => workspace.targets.has(id));
  return kept.length === targets.size ? targets : new Map(kept);
}

function targetBuilt(world: World, { run, build, made }: Extract<Fact, { kind: 'targetBuilt' }>): World {
  const step = world.running.get(run)?.step;
  const target = step?.kind === 'watchTarget' ? world.workspace?.targets.get(step.target) : undefined;
  if (!step || !target) return world;
  const key = stepKey(step);
  if (!made.ok) {
    // Each build that fails is told anew: it may be for another mistake.
    const failure: Failure = { inputs: `${run} ${build}`, problem: made.problem, attempts: 1, retryAt: undefined };
    return { ...world, failures: withItem(world.failures, key, failure) };
  }
  const disk = withEntries(world.disk, made.value);
  const state = { madeFrom: targetInputsHash(target, disk), outputs: made.value, run };
  return { ...world, disk, failures: without(world.failures, key), targets: withItem(world.targets, target.id, state) };
}

/** The first loss is mended at once; when streams do not live long, each one waits longer. */
function lostStream(container: ContainerState, now: number): ContainerState {
  const livedLong = container.agent.state === 'connected' && now - container.agent.since > longLifeMs;
  const losses = livedLong ? 1 : container.losses + 1;
  return { ...disconnected(container), losses, reconnectAt: losses < 3 ? now : now + retryDelayMs(losses - 2) };
}

/** What a container holds: its image's files, and over them what its agent's ledger says (null: nobody knows). */
export function filesAfter(base: DirEntry, ledger: readonly (readonly [ContainerPath, Entry | undefined | null])[]): DirEntry {
  return withEntries(
    base,
    ledger.map(([path, entry]) => [path, entry === null ? unknownContent : entry] as const),
  );
}

/** The world after the loop asked a running step to stop. */
export function stopAsked(world: World, id: string): World {
  const running = world.running.get(id);
  return running ? { ...world, running: withItem(world.running, id, { ...running, stopAsked: true }) } : world;
}

function withItem<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

function without<K, V>(map: ReadonlyMap<K, V>, key: K): ReadonlyMap<K, V> {
  if (!map.has(key)) return map;
  const next = new Map(map);
  next.delete(key);
  return next;
}

function withArtifact(world: World, name: string, change: Partial<ArtifactState>): World {
  const state = world.artifacts.get(name) ?? noArtifactState;
  return { ...world, artifacts: withItem(world.artifacts, name, { ...state, ...change }) };
}

function withContainer(world: World, container: ContainerState): World {
  return { ...world, containers: withItem(world.containers, container.seen.id, container) };
}

/** What a container holds is not, or may not be, what was known of it; nor then is what its process has taken up. */
function withContent(world: World, id: string, change: (tree: DirEntry) => DirEntry): World {
  const container = world.containers.get(id);
  if (!container?.files || !container.sent) return world;
  const { files, sent, taken } = container;
  return withContainer(world, { ...container, files: change(files), sent: change(sent), taken: taken && change(taken) });
}

function disconnected(container: ContainerState): ContainerState {
  return { ...container, agent: { state: 'none' }, files: undefined, sent: undefined, inFlight: [] };
}

function started(world: World, id: string, step: Step, at: number): World {
  const next = { ...world, running: withItem(world.running, id, { id, step, startedAt: at, stopAsked: false }) };
  if (step.kind === 'apply') {
    // Until it ended well nobody knows how much of it is live.
    const state = world.releases.get(step.release) ?? noReleaseState;
    return { ...next, releases: withItem(world.releases, step.release, { ...state, uncertain: true }) };
  }
  if (step.kind === 'reload') {
    const container = world.containers.get(step.container);
    if (!container?.files) return next;
    // Until they have all ended well, nobody knows how far the commands came.
    const taken = withUnknown(container.taken ?? container.files, step.paths);
    return withContainer(next, { ...container, taken, taking: container.files });
  }
  if (step.kind !== 'sync') return next;
  const container = world.containers.get(step.container);
  if (!container?.sent) return next;
  const written = step.changes.filter(({ after }) => after?.kind !== 'dir').map(({ path }) => path);
  const settled = isSettled(container, at);
  return withContainer(next, {
    ...container,
    // Whether the acknowledgement comes or not.
    unsettled: settled ? container.unsettled : new Set([...container.unsettled, ...step.changes.map(({ path }) => path)]),
    sent: withEntries(
      container.sent,
      step.changes.map((change) => [change.path, change.after?.kind === 'dir' ? emptyDir : change.after] as const),
    ),
    inFlight: [...container.inFlight, { step: id, number: step.batch, changes: step.changes, settled, acknowledged: undefined }],
    lastBatch: Math.max(container.lastBatch, step.batch),
    // A command that runs now may have read the old content or the new.
    taking: container.taking && withUnknown(container.taking, written, container.sent),
  });
}

function ended(world: World, running: RunningStep, outcome: Outcome): World {
  const { step } = running;
  if (outcome.kind === 'failed') return failedStep(world, running, outcome.problem);
  const next = { ...world, failures: without(world.failures, stepKey(step)) };
  switch (outcome.kind) {
    case 'stopped':
      if (step.kind === 'build') return withArtifact(next, step.artifact, { stoppedOnce: true });
      if (step.kind === 'reload') return notTaken(next, step.container);
      return step.kind === 'sync' ? lostBatch(next, running) : next;
    case 'lookedUp': {
      if (step.kind !== 'lookUp') return next;
      if (!outcome.image) return withArtifact(next, step.artifact, { lookedUp: absent, lookedUpFor: step.snapshot.inputsHash });
      return withArtifact(next, step.artifact, {
        lookedUp: { state: 'found', value: outcome.image },
        lookedUpFor: step.snapshot.inputsHash,
        image: { snapshot: step.snapshot, delivered: outcome.image, leftToFinish: false },
      });
    }
    case 'targetRan': {
      if (step.kind !== 'runTarget') return next;
      return {
        ...next,
        disk: withEntries(next.disk, outcome.outputs),
        targets: withItem(next.targets, step.target, { madeFrom: outcome.touched ? undefined : step.inputsHash, outputs: outcome.outputs }),
      };
    }
    case 'built': {
      if (step.kind !== 'build') return next;
      if (outcome.sentHash !== step.snapshot.inputsHash) return failedStep(next, running, changedWhileBuilding(step.artifact));
      const state = next.artifacts.get(step.artifact) ?? noArtifactState;
      return withArtifact(next, step.artifact, {
        built: { snapshot: step.snapshot, image: outcome.image, leftToFinish: state.stoppedOnce },
        stoppedOnce: false,
      });
    }
    case 'delivered': {
      if (step.kind !== 'deliver') return next;
      const built = next.artifacts.get(step.artifact)?.built;
      const same = built?.snapshot.inputsHash === step.snapshot.inputsHash;
      return withArtifact(next, step.artifact, {
        built: same ? undefined : built,
        anew: same ? false : (next.artifacts.get(step.artifact)?.anew ?? false),
        image: { snapshot: step.snapshot, delivered: outcome.image, leftToFinish: same && built.leftToFinish },
      });
    }
    case 'applied': {
      if (step.kind !== 'apply') return next;
      const state = next.releases.get(step.release) ?? noReleaseState;
      const { fingerprint, appliedAt } = outcome;
      const applied = { fingerprint, appliedAt, at: next.now };
      // The cluster may have shown it before the answer came, and then shows nothing more.
      const pending = isShown(applied, state.live) ? undefined : applied;
      const hooks = hooksAt(next.workspace?.releases.get(step.release)?.hooks, 'after', 'deploy');
      const due = hooks.length === 0 ? {} : { hooksDueFor: fingerprint };
      const known = { ...withoutDue(state), ...due, applied: pending, uncertain: false };
      return { ...next, releases: withItem(next.releases, step.release, known) };
    }
    case 'hooksRan': {
      const state = step.kind === 'runHooks' ? next.releases.get(step.release) : undefined;
      if (step.kind !== 'runHooks' || state?.hooksDueFor !== step.fingerprint) return next;
      return { ...next, releases: withItem(next.releases, step.release, withoutDue(state)) };
    }
    case 'removed': {
      if (step.kind !== 'remove') return next;
      const state = next.releases.get(step.release) ?? noReleaseState;
      const gone = { ...withoutDue(state), live: absent, applied: undefined, uncertain: false } as const;
      return { ...next, releases: withItem(next.releases, step.release, gone) };
    }
    case 'connected': {
      const container = step.kind === 'connect' ? next.containers.get(step.container) : undefined;
      if (!container) return next;
      const files = filesAfter(baseTree(container), outcome.ledger);
      // What an earlier session wrote may have been taken up or not; the rest is as the process found it at its start.
      const taken =
        container.taken ??
        withUnknown(
          baseTree(container),
          outcome.ledger.map(([path]) => path),
        );
      return withContainer(next, {
        ...container,
        agent: { state: 'connected', connection: running.id, name: outcome.agent, since: next.now },
        files,
        sent: files,
        inFlight: [],
        taken,
      });
    }
    case 'synced':
      return synced(next, running, outcome);
    case 'reloaded': {
      const container = step.kind === 'reload' ? next.containers.get(step.container) : undefined;
      return container ? withContainer(next, { ...container, taken: container.taking ?? container.taken, taking: undefined }) : next;
    }
  }
}

function changedWhileBuilding(artifact: string): Problem {
  return {
    code: 'sourcesChangedWhileBuilding',
    message: `${artifact}: a file changed while it was packed, so the image was not kept`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}

/** A batch was acknowledged: it counts as soon as all before it have been. */
function synced(world: World, running: RunningStep, { holds, notWritten }: Acknowledgement): World {
  const container = running.step.kind === 'sync' ? world.containers.get(running.step.container) : undefined;
  if (!container?.inFlight.some((sent) => sent.step === running.id)) return world;
  let next: ContainerState = {
    ...container,
    inFlight: container.inFlight.map((sent) => (sent.step === running.id ? { ...sent, acknowledged: { holds, notWritten } } : sent)),
  };
  let after = world;
  for (let first = next.inFlight[0]; first?.acknowledged; first = next.inFlight[0]) {
    next = acknowledged({ ...next, inFlight: next.inFlight.slice(1) }, first, first.acknowledged, world.now);
    after = refusalsTold(after, next, first.acknowledged);
    if (first.settled && next.unsettled.size > 0) {
      const taken = new Set(first.changes.map(({ path }) => path));
      next = { ...next, unsettled: new Set([...next.unsettled].filter((path) => !taken.has(path))) };
    }
  }
  return withContainer(after, next);
}

/** What a batch's acknowledgement says each path holds. A path it does not speak of was not sent. */
function acknowledged(container: ContainerState, batch: SentBatch, { holds, notWritten }: Acknowledgement, now: number): ContainerState {
  if (!container.files || !container.sent) return container;
  const unknown = notWritten.map(({ path }) => [path, unknownContent] as const);
  // Parents first: a directory's acknowledgement must not wipe those of its files.
  const ordered = [...holds, ...unknown].sort(([a], [b]) => (a < b ? -1 : 1));
  const files = withEntries(
    container.files,
    ordered.map(([path, entry]) => [path, entry?.kind === 'dir' ? dirKept(container, path) : entry] as const),
  );
  // Where it holds something else than was asked for, what was sent is corrected, unless a later batch is on its way there.
  const held = new Map(holds);
  const corrections = batch.changes
    .filter(({ path, after }) => !held.has(path) || (after?.kind !== 'dir' && held.get(path)?.hash !== after?.hash))
    .filter(({ path }) => !container.inFlight.some((later) => later.changes.some((other) => overlaps(path, other.path))))
    .map(({ path }) => [path, entryAt(files, path)] as const);
  const refused = refusedAfter(container.refused, batch, notWritten);
  if (corrections.length === 0) return { ...container, files, refused };
  return { ...container, files, refused, sent: withEntries(container.sent, corrections), quietUntil: now + quietMs };
}

type Acknowledgement = NonNullable<SentBatch['acknowledged']>;

/** What a container would not take, after a batch: a path that was tried again, or that is below one, is as that try ended. */
function refusedAfter(
  before: ContainerState['refused'],
  { changes }: SentBatch,
  notWritten: Acknowledgement['notWritten'],
): ContainerState['refused'] {
  const why = new Map(notWritten.map(({ path, problem }) => [path, problem]));
  if (before.size === 0 && notWritten.length === 0) return before;
  const refused = new Map(before);
  for (const { path, after } of changes) {
    for (const other of before.keys()) if (other === path || other.startsWith(`${path}/`)) refused.delete(other);
    if (why.get(path)) refused.set(path, after?.hash ?? '');
  }
  return refused;
}

/** Remembers that a container would not take all of a batch, or that it has taken by now what it would not. */
function refusalsTold(world: World, { seen, refused }: ContainerState, { notWritten }: Acknowledgement): World {
  const key = refusalKey(seen.id);
  if (refused.size === 0) return { ...world, failures: without(world.failures, key) };
  const [first] = notWritten.flatMap(({ problem }) => problem ?? []);
  if (!first) return world;
  const inputs = hashOf([...refused].sort(([a], [b]) => (a < b ? -1 : 1)).flat());
  const before = world.failures.get(key);
  const attempts = before?.inputs === inputs ? before.attempts + 1 : 1;
  const more = refused.size - 1;
  const problem = more === 0 ? first : { ...first, message: `${first.message}, and ${String(more)} more` };
  const failure: Failure = { inputs, problem, attempts, retryAt: world.now + retryDelayMs(attempts) };
  return { ...world, failures: withItem(world.failures, key, failure) };
}

/** A directory that was made keeps what is known to be in it: a batch's files are acknowledged together with their directory. */
function dirKept(container: ContainerState, path: string): Entry {
  const before = container.files && entryAt(container.files, path);
  return before?.kind === 'dir' ? before : emptyDir;
}

function overlaps(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

/** A batch of which nobody knows how far it came: the stream is opened anew, and the ledger tells. */
function lostBatch(world: World, running: RunningStep): World {
  const container = running.step.kind === 'sync' ? world.containers.get(running.step.container) : undefined;
  return container?.inFlight.some((sent) => sent.step === running.id) ? withContainer(world, disconnected(container)) : world;
}

function failedStep(world: World, running: RunningStep, problem: Problem): World {
  const { step } = running;
  // A failed batch is mended by a new connection, or not at all: that is where it is remembered.
  const belongsTo: Step = step.kind === 'sync' ? { kind: 'connect', container: step.container } : step;
  if (step.kind === 'sync' && !world.containers.get(step.container)?.inFlight.some((sent) => sent.step === running.id)) return world;
  const key = stepKey(belongsTo);
  const inputs = stepInputs(belongsTo);
  const before = world.failures.get(key);
  const attempts = before?.inputs === inputs ? before.attempts + 1 : 1;
  const failure: Failure = {
    inputs,
    problem,
    attempts,
    retryAt: problem.retry === 'afterDelay' ? world.now + retryDelayMs(attempts) : undefined,
  };
  const next = { ...world, failures: withItem(world.failures, key, failure) };
  if (step.kind === 'reload') return notTaken(next, step.container);
  return step.kind === 'sync' ? lostBatch(next, running) : next;
}

/** Commands that did not end well: what they were to take up stays unknown. */
function notTaken(world: World, id: string): World {
  const container = world.containers.get(id);
  return container ? withContainer(world, { ...container, taking: undefined }) : world;
}

function withoutDue(state: ReleaseState): ReleaseState {
  const next = { ...state };
  Reflect.deleteProperty(next, 'hooksDueFor');
  return next;
}

/** Whether what the cluster shows is of an apply or of a later one: the same manifests and images may have been live before it. */
function isShown(applied: NonNullable<ReleaseState['applied']>, live: ReleaseState['live']): boolean {
  return live.state === 'found' && live.value.fingerprint === applied.fingerprint && live.value.appliedAt >= applied.appliedAt;
}

function releaseSeen(world: World, fact: Extract<Fact, { kind: 'releaseSeen' }>): World {
  const state = world.releases.get(fact.release) ?? noReleaseState;
  if (fact.revision <= state.revision) return world;
  const containers = new Map(world.containers);
  const seenIds = new Set(fact.containers.map((container) => container.id));
  for (const [id, container] of containers) if (container.release === fact.release && !seenIds.has(id)) containers.delete(id);
  for (const seen of fact.containers) containers.set(seen.id, containerSeen(containers.get(seen.id), fact.release, seen, world.now));
  const failures = new Map(world.failures);
  for (const key of failures.keys()) {
    const [, id] = /^(?:connect|reload|refused):(.*)$/s.exec(key) ?? [];
    if (id !== undefined && !containers.has(id)) failures.delete(key);
  }
  const { notReadySince, ...before } = state;
  const next: ReleaseState = {
    ...before,
    revision: fact.revision,
    live: fact.live.state === 'unknown' ? unknown : fact.live,
    applied: state.applied && isShown(state.applied, fact.live) ? undefined : state.applied,
  };
  const waits = next.live.state === 'found' && next.live.value.rollout.state !== 'ready';
  const since = isSameApply(state.live, next.live) ? (notReadySince ?? world.now) : world.now;
  return {
    ...world,
    containers,
    failures,
    releases: withItem(world.releases, fact.release, waits ? { ...next, notReadySince: since } : next),
  };
}

function isSameApply(one: ReleaseState['live'], other: ReleaseState['live']): boolean {
  return one.state === 'found' && other.state === 'found' && one.value.appliedAt === other.value.appliedAt;
}

function containerSeen(before: ContainerState | undefined, release: string, seen: SeenContainer, now: number): ContainerState {
  if (!before) {
    return {
      release,
      seen,
      stoppedAt: seen.running ? undefined : now,
      runningSince: seen.running ? now - (seen.runsLong === true ? settlingMs : 0) : undefined,
      agent: { state: 'none' },
      losses: 0,
      reconnectAt: 0,
      files: undefined,
      sent: undefined,
      inFlight: [],
      lastBatch: 0,
      taken: undefined,
      taking: undefined,
      unsettled: new Set(),
      quietUntil: 0,
      refused: new Map(),
    };
  }
  const next = { ...before, release, seen };
  if (seen.running) return { ...next, stoppedAt: undefined, runningSince: before.runningSince ?? now };
  return { ...disconnected(next), stoppedAt: before.stoppedAt ?? now, runningSince: undefined };
}
