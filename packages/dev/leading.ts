import { join } from 'node:path';
import { startOutlivingProcess, type Door, type Line } from '../clients';
import { keepEqual, type GraphSource } from '../graph';
import type { Goal, Problem, ReleaseName, Report, Step, Wish, Workspace } from '../model';
import { progressOf } from '../plan';
import { cleanUpOrder } from './cleanUpOrder';
import type { TimedDevOptions } from './command';
import { isConfigOf, isGraphOf } from './configChanges';
import type { Turn } from './converge';
import type { ForwardedPorts } from './following';
import { Forwards } from './forwards';
import { withNamedImages } from './givenImages';
import { Holding } from './holding';
import {
  conflictOf,
  greeting,
  isOurVersion,
  partRequestOf,
  placeOf,
  type DevResult,
  type LeaderMessage,
  type MemberMessage,
  type PartRequest,
  type Place,
} from './loopMessages';
import { Part } from './part';
import { sessionEnd, type SessionEnd } from './readiness';
import { comesAlong, namedImages, requiredBy } from './required';
import { openRun, type Run } from './run';
import { runningReleases } from './runningReleases';
import { scopeFor } from './scope';
import { rememberedGraph } from './rememberedGraph';
import { contextOf, placesOf, preflight, readFor, type Session } from './session';
import { SessionLogs } from './sessionLogs';
import { rebuild, resync } from './wishes';
import { withProblems, worstExit } from './worstExit';

/** How long the clean-up may take before what is left is told and left. */
const cleanUpMs = 40_000;

export interface LeadingRequest {
  readonly options: TimedDevOptions;
  /** Where others join. Absent: nobody can. */
  readonly door: Door | undefined;
  /**
   * The ports that it had in a loop whose leader has ended. What that loop has deployed for it is its own to remove, even if it is to end
   * at once. Absent: it had no part in another.
   */
  readonly before: ForwardedPorts | undefined;
}

/** What is there once the loop runs. */
interface OpenLoop {
  readonly session: Session;
  readonly run: Run;
  readonly holding: Holding;
  readonly forwards: Forwards;
  readonly logs: SessionLogs;
  readonly place: Place | undefined;
}

/** A `dev` that wants to join. */
interface Visitor {
  readonly line: Line;
  readonly message: Extract<MemberMessage, { kind: 'join' }>;
  /** Aborted when it leaves, or is gone. */
  readonly signal: AbortSignal;
  readonly onJoined: (part: Part) => void;
}

/** The loop of a workspace: what all its parts want is one goal, and each is told what concerns it. */
export class Leading {
  /** As it was read; the loop has it with the images that are named. */
  private workspace: Workspace | undefined;
  private configFiles: readonly string[] = [];
  private readonly parts = new Set<Part>();
  /** Those whose files are being read; nothing is done for them yet. */
  private readonly entering = new Set<Part>();
  /** More than one `dev` has had a part in it. */
  private shared = false;
  /** Releases that are being removed while the rest goes on. */
  private readonly leaving = new Set<ReleaseName>();
  /** Parts that are on their way out. */
  private readonly farewells = new Set<Promise<unknown>>();
  private readonly lines = new Set<Line>();
  /** Releases that are required, run already, and are left as they are. */
  private readonly used = new Set<ReleaseName>();
  private readonly looked = new Set<ReleaseName>();
  /** Aborted when this loop ends. */
  private readonly over = new AbortController();
  private graph: GraphSource;
  private rereading: Promise<() => void> | undefined;
  private joining: Promise<unknown> = Promise.resolve();
  private loop: OpenLoop | undefined;
  /** Those who came before there was a loop to join. */
  private early: Visitor[] = [];

  constructor(private readonly request: LeadingRequest) {
    this.graph = rememberedGraph(request.options.graph);
    request.door?.onVisitor((line) => this.receive(line));
  }

  async run(): Promise<DevResult> {
    try {
      return await this.lead();
    } finally {
      this.over.abort();
      await this.request.door?.close();
      // Who wants the loop to go on notices by its line, and one of them leads the next.
      for (const line of this.lines) line.close();
    }
  }

  private async lead(): Promise<DevResult> {
    const { options, before } = this.request;
    // What the loop before has deployed for it would stay for ever.
    const signal = before ? new AbortController().signal : options.signal;
    const needs = new Set(['workspace', 'cluster', 'engine', 'delivery'] as const);
    const { session: found, problems } = await preflight({ ...options, graph: this.graph, report: this.report, signal }, needs, 'dev');
    if (signal.aborted) return interrupted;
    if (!found) return notBegun(problems);
    const workspace = (this.workspace = found.read.workspace);
    this.configFiles = found.read.configFiles;
    const own = new Part({ ...options, startedAt: 0 });
    this.parts.add(own);
    await this.lookForRequired(found, workspace);
    const mistakes = own.choose(workspace, { used: this.used, lost: new Set() });
    if (mistakes.length > 0) return notBegun(mistakes);
    const session: Session = { ...found, read: { ...found.read, workspace: this.named(workspace) } };
    this.introduce(own, session);
    const holding = new Holding({ session, report: this.report, onLost: () => this.lose() });
    const held = await holding.take(own.goal.releases, workspace, options.takeover === true);
    if (held.length > 0) return notBegun(held);

    const wantsPorts = (release: ReleaseName): boolean =>
      this.wanting().some((part) => part.options.forward && part.goal.releases.has(release));
    const forwards = new Forwards(session, this.report, this.over.signal, { wants: wantsPorts, ...(before && { before }) });
    const run = await openRun({
      session,
      goal: own.goal,
      watch: true,
      report: this.report,
      narrate: (turn) => {
        for (const part of this.parts) part.narrate(turn, this.shared);
      },
      onTurn: ({ after }) => forwards.update(after),
      onWritten: ({ pod }, runInPod) => forwards.mayRestart(pod, runInPod),
      beforeFiles: (paths) => this.reread(session, paths),
    });
    const logs = new SessionLogs(session, this.report, own.logs);
    logs.follow(run.kube, session.read.workspace, own.goal);
    const place = await placeOf({ ...options, ...contextOf(session) });
    this.loop = { session, run, holding, forwards, logs, place: place.ok ? place.value : undefined };
    options.onWishes?.((wish) => this.grant(wish, own));
    for (const visitor of this.early.splice(0)) this.admit(visitor);
    try {
      return await this.serve(own, partRequestOf(options), options.signal);
    } finally {
      await this.end(this.loop);
    }
  }

  private async end({ run, holding, forwards, logs }: OpenLoop): Promise<void> {
    // Who was interrupted together with this one is on its way out by now.
    while (this.farewells.size > 0) await Promise.all(this.farewells);
    this.over.abort();
    holding.close();
    logs.stop();
    forwards.close();
    await run.close();
  }

  /** Whoever is concerned hears it. */
  private readonly report: Report = (event) => {
    const parts = [...this.parts];
    if (parts.length === 0) return this.request.options.report(event);
    for (const part of parts) part.hear(event, this.workspace, this.shared);
  };

  private wanting(): readonly Part[] {
    return [...this.parts].filter(({ leaves }) => !leaves);
  }

  /** What all parts want together. */
  private goal(parts: readonly Part[] = this.wanting()): Goal {
    const leaving = new Set(this.leaving);
    if (parts.length === 0) return { kind: 'removed', artifacts: new Set(), releases: leaving };
    const [only] = parts;
    // The same object as long as it is the same goal.
    if (only && parts.length === 1 && leaving.size === 0) return only.goal;
    return {
      kind: 'live',
      artifacts: new Set(parts.flatMap(({ goal }) => [...goal.artifacts])),
      releases: new Set(parts.flatMap(({ goal }) => [...goal.releases])),
      ...(leaving.size > 0 && { leaving }),
    };
  }

  private lastNamed: { readonly workspace: Workspace; readonly images: string; readonly named: Workspace } | undefined;

  /** The workspace with the images that are named for what nobody asked for by itself. The same object while nothing changes. */
  private named(workspace: Workspace): Workspace {
    const parts = [...this.wanting(), ...this.entering];
    const all = parts.some(({ options: { projects } }) => projects.length === 0);
    const asked = new Set(parts.flatMap(({ options: { projects } }) => projects));
    const images = all
      ? new Map<string, string>()
      : namedImages(parts.flatMap(({ required }) => required).filter(({ project }) => !asked.has(project)));
    const key = JSON.stringify([...images]);
    if (this.lastNamed?.workspace !== workspace || this.lastNamed.images !== key)
      this.lastNamed = { workspace, images: key, named: withNamedImages(workspace, images) };
    return this.lastNamed.named;
  }

  /** Says where it works, what comes along, and what is wrong. */
  private introduce(part: Part, session: Session): void {
    const { workspace } = this;
    if (!workspace) return;
    const where = placesOf(session, workspace, part.goal.releases).map(({ namespace }) => namespace);
    const context = session.kube?.target.context ?? '';
    part.tell({
      kind: 'notice',
      message: `context ${context}, namespace ${[...new Set(where)].join(', ')}, images: ${session.delivery?.because ?? ''}`,
    });
    const along = comesAlong(part.required, this.used);
    if (along !== undefined) part.tell({ kind: 'notice', message: along });
    part.tellProblems(workspace);
  }

  /** Finds out which of the services that are required run already. Once for each: what this loop deploys runs too, later. */
  private async lookForRequired(session: Session, workspace: Workspace, projects = this.request.options.projects): Promise<void> {
    const required = new Set(requiredBy(workspace, projects).map(({ project }) => project));
    const isNew = (name: ReleaseName): boolean => !this.looked.has(name) && ![...this.parts].some(({ goal }) => goal.releases.has(name));
    const names = [...workspace.releases.values()]
      .filter(({ name, project }) => required.has(project) && isNew(name))
      .map(({ name }) => name);
    for (const name of names) this.looked.add(name);
    for (const name of await runningReleases(session, workspace, names)) this.used.add(name);
  }

  // ---- parts come and go -----------------------------------------------------------------------------------------

  private receive(line: Line): void {
    const gone = new AbortController();
    let joined: Part | undefined;
    this.lines.add(line);
    line.onClose(() => {
      this.lines.delete(line);
      gone.abort();
    });
    this.send(line, { kind: 'hello', ...greeting() });
    line.onMessage((said) => {
      const message = Object(said) as MemberMessage;
      // One of another version ends the line by itself.
      if (message.kind === 'join' && isOurVersion(message))
        this.admit({ line, message, signal: gone.signal, onJoined: (part) => (joined = part) });
      else if (message.kind === 'wish' && joined) this.grant(message.wish, joined);
      else if (message.kind === 'leave') gone.abort();
    });
  }

  private send(line: Line, message: LeaderMessage): void {
    line.send(message);
  }

  /** One after another, so that each finds the loop as the one before has left it. */
  private admit(visitor: Visitor): void {
    const { loop } = this;
    if (!loop) {
      this.early.push(visitor);
      return;
    }
    this.joining = this.joining.then(async () => {
      const part = await this.join(visitor, loop);
      if (part === 'not joined') return;
      const { line, message, signal } = visitor;
      void this.serve(part, message.request, signal).then((result) => this.dismiss(line, result));
    });
  }

  private dismiss(line: Line, result: DevResult): void {
    // A loop that ends has nothing to say of how it ends for others.
    if (this.over.signal.aborted) return;
    this.send(line, { kind: 'ended', result });
    line.close();
  }

  private async join({ line, message, signal, onJoined }: Visitor, loop: OpenLoop): Promise<Part | 'not joined'> {
    const { session, run, holding } = loop;
    const { request, place, pid } = message;
    const refuse = (result: DevResult): 'not joined' => {
      this.dismiss(line, result);
      return 'not joined';
    };
    const { workspace } = this;
    if (this.over.signal.aborted || !workspace) return 'not joined';
    if (signal.aborted) return refuse(interrupted);
    const conflict = loop.place && conflictOf(loop.place, place, process.pid);
    if (conflict) return refuse(notBegun([conflict]));
    const part = new Part({ ...request, report: (event) => this.send(line, { kind: 'event', event }), startedAt: run.loop.world().now });
    await this.lookForRequired(session, workspace, request.projects);
    const mistakes = part.choose(workspace, { used: this.used, lost: holding.lost });
    if (mistakes.length > 0) return refuse(notBegun(mistakes));
    const held = await holding.take(part.goal.releases, workspace, request.takeover);
    if (held.length > 0) return refuse(notBegun(held));
    this.shared = true;
    this.tellOthers(part, `${namesOf(part)} joins this loop (process ${pid})`);
    this.send(line, { kind: 'joined' });
    this.introduce(part, session);
    // Before its files are known nothing can be said of its images.
    this.entering.add(part);
    await run.source.setScope(scopeFor(this.named(workspace), this.goal([...this.wanting(), part]), this.configFiles));
    this.entering.delete(part);
    this.parts.add(part);
    onJoined(part);
    this.proceed(loop);
    for (const forwarded of loop.forwards.current) if (request.forward) part.hear(forwarded, this.workspace, this.shared);
    return part;
  }

  private tellOthers(part: Part, message: string): void {
    for (const other of this.wanting()) if (other !== part) other.tell({ kind: 'notice', message });
  }

  /** Tells the loop what is wanted now. */
  private proceed({ run, holding, logs }: OpenLoop): void {
    const { workspace } = this;
    if (!workspace || this.over.signal.aborted) return;
    const named = this.named(workspace);
    const goal = this.goal();
    if (run.loop.world().workspace !== named) run.loop.post({ kind: 'workspaceSeen', workspace: named });
    run.loop.post({ kind: 'goalSet', goal });
    if (goal.kind !== 'live') return;
    holding.want(goal, workspace);
    run.follow(goal);
    logs.choose(this.shownLogs());
    logs.follow(run.kube, workspace, goal);
    const read = this.goal([...this.wanting(), ...this.entering]);
    void run.source.setScope(scopeFor(named, read, this.configFiles));
  }

  private shownLogs(): 'all' | readonly string[] {
    const choices = this.wanting().map(({ logs }) => logs);
    return choices.includes('all') ? 'all' : [...new Set(choices.flat())];
  }

  /** What one `dev` gets of the loop, until it ends. */
  private async serve(part: Part, { exitWhenReady, timeoutMs }: PartRequest, signal: AbortSignal): Promise<DevResult> {
    const { loop } = this;
    if (!loop) return interrupted;
    const end = await sessionEnd(loop.run.loop, {
      exitWhenReady,
      timeoutMs,
      signal: AbortSignal.any([signal, part.ending.signal]),
      view: (turn) => part.view(turn, this.shared),
    });
    if (this.over.signal.aborted) return interrupted;
    // Whoever waits for it to be ready wants it to run, and to look at it when it is not.
    if (end.kind !== 'asked' && exitWhenReady) part.deletes = false;
    const farewell = this.leave(part, end, loop);
    this.farewells.add(farewell);
    try {
      return await farewell;
    } finally {
      this.farewells.delete(farewell);
    }
  }

  /** What nobody else wants is removed, unless it is to be kept. */
  private async leave(part: Part, end: SessionEnd, loop: OpenLoop): Promise<DevResult> {
    const { session, holding, run } = loop;
    const { keep } = session.read.settings;
    part.leave();
    const needed = new Set(this.wanting().flatMap(({ goal, required }) => [...goal.releases, ...required.map(({ project }) => project)]));
    const gone = new Set([...part.goal.releases].filter((name) => !needed.has(name)));
    const isKept = (name: string): boolean => (part.deletes === undefined ? part.options.keep || keep.has(name) : !part.deletes);
    const removed = new Set([...gone].filter((name) => !isKept(name)));
    // Before a word is said: whoever reads of it may kill.
    const order = removed.size === 0 ? undefined : cleanUpOrder(session, run.loop.world().workspace ?? session.read.workspace, removed);
    const standBy = order && startOutlivingProcess(join(__dirname, 'unfinishedCleanUp.js'), order);
    part.tell({ kind: 'stopping', removes: removed.size > 0 });
    const left = await this.remove(removed, loop);
    await holding.giveBack(gone);
    standBy?.dismiss();
    for (const name of gone) this.looked.delete(name);
    part.tell({ kind: 'stopped', reason: reasonOf(end, part.deletes), kept: removed.size < part.goal.releases.size });
    this.parts.delete(part);
    this.tellOthers(part, `${namesOf(part)} has left this loop`);
    const unready = end.kind === 'notReady' ? end.problems : [];
    return {
      ...withProblems([...holding.problems(part.had), ...unready, ...left]),
      document: { stopped: end.kind === 'asked' ? 'interrupted' : end.kind },
    };
  }

  /** Ends all that is done for releases, and removes them. The problems when that does not come to an end. */
  private async remove(releases: ReadonlySet<ReleaseName>, loop: OpenLoop): Promise<readonly Problem[]> {
    for (const name of releases) this.leaving.add(name);
    this.proceed(loop);
    if (releases.size === 0) return [];
    const timeout = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), cleanUpMs).unref());
    const isOver = (turn: Turn): boolean =>
      [...releases].every((name) => isLeaving(turn.after.goal, name)) && removalOf(turn, releases).state !== 'working';
    const turn = await Promise.race([loop.run.loop.until(isOver), timeout]);
    const progress = turn && removalOf(turn, releases);
    for (const name of releases) this.leaving.delete(name);
    // The last of them is followed by the end of the loop.
    if (this.wanting().length > 0) this.proceed(loop);
    if (progress?.state === 'reached') return [];
    return progress?.state === 'stuck' ? progress.problems : [cleanUpTimedOut];
  }

  /** Leaves what another has taken over alone. A part of which that is all ends. */
  private lose(): void {
    const { loop, workspace } = this;
    if (!loop || !workspace) return;
    for (const part of this.wanting()) {
      part.lose(loop.holding.lost, workspace);
      if (part.goal.releases.size === 0) part.ending.abort();
    }
    this.proceed(loop);
  }

  // ---- what people ask for ---------------------------------------------------------------------------------------

  private grant(wish: Wish, part: Part): void {
    const { loop } = this;
    if (!loop) return;
    const { run, logs } = loop;
    switch (wish.kind) {
      case 'rebuild':
        return rebuild(wish.services, run, this.report);
      case 'resync':
        return resync(wish.services, run, this.report);
      case 'showLogs':
        part.logs = wish.services;
        logs.choose(this.shownLogs());
        return;
      case 'end':
        part.deletes = wish.deletes;
        part.ending.abort();
        return;
    }
  }

  // ---- the workspace changes -------------------------------------------------------------------------------------

  /**
   * Reads the workspace anew when a file changed that it is read from; what is equal stays the same object. What it gives tells the
   * loop of it.
   */
  private reread(session: Session, paths: readonly string[]): Promise<() => void> | undefined {
    if (!paths.some((path) => isConfigOf(session, path))) return undefined;
    const { options } = this.request;
    if (paths.some((path) => isGraphOf(session, path))) this.graph = rememberedGraph(options.graph);
    this.rereading = (this.rereading ?? Promise.resolve(() => undefined)).then(async () => {
      const read = await readFor({ ...options, graph: this.graph, ...contextOf(session) }, 'dev');
      if (read.ok) for (const part of this.wanting()) await this.lookForRequired(session, read.value.workspace, part.options.projects);
      return () => {
        const { loop } = this;
        if (!loop || loop.run.loop.world().goal.kind !== 'live') return;
        if (!read.ok) {
          for (const part of this.wanting()) part.tellMistakes([read.problem]);
          return;
        }
        const workspace = (this.workspace = this.workspace ? keepEqual(this.workspace, read.value.workspace) : read.value.workspace);
        this.configFiles = read.value.configFiles;
        for (const part of this.wanting()) {
          part.choose(workspace, { used: this.used, lost: loop.holding.lost });
          part.tellProblems(workspace);
        }
        this.proceed(loop);
      };
    });
    return this.rereading;
  }
}

const interrupted: DevResult = { exitCode: 0, problems: [], document: { stopped: 'interrupted' } };

function notBegun(problems: readonly Problem[]): DevResult {
  return { exitCode: worstExit(problems), problems, document: { stopped: 'preflight' } };
}

const cleanUpTimedOut: Problem = {
  code: 'cleanUpTimedOut',
  message: 'not everything was deleted in time',
  hint: 'slipway delete removes the rest',
  retry: 'never',
  exitCode: 1,
};

function namesOf({ options: { projects } }: Part): string {
  return projects.length === 0 ? 'a dev of everything' : `a dev of ${projects.join(', ')}`;
}

function isLeaving({ kind, releases, leaving }: Goal, name: ReleaseName): boolean {
  return leaving?.has(name) === true || (kind === 'removed' && releases.has(name));
}

/** How far the removal of some releases is, whatever else goes on. */
function removalOf({ after, plan }: Turn, releases: ReadonlySet<ReleaseName>): ReturnType<typeof progressOf> {
  const isOf = (step: Step): boolean => 'release' in step && releases.has(step.release);
  const running = new Map([...after.running].filter(([, { step }]) => isOf(step)));
  const failures = new Map([...after.failures].filter(([key]) => [...releases].some((name) => key === `remove:${name}`)));
  return progressOf(
    { ...after, goal: { kind: 'removed', artifacts: new Set(), releases }, running, failures },
    { ...plan, start: plan.start.filter(isOf) },
  );
}

function reasonOf({ kind }: SessionEnd, deletes: boolean | undefined): string {
  switch (kind) {
    case 'asked':
      return deletes === undefined ? 'interrupted' : 'as asked for';
    case 'ready':
      return 'everything is ready';
    case 'notReady':
      return 'not everything is ready';
  }
}
