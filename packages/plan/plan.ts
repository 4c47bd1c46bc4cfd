import {
  diffTrees,
  stepKey,
  withEntries,
  type Artifact,
  type ContainerState,
  type DirEntry,
  type Held,
  type Plan,
  type Release,
  type RunningStep,
  type Snapshot,
  type Step,
  type StepId,
  type SyncChange,
  type Target,
  type World,
} from '../model';
import { pendingCommands } from './after';
import { fingerprintOf, type ReleasedImage } from './fingerprint';
import { isInStep } from './goalReached';
import {
  basesSuit,
  containersByArtifact,
  contentRefOf,
  downTooLongMs,
  followsDisk,
  isSettled,
  noReleaseState,
  refusalKey,
  settlingMs,
  suits,
  takesNoFiles,
  unsettledPaths,
  viewOf,
  wantedArtifacts,
  wantedTree,
  type ArtifactView,
} from './need';
import { deadlineOf } from './patience';
import { madeFrom } from './madeFrom';
import { referenceFor } from './referenceFor';
import { newImageBecause } from './newImageBecause';
import { Settled } from './settled';
import { imageTreeOf, sourceWithInput } from './snapshot';
import { stepInputs } from './stepInputs';
import { isFresh, landsFrom, staleTargets, targetInputsHash, unansweredMs, visibleTree } from './targets';

/** Changes of one batch. Small enough that the next edit is never far behind. */
export const batchChanges = 1000;
/** Bytes from which on a file goes by itself, when all else has arrived: an edit made meanwhile waits for no more than one of these. */
const largeFileBytes = 1024 * 1024;
/** Batches on their way to one container. */
const batchesInFlight = 4;
/** How long an apply of ours is believed before the cluster has shown it. */
const appliedUnseenMs = 5000;

/** Of which nothing was to be done in the world that was planned last. */
const lastIdle = new Settled();

/**
 * What is to be done in a world to reach its goal: which steps to start and to stop, and what must wait for what. Pure, and decides all;
 * `idle` only saves looking again at what nothing has happened to.
 */
export function plan(world: World, idle = lastIdle): Plan {
  idle.follow(world);
  return new Planning(world, idle).result();
}

/** The state of one turn's planning. Lives as long as one call of `plan`. */
class Planning {
  private readonly start: Step[] = [];
  private readonly stop: StepId[] = [];
  private readonly held: Held[] = [];
  private wakeAt: number | undefined;
  private wakes = 0;
  private readonly runningByKey = new Map<string, RunningStep>();

  constructor(
    private readonly world: World,
    private readonly idle: Settled,
  ) {
    for (const running of world.running.values()) this.runningByKey.set(stepKey(running.step), running);
  }

  result(): Plan {
    const { workspace, goal, scanned } = this.world;
    if (goal.kind === 'removed') this.planRemoval();
    else if (!scanned) this.hold('workspace', 'waitingForScan');
    // Who only looks for what runs has said nothing yet of what to do with it.
    else if (workspace) this.planWork(workspace.targets);
    if (goal.kind !== 'removed' && goal.leaving) this.planLeaving(goal.leaving);
    return { start: this.start, stop: this.stop, held: this.held, wakeAt: this.wakeAt };
  }

  private planWork(targets: ReadonlyMap<string, Target>): void {
    const { world } = this;
    const containers = containersByArtifact(world);
    const wantedTargets = new Set<Target>();
    const visited = new Set<string>();
    const viewNamed = (name: string): ArtifactView | undefined => {
      const artifact = world.workspace?.artifacts.get(name);
      return artifact && viewOf(world, artifact, containers.get(name));
    };
    for (const artifact of wantedArtifacts(world)) {
      for (const id of artifact.targets) this.addTarget(targets, id, { wanted: wantedTargets, visited });
      const stale = artifact.targets.length === 0 ? [] : staleTargets(world, artifact);
      if (stale.length === 0 && this.isIdle([artifact.name, ...artifact.requires])) continue;
      const before = this.decisions();
      const mine = containers.get(artifact.name) ?? [];
      const view = viewOf(world, artifact, mine);
      if (world.goal.kind === 'attached') this.planAttached(view, stale);
      else this.planImage(view, stale);
      if (followsDisk(world.goal)) for (const container of mine) this.planContainer(view, container, stale);
      if (stale.length === 0 && this.decisions() === before) this.idle.addArtifact(artifact.name);
    }
    for (const target of wantedTargets) {
      if (target.continuous) this.planContinuous(target, targets);
      else this.planTarget(target, targets);
    }
    this.stopUnwanted(wantedTargets);
    if (world.goal.kind === 'built') return;
    for (const name of world.goal.releases) {
      const release = world.workspace?.releases.get(name);
      if (!release || (this.idle.hasRelease(name) && this.isIdle(release.artifacts))) continue;
      const before = this.decisions();
      if (world.goal.kind === 'attached') this.planAttachedRelease(release);
      else this.planRelease(release, viewNamed);
      if (this.decisions() === before) this.idle.addRelease(name);
    }
  }

  /** What is said of an artifact that is waited for may change by time alone, so nothing that stands on it is idle either. */
  private isIdle(artifacts: readonly string[]): boolean {
    return artifacts.every((name) => this.idle.hasArtifact(name));
  }

  /** Grows with everything that is decided, and with every time at which something may be. */
  private decisions(): number {
    return this.start.length + this.stop.length + this.held.length + this.wakes;
  }

  private addTarget(
    targets: ReadonlyMap<string, Target>,
    id: string,
    { wanted, visited }: { readonly wanted: Set<Target>; readonly visited: Set<string> },
  ): void {
    const target = targets.get(id);
    if (!target || visited.has(target.id)) return;
    visited.add(target.id);
    // Those that it depends on come first.
    for (const lower of target.dependsOn) this.addTarget(targets, lower, { wanted, visited });
    wanted.add(target);
  }

  private planTarget(target: Target, targets: ReadonlyMap<string, Target>): void {
    if (isFresh(this.world, target) || this.runningByKey.has(`runTarget:${target.id}`)) return;
    const lower = this.waitedFor(target, targets);
    if (lower !== undefined) return this.hold(target.id, 'waitingForTarget', lower);
    this.begin(target.id, { kind: 'runTarget', target: target.id, inputsHash: targetInputsHash(target, this.world.disk) });
  }

  /** It is started when what it reads has been made, and then left to itself. */
  private planContinuous(target: Target, targets: ReadonlyMap<string, Target>): void {
    if (this.runningByKey.has(`watchTarget:${target.id}`)) {
      if (!isFresh(this.world, target)) this.wakeLater(this.world.noticedAt + unansweredMs);
      return;
    }
    const lower = this.staleBelow(target, targets)[0];
    if (lower !== undefined) return this.hold(target.id, 'waitingForTarget', lower);
    this.begin(target.id, { kind: 'watchTarget', target: target.id, inputsHash: targetInputsHash(target, this.world.disk) });
  }

  private stopUnwanted(wanted: ReadonlySet<Target>): void {
    const ids = new Set([...wanted].map(({ id }) => id));
    for (const { id, step, stopAsked } of this.world.running.values())
      if (step.kind === 'watchTarget' && !stopAsked && !ids.has(step.target)) this.stop.push(id);
  }

  private staleBelow(target: Target, targets: ReadonlyMap<string, Target>): readonly string[] {
    return target.dependsOn.filter((id) => {
      const lower = targets.get(id);
      return lower && !isFresh(this.world, lower);
    });
  }

  /** What has to end before a target can be run. */
  private waitedFor(target: Target, targets: ReadonlyMap<string, Target>): string | undefined {
    const stale = this.staleBelow(target, targets);
    if (!target.runsDependencies) return stale[0];
    // What is begun in one turn is one process of the runner, which puts it in order; another would run what they share twice.
    for (const { step } of this.world.running.values()) if (step.kind === 'runTarget') return step.target;
    // One that failed, and is not begun anew at this turn, is not run by way of this one either.
    return stale.find((id) => this.world.failures.has(`runTarget:${id}`) && !this.begins(id));
  }

  private begins(id: string): boolean {
    return this.start.some((step) => step.kind === 'runTarget' && step.target === id);
  }

  private planImage(view: ArtifactView, stale: readonly Target[]): void {
    const { world } = this;
    const { artifact, state, now } = view;
    const building = this.runningByKey.get(`build:${artifact.name}`);
    if (building?.step.kind === 'build' && !building.stopAsked && !state.stoppedOnce && !suits(building.step.snapshot, view))
      this.stop.push(building.id);

    if (!basesSuit(world, view)) return this.hold(artifact.name, 'waitingForBase');
    const { built } = state;
    if (built && (suits(built.snapshot, view) || built.leftToFinish)) {
      this.begin(artifact.name, { kind: 'deliver', artifact: artifact.name, snapshot: built.snapshot, image: built.image });
      if (suits(built.snapshot, view)) return;
    }
    if (view.image && suits(view.image.snapshot, view) && state.anew !== true) return;
    if (stale.length > 0) return this.hold(artifact.name, 'waitingForTarget', stale.map((target) => target.id).join(', '));
    if (world.goal.kind === 'live' && !view.image && this.clusterUnknown(artifact)) return this.hold(artifact.name, 'waitingForCluster');
    if (building) return this.hold(artifact.name, 'waitingForImage');
    if (state.anew === true || (state.lookedUp.state === 'absent' && state.lookedUpFor === now.inputsHash)) {
      const bases = Object.fromEntries(artifact.requires.map((base) => [base, this.baseRef(base)]));
      const anew = state.anew === true ? { anew: true as const } : {};
      this.begin(artifact.name, { kind: 'build', artifact: artifact.name, snapshot: now, bases, ...anew });
    } else {
      this.begin(artifact.name, { kind: 'lookUp', artifact: artifact.name, snapshot: now });
    }
  }

  /** Nothing is built; only what an image stands on is looked up, as it is part of what the image has to be. */
  private planAttached(view: ArtifactView, stale: readonly Target[]): void {
    const { artifact, state, now, image } = view;
    if (!this.world.goal.artifacts.has(artifact.name)) {
      if (state.lookedUpFor !== now.inputsHash) this.begin(artifact.name, { kind: 'lookUp', artifact: artifact.name, snapshot: now });
      return;
    }
    // What a stale target will make may change what the image has to be.
    if (this.clusterUnknown(artifact) || stale.length > 0 || (image && suits(image.snapshot, view))) return;
    const because = newImageBecause(this.world, view);
    if (because !== undefined) this.hold(artifact.name, 'needsNewImage', because);
  }

  private planAttachedRelease({ name }: Release): void {
    const { live } = this.world.releases.get(name) ?? noReleaseState;
    if (live.state === 'unknown') this.hold(name, 'waitingForCluster');
    else if (live.state === 'found' && live.value.rollout.state === 'progressing')
      this.hold(name, 'waitingForContainer', live.value.rollout.message);
  }

  private baseRef(name: string): string {
    const artifact = this.world.workspace?.artifacts.get(name);
    const image = artifact && viewOf(this.world, artifact).image;
    return image ? contentRefOf(image) : '';
  }

  /** What a release of an earlier session runs decides whether an image is needed at all, so it must be known first. */
  private clusterUnknown(artifact: Artifact): boolean {
    for (const name of this.world.goal.releases) {
      const release = this.world.workspace?.releases.get(name);
      if (!release?.artifacts.includes(artifact.name)) continue;
      if ((this.world.releases.get(name) ?? noReleaseState).live.state === 'unknown') return true;
    }
    return false;
  }

  private planRelease(release: Release, viewNamed: (name: string) => ArtifactView | undefined): void {
    const { world } = this;
    const state = world.releases.get(release.name) ?? noReleaseState;
    if (state.live.state === 'unknown') return this.hold(release.name, 'waitingForCluster');
    const images: Record<string, { ref: string; snapshot: Snapshot }> = {};
    const released: Record<string, ReleasedImage> = {};
    for (const name of release.artifacts) {
      const view = viewNamed(name);
      const image = view?.image;
      if (!view || !image || !this.mayUse(view)) return this.hold(release.name, 'waitingForImage', name);
      const ref = referenceFor(image, state.live, name);
      // A loop compares what runs with what it knows of the image itself.
      const snapshot = world.goal.kind === 'deployed' ? madeFrom(image, view.artifact, state.live) : image.snapshot;
      images[name] = { ref, snapshot };
      released[name] = { ref, inputsHash: snapshot.inputsHash };
    }
    const fingerprint = fingerprintOf(release, world.disk, released);
    const { live } = state;
    const shown = live.state === 'found' && live.value.fingerprint === fingerprint;
    const believed = state.applied?.fingerprint === fingerprint && world.now - state.applied.at < appliedUnseenMs;
    if (!state.uncertain && (shown || believed)) {
      if (!shown && state.applied) this.wake(state.applied.at + appliedUnseenMs);
      if (!shown || live.value.rollout.state !== 'ready') this.hold(release.name, 'waitingForRollout');
      if (state.hooksDueFor === fingerprint && shown && live.value.rollout.state === 'ready')
        this.begin(release.name, { kind: 'runHooks', release: release.name, fingerprint });
      // For a command that ends the deadline passes without anything else happening.
      const deadline = world.goal.kind === 'deployed' ? deadlineOf(release, state) : undefined;
      if (deadline !== undefined) this.wakeLater(deadline);
      return;
    }
    // What left and came back at once has to be gone before it is there again.
    if (this.runningByKey.has(`remove:${release.name}`)) return this.hold(release.name, 'waitingForRemoval');
    this.begin(release.name, { kind: 'apply', release: release.name, fingerprint, images });
  }

  /**
   * Whether a release may be applied with an artifact's image now. One that no longer suits is about to be replaced, so the
   * release waits for the next, unless that failed, or the image is the one which was left to finish.
   */
  private mayUse(view: ArtifactView): boolean {
    const { image, artifact } = view;
    if (!image) return false;
    if (suits(image.snapshot, view)) return true;
    if (this.world.goal.kind !== 'live') return false;
    if (image.leftToFinish) return true;
    return ['build', 'deliver', 'lookUp'].some((kind) => this.world.failures.get(`${kind}:${artifact.name}`) !== undefined);
  }

  private planContainer(view: ArtifactView, container: ContainerState, stale: readonly Target[]): void {
    const { world } = this;
    const { now, artifact } = view;
    const subject = `${artifact.name} ${container.seen.pod}`;
    const { snapshot } = container.seen;
    if (!snapshot || snapshot.layoutHash !== now.layoutHash)
      return this.hold(subject, world.goal.kind === 'attached' ? 'needsNewImage' : 'waitingForRebuild');
    if (!container.seen.running) {
      if (world.goal.kind === 'live' && container.stoppedAt !== undefined && imageTreeOf(snapshot).hash !== now.tree.hash) {
        this.wake(container.stoppedAt + downTooLongMs);
      }
      return this.hold(subject, 'waitingForContainer');
    }
    // Into an image whose files are all compiled or baked in nothing is ever copied: nobody has to be there for it, and it may have no shell.
    if (!takesFiles(artifact) && snapshot.tree.hash === now.tree.hash) return;
    if (container.agent.state === 'none' || !container.sent || !container.files) {
      // That has been told, and it runs an image of the very files.
      if (takesNoFiles(world, container) && isInStep(view, container)) return;
      if (this.world.now >= container.reconnectAt) return this.begin(subject, { kind: 'connect', container: container.seen.id });
      this.wake(container.reconnectAt);
      return this.hold(subject, 'waitingForAgent', 'its stream is lost again and again: another dev may be using this container');
    }
    const wanted = wantedTree(view, container.sent);
    if (container.sent.hash !== wanted.hash) {
      if (container.inFlight.length >= batchesInFlight) return this.hold(subject, 'waitingForAgent');
      if (world.now < container.quietUntil) {
        this.wake(container.quietUntil);
        return this.hold(subject, 'waitingForRetry');
      }
      const changes = this.changesFor(artifact, container, wanted, stale);
      if (changes.length > 0) {
        return this.sync(container, changes, false);
      }
      this.holdRefused(subject, container);
      if (stale.length > 0) this.hold(subject, 'waitingForTarget', stale.map((target) => target.id).join(', '));
    }
    if (container.inFlight.length > 0) return;
    const { commands, paths } = pendingCommands(artifact, container);
    if (commands.length > 0) {
      const runs = commands.map(({ run, timeoutMs }) => ({ run, timeoutMs }));
      this.begin(subject, { kind: 'reload', container: container.seen.id, commands: runs, paths, treeHash: container.files.hash });
    }
    if (artifact.reload.kind === 'hot') this.planAgain(view, container, stale);
  }

  /** What was copied in before the process watched its files is written once more when it does. */
  private planAgain(view: ArtifactView, container: ContainerState, stale: readonly Target[]): void {
    const paths = unsettledPaths(view, container);
    if (paths.length === 0) return;
    if (!isSettled(container, this.world.now)) return this.wake((container.runningSince ?? this.world.now) + settlingMs);
    const without = withEntries(
      view.now.tree,
      paths.map((path) => [path, undefined] as const),
    );
    const changes = this.changesFor(view.artifact, { ...container, sent: without }, view.now.tree, stale);
    if (changes.length > 0) this.sync(container, changes, true);
  }

  private sync(container: ContainerState, changes: readonly SyncChange[], again: boolean): void {
    this.start.push({
      kind: 'sync',
      container: container.seen.id,
      batch: container.lastBatch + 1,
      changes,
      noticedAt: this.world.noticedAt,
      again,
    });
  }

  /** What a container would not take is tried again later; the rest of its files is brought meanwhile. */
  private holdRefused(subject: string, { seen, refused }: ContainerState): void {
    const refusal = this.world.failures.get(refusalKey(seen.id));
    if (refused.size === 0 || refusal?.retryAt === undefined) return;
    this.wake(refusal.retryAt);
    this.hold(subject, 'waitingForRetry', refusal.problem.message);
  }

  private changesFor(artifact: Artifact, container: ContainerState, tree: DirEntry, stale: readonly Target[]): readonly SyncChange[] {
    const { world } = this;
    const visible = visibleTree(world);
    const refusal = world.failures.get(refusalKey(container.seen.id));
    const changes: SyncChange[] = [];
    let large: SyncChange | undefined;
    for (const change of diffTrees(container.sent ?? tree, tree)) {
      if (changes.length >= batchChanges) break;
      const path = `/${change.path}`;
      if (refusal?.retryAt !== undefined && world.now < refusal.retryAt && container.refused.get(path) === (change.after?.hash ?? ''))
        continue;
      // What a stale target made may be gone from the disk, or half of it: it is sent, or removed, when the target has run.
      if (stale.some((target) => landsFrom(artifact, target, path))) continue;
      if (change.after === undefined || change.after.kind === 'dir') {
        changes.push({ path, after: change.after });
        continue;
      }
      const source = sourceWithInput(artifact, visible, path);
      const write = source?.input.write;
      if (!source) continue;
      const copied = { path, source: source.path, after: change.after, ...(write && { write }) };
      if (change.after.kind === 'file' && change.after.size > largeFileBytes) large ??= copied;
      else changes.push(copied);
    }
    return changes.length > 0 || !large || container.inFlight.length > 0 ? changes : [large];
  }

  private planRemoval(): void {
    const { goal, running } = this.world;
    for (const { id, step, stopAsked } of running.values()) if (step.kind !== 'remove' && !stopAsked) this.stop.push(id);
    for (const name of [...goal.releases, ...(goal.leaving ?? [])]) this.planRemovalOf(name);
  }

  private planRemovalOf(name: string): void {
    const state = this.world.releases.get(name) ?? noReleaseState;
    if (state.live.state === 'absent' && !state.uncertain) return;
    if (this.runningByKey.has(`apply:${name}`)) this.hold(name, 'waitingForRemoval');
    else this.begin(name, { kind: 'remove', release: name });
  }

  /** Nothing more is done for what leaves but to remove it. */
  private planLeaving(leaving: ReadonlySet<string>): void {
    const wanted = new Set([...wantedArtifacts(this.world)].map(({ name }) => name));
    for (const { id, step, stopAsked } of this.world.running.values())
      if (!stopAsked && isForNobody(step, { world: this.world, leaving, wanted })) this.stop.push(id);
    for (const name of leaving) this.planRemovalOf(name);
  }

  /** Starts a step unless it runs already, or failed for the same inputs and it is not yet time to try again. */
  private begin(subject: string, step: Step): void {
    const key = stepKey(step);
    if (this.runningByKey.has(key)) return;
    const failure = this.world.failures.get(key);
    if (failure?.inputs === stepInputs(step)) {
      if (failure.retryAt === undefined) return this.hold(subject, 'waitingForChange', failure.problem.message);
      if (this.world.now < failure.retryAt) {
        this.wake(failure.retryAt);
        return this.hold(subject, 'waitingForRetry', failure.problem.message);
      }
    }
    this.start.push(step);
  }

  private hold(subject: string, reason: Held['reason'], detail?: string): void {
    this.held.push(detail === undefined ? { subject, reason } : { subject, reason, detail });
  }

  private wakeLater(at: number): void {
    if (at > this.world.now) this.wake(at);
  }

  private wake(at: number): void {
    this.wakes += 1;
    if (this.wakeAt === undefined || at < this.wakeAt) this.wakeAt = at;
  }
}

interface Leaving {
  readonly world: World;
  readonly leaving: ReadonlySet<string>;
  readonly wanted: ReadonlySet<string>;
}

/** Whether only releases that leave ask for a step. */
function isForNobody(step: Step, { world, leaving, wanted }: Leaving): boolean {
  switch (step.kind) {
    case 'apply':
    case 'runHooks':
      return leaving.has(step.release);
    case 'lookUp':
    case 'build':
    case 'deliver':
      return !wanted.has(step.artifact);
    case 'connect':
    case 'sync':
    case 'reload':
      return leaving.has(world.containers.get(step.container)?.release ?? '');
    case 'runTarget':
    case 'watchTarget':
    case 'remove':
      return false;
  }
}

/** Whether an edit of any file could be copied into the artifact's containers. */
function takesFiles(artifact: Artifact): boolean {
  return artifact.inputs.some((input) => input.onChange === 'sync' && input.containerPath !== undefined);
}
