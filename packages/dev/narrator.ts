import type { ContainerState, Event, Fact, Outcome, Problem, Rollout, RunningStep, WorkspacePath, World } from '../model';
import { followsDisk, isReached, rolloutGivenUp, serviceStates, showsLastApply, type ServiceState } from '../plan';
import type { Turn } from './converge';
import { decisionsOf } from './decisions';
import { Waterfalls } from './waterfalls';

/** Paths named in one event; the rest is counted. */
const namedPaths = 5;
/** What passes by itself is told once it has failed so often. */
const patientAttempts = 4;
/** A file that was saved again at the wrong moment: what was begun with it is begun anew. */
const passing: ReadonlySet<string> = new Set(['manifestChanged', 'sourcesChanged', 'sourcesChangedWhileBuilding']);

/** Turns of the loop → events, for people and for the events file. Keeps only what it has said, so that it says nothing twice. */
export class Narrator {
  private readonly connectedAt = new Map<string, number>();
  /** When somebody asked what containers really hold, and it differed: what is brought then answers that, and no save. */
  private readonly doubtedAt = new Map<string, number>();
  /** What fails, as it was said, with the subject that it was said of. */
  private readonly failing = new Map<string, string>();
  /** What is wrong with the workspace itself. */
  private mistakes: readonly Problem[] = [];
  /** Subjects of which something was told that is not mended yet. */
  private readonly troubled = new Set<string>();
  /** Artifacts, with the reason, into whose containers nothing can be copied: each new one of them is the same. */
  private readonly takingNoFiles = new Set<string>();
  /** Failures that are a mistake in the workspace, which is told where it is read. */
  private readonly toldAsMistake = new Set<string>();
  private saidHeld = new Map<string, { readonly subject: string; readonly reason: string }>();
  private readyWorthSaying = true;
  private wasReady = false;
  private readonly rolloutSince = new Map<string, number>();
  private readonly saidRollout = new Map<string, string>();
  private readonly waterfalls = new Waterfalls();
  private saidServices: ReadonlyMap<string, ServiceState> = new Map();

  constructor(private readonly startedAt: number) {}

  tell(turn: Turn): readonly Event[] {
    const events: Event[] = [];
    const decisions: Extract<Event, { kind: 'decision' }>[] = [];
    const firstSeen = turn.before.scanned ? turn.facts.find(({ kind }) => kind === 'filesSeen') : undefined;
    for (const fact of turn.facts) {
      if (fact === firstSeen) {
        for (const decided of decisionsOf(turn, savedIn(turn))) {
          if (decided.kind === 'decision') decisions.push(decided);
          events.push(decided.kind === 'decision' ? asDone(decided, turn.after) : decided);
        }
      }
      if (fact.kind === 'contentDoubted') this.doubtedAt.set(fact.container, turn.after.now);
      if (fact.kind === 'stepEnded') events.push(...this.ended(turn, fact));
    }
    this.waterfalls.note(turn, decisions);
    events.push(...this.failures(turn.after), ...this.rollouts(turn.after), ...this.held(turn));
    events.push(...this.services(turn));
    if (turn.plan.start.some((step) => step.kind === 'apply' || step.kind === 'build')) this.readyWorthSaying = true;
    const ready = followsDisk(turn.after.goal) && isReached(turn.after);
    if (ready && this.readyWorthSaying && this.failing.size === 0) {
      this.readyWorthSaying = false;
      this.wasReady = true;
      events.push({ kind: 'ready', containers: turn.after.containers.size, ms: Math.round(turn.after.now - this.startedAt) });
    }
    return events;
  }

  /** Tells once each what is wrong with the workspace, and when that is over. */
  tellMistakes(problems: readonly Problem[]): readonly Event[] {
    const isNew = ({ message, project }: Problem): boolean =>
      !this.mistakes.some((other) => other.message === message && other.project === project);
    const told = problems.filter(isNew).map((problem) => this.trouble(problem, subjectOfMistake(problem)));
    this.mistakes = problems;
    return [...told, ...this.mended()];
  }

  private trouble(problem: Problem, subject: string): Event {
    this.troubled.add(subject);
    return failedEvent(problem, subject);
  }

  /** Several steps may fail for one mistake, and end well at different times: their subject is right again when the last of them is. */
  private mended(): readonly Event[] {
    const still = new Set([...this.failing.values(), ...this.mistakes.map(subjectOfMistake)]);
    const over = [...this.troubled].filter((subject) => !still.has(subject));
    for (const subject of over) this.troubled.delete(subject);
    return over.map((subject) => ({ kind: 'mended', subject }));
  }

  private ended(turn: Turn, fact: Extract<Fact, { kind: 'stepEnded' }>): readonly Event[] {
    const running = turn.before.running.get(fact.id) ?? turn.after.running.get(fact.id);
    if (!running) return [];
    const { step } = running;
    // A rollout is what follows from an apply, however long the one before it took.
    if (step.kind === 'apply' && fact.outcome.kind === 'applied') this.rolloutSince.set(step.release, fact.at);
    if (step.kind !== 'connect' && step.kind !== 'sync') return [];
    const container = turn.after.containers.get(step.container) ?? turn.before.containers.get(step.container);
    if (!container) return [];
    // What containers that are only attached to get at first are edits: it is not them that are new.
    const attached = turn.after.goal.kind === 'attached' && !this.wasReady;
    return this.endedInContainer(running, fact.outcome, container, fact.at).map((event) =>
      attached && event.kind === 'synced' ? { ...event, replay: false } : event,
    );
  }

  private endedInContainer(running: RunningStep, outcome: Outcome, { seen }: ContainerState, at: number): readonly Event[] {
    const { step } = running;
    const where = { artifact: seen.artifact, pod: seen.pod, container: seen.container };
    if (outcome.kind === 'connected') {
      this.connectedAt.set(seen.id, at);
      for (const about of this.takingNoFiles) if (about.startsWith(`${seen.artifact} `)) this.takingNoFiles.delete(about);
      return [{ kind: 'connected', ...where, agent: outcome.agent, kept: outcome.ledger.length }];
    }
    if (outcome.kind !== 'synced' || step.kind !== 'sync') return [];
    // The same files once more, for a reloader that was not watching yet: nothing that people wait for.
    if (step.again) return [];
    // Every file was gone or different when it was read; the next batch brings what they are now.
    if (outcome.holds.length === 0) return [];
    // What was sent because the container is new was noticed long before; its time counts from the stream.
    const noticedAt = Math.max(step.noticedAt, this.doubtedAt.get(seen.id) ?? 0);
    const replay = (this.connectedAt.get(seen.id) ?? 0) > noticedAt;
    const since = replay ? running.startedAt : Math.min(noticedAt, running.startedAt);
    const { read, send, apply } = outcome.timing;
    const ms = {
      detect: rounded(running.startedAt - since),
      read: rounded(read),
      send: rounded(send),
      apply: rounded(apply),
      total: rounded(at - since),
    };
    return [
      {
        kind: 'synced',
        ...where,
        files: outcome.holds.filter(([, entry]) => entry?.kind !== 'dir').length,
        removed: outcome.holds.filter(([, entry]) => entry === undefined).length,
        paths: pathsOf(outcome.holds),
        bytes: outcome.bytes,
        ms,
        replay,
      },
    ];
  }

  private failures(world: World): readonly Event[] {
    const events: Event[] = [];
    const now = new Map<string, { readonly problem: Problem; readonly subject: string }>();
    for (const [key, failure] of world.failures) {
      const { problem } = failure;
      const artifact = key.startsWith('connect:') ? world.containers.get(key.slice('connect:'.length))?.seen.artifact : undefined;
      if (artifact !== undefined && problem.retry !== 'afterDelay' && world.goal.kind === 'live') {
        const about = `${artifact} ${problem.code}`;
        if (!this.takingNoFiles.has(about)) events.push(failedEvent(problem, problem.artifact ?? problem.project ?? artifact));
        this.takingNoFiles.add(about);
        continue;
      }
      const passes = problem.retry === 'afterDelay' && (key.startsWith('connect:') || passing.has(problem.code));
      if (passes && failure.attempts < patientAttempts) continue;
      // A connection may fail in many ways while the cluster is away.
      const message = problem.code === 'clusterUnreachable' ? '' : problem.message;
      const said = `${key} ${failure.inputs} ${problem.code} ${message}`;
      now.set(said, { problem, subject: problem.artifact ?? problem.project ?? subjectOf(key, world) });
      if (world.workspace?.problems.some(({ code, message }) => code === problem.code && message === problem.message)) {
        this.toldAsMistake.add(said);
      }
    }
    for (const [said, { problem, subject }] of now) {
      if (this.failing.has(said)) continue;
      this.failing.set(said, subject);
      if (!this.toldAsMistake.has(said)) events.push(this.trouble(problem, subject));
    }
    for (const said of [...this.failing.keys()]) {
      if (now.has(said)) continue;
      this.failing.delete(said);
      this.toldAsMistake.delete(said);
      this.readyWorthSaying = true;
    }
    return [...events, ...this.mended()];
  }

  private rollouts(world: World): readonly Event[] {
    const events: Event[] = [];
    if (world.goal.kind === 'removed') return events;
    const isAttached = world.goal.kind === 'attached';
    if (isAttached && !world.workspace) return events;
    for (const [name, state] of world.releases) {
      const { live } = state;
      if (live.state !== 'found' || !showsLastApply(world, state)) continue;
      const { fingerprint, rollout: shown } = live.value;
      // What is attached to is expected to run: that it does is no news.
      if (isAttached && shown.state === 'ready' && !this.saidRollout.has(name)) continue;
      // For a command that ends, one that reached its deadline has failed.
      const late = shown.state === 'progressing' ? rolloutGivenUp(world, name) : undefined;
      const rollout: Rollout = late ? { state: 'failed', problem: late } : shown;
      const text = `${fingerprint} ${rollout.state} ${saidOf(rollout)}`;
      if (this.saidRollout.get(name) === text) continue;
      this.saidRollout.set(name, text);
      if (rollout.state === 'progressing' && !this.rolloutSince.has(name)) this.rolloutSince.set(name, world.now);
      if (rollout.state !== 'ready') this.readyWorthSaying = true;
      const since = this.rolloutSince.get(name);
      const ms = since === undefined ? {} : { ms: rounded(Math.max(0, world.now - since)) };
      switch (rollout.state) {
        case 'ready':
          this.rolloutSince.delete(name);
          events.push({ kind: 'rollout', release: name, state: 'ready', message: 'rolled out', ...ms });
          events.push(...[this.waterfalls.arrived(name, world.now) ?? []].flat());
          break;
        case 'progressing':
          events.push({
            kind: 'rollout',
            release: name,
            state: 'progressing',
            message: rollout.message,
            ...(rollout.waiting && { waiting: rollout.waiting }),
            ...(rollout.reason && { code: rollout.reason.code }),
          });
          break;
        case 'failed':
          this.rolloutSince.delete(name);
          events.push(
            { kind: 'rollout', release: name, state: 'failed', message: rollout.problem.message, ...ms },
            failedEvent(rollout.problem, name),
          );
      }
    }
    return events;
  }

  private services({ after, plan }: Turn): readonly Event[] {
    if (!followsDisk(after.goal)) return [];
    const before = this.saidServices;
    this.saidServices = serviceStates(after, plan);
    const gone = [...before.keys()].filter((service) => !this.saidServices.has(service));
    const changed = [...this.saidServices].filter(([service, is]) => {
      const was = before.get(service);
      return was?.state !== is.state || was.because !== is.because || was.detail !== is.detail;
    });
    return [
      ...gone.map((service): Event => ({ kind: 'service', service, state: 'removed' })),
      ...changed.map(([service, is]): Event => ({ kind: 'service', service, ...is })),
    ];
  }

  private held(turn: Turn): readonly Event[] {
    const held = new Map<string, { readonly subject: string; readonly reason: string }>();
    const events: Event[] = [];
    for (const { subject, reason, detail } of turn.plan.held) {
      // What needs a new image is told again when the reason is another.
      const key = reason === 'needsNewImage' ? `${subject} ${reason} ${detail ?? ''}` : `${subject} ${reason}`;
      // An artifact and its release have one name, and mostly wait for the same.
      if (held.has(key)) continue;
      held.set(key, { subject, reason });
      if (!this.saidHeld.has(key)) events.push({ kind: 'held', subject, reason, ...(detail === undefined ? {} : { detail }) });
    }
    const over = [...this.saidHeld].filter(([key]) => !held.has(key)).map(([, hold]): Event => ({ kind: 'continued', ...hold }));
    this.saidHeld = held;
    return [...over, ...events];
  }
}

/** Where nothing is built or applied, a change that would ask for that asks for nothing; the hold says what it needs. */
function asDone(decision: Extract<Event, { kind: 'decision' }>, world: World): Event {
  const { action, artifact, files, because } = decision;
  if (world.goal.kind !== 'attached' || (action !== 'rebuild' && action !== 'redeploy')) return decision;
  if (action === 'rebuild') return { ...decision, action: 'none', because: `it needs a new image: ${because}` };
  const project = world.workspace?.releases.get(artifact)?.project ?? artifact;
  return {
    kind: 'notice',
    subject: artifact,
    message: `${files.join(', ')} changed; sync applies no manifests`,
    hint: `slipway deploy ${project}`,
  };
}

/** A problem as the event that tells it. */
export function failedEvent(problem: Problem, subject: string): Extract<Event, { kind: 'failed' }> {
  const { code, message, hint } = problem;
  return { kind: 'failed', subject, code, message, ...(hint === undefined ? {} : { hint }), problem };
}

function subjectOfMistake({ project, artifact }: Problem): string {
  return artifact ?? project ?? 'workspace';
}

/** All of a rollout that is worth telling again when it is another. */
function saidOf(rollout: Rollout): string {
  switch (rollout.state) {
    case 'ready':
      return '';
    case 'failed':
      return rollout.problem.message;
    case 'progressing': {
      const logs = rollout.waiting?.map(({ detail }) => detail ?? '') ?? [];
      return [rollout.reason?.code ?? '', rollout.message, ...logs].join('\n');
    }
  }
}

/** A save that is seen in two parts is one. */
function savedIn({ facts }: Turn): ReadonlySet<WorkspacePath> {
  return new Set(facts.flatMap((fact) => (fact.kind === 'filesSeen' ? fact.entries.map(([path]) => path) : [])));
}

/** Directories only where nothing else came. */
function pathsOf(holds: Extract<Outcome, { kind: 'synced' }>['holds']): readonly string[] {
  const files = holds.filter(([, entry]) => entry?.kind !== 'dir');
  return (files.length === 0 ? holds : files).slice(0, namedPaths).map(([path]) => path);
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** The artifact, release or target that a step's key is about; a container stands for its artifact. */
function subjectOf(key: string, world: World): string {
  const subject = key.slice(key.indexOf(':') + 1);
  return world.containers.get(subject)?.seen.artifact ?? subject;
}
