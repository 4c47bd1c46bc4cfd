import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOutlivingProcess, type Door } from '../clients';
import { keepEqual, type GraphSource } from '../graph';
import type { Goal, Problem, ReleaseName, Report, Wish, Workspace } from '../model';
import type { Scope } from '../source';
import { cleanUpOrder } from './cleanUpOrder';
import type { TimedDevOptions } from './command';
import { importsMatter, isConfigOf, isGraphOf } from './configChanges';
import { Forwards } from './forwards';
import { withNamedImages } from './givenImages';
import { Holding } from './holding';
import { Inheritance, type Heritage } from './inheritance';
import { conflictOf, partRequestOf, placeOf, type DevResult, type PartRequest, type Place } from './loopMessages';
import { failedEvent } from './narrator';
import { Part } from './part';
import type { ReadWorkspace } from './readWorkspace';
import { removalEnds } from './removal';
import { sessionEnd, type SessionEnd } from './readiness';
import { comesAlong, namedImages, requiredBy } from './required';
import { openRun, type Run } from './run';
import { runningReleases } from './runningReleases';
import { scopeFor } from './scope';
import { rememberedGraph } from './rememberedGraph';
import { contextOf, placesOf, preflight, readFor, type Preflight, type Session } from './session';
import { SessionLogs } from './sessionLogs';
import { Vanished, vanishedNotice } from './vanished';
import { Visitors, type Host, type Visitor } from './visitors';
import { rebuild, resync } from './wishes';
import { withProblems, worstExit } from './worstExit';

/** A cluster or a workspace that cannot be worked with is looked at again after this time, by who takes a loop over. */
const lookAgainMs = 2_000;

export interface LeadingRequest {
  readonly options: TimedDevOptions;
  /** Where others join. Absent: nobody can. */
  readonly door: Door | undefined;
  /**
   * What it has of a loop whose leader has ended. What that loop has deployed for it is its own to remove, even if it is to end at once.
   * Absent: it had no part in another.
   */
  readonly before: Heritage | undefined;
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

/** The loop of a workspace: what all its parts want is one goal, and each is told what concerns it. */
export class Leading {
  /** As it was read; the loop has it with the images that are named. */
  private workspace: Workspace | undefined;
  /** What was read last: by that it is known what to read again for. */
  private latest: ReadWorkspace | undefined;
  private readonly parts = new Set<Part>();
  /** That of this process. */
  private own: Part | undefined;
  /** Those whose files are being read; nothing is done for them yet. */
  private readonly entering = new Set<Part>();
  /** More than one `dev` has had a part in it. */
  private shared = false;
  /** Releases that are being removed while the rest goes on. */
  private readonly leaving = new Set<ReleaseName>();
  /** Parts that are on their way out. */
  private readonly farewells = new Set<Promise<unknown>>();
  /** Releases that are required, run already, and are left as they are. */
  private readonly used = new Set<ReleaseName>();
  private readonly looked = new Set<ReleaseName>();
  /** Aborted when this loop ends. */
  private readonly over = new AbortController();
  private graph: GraphSource;
  private rereading: Promise<() => void> | undefined;
  private loop: OpenLoop | undefined;
  private readonly inheritance: Inheritance;
  private readonly vanished = new Vanished();
  private readonly visitors: Visitors;
  /** The cluster was not there when it was to clean up, so nothing that it is asked is waited for. */
  private unanswered = false;
  /** What would be left were this process killed, as it was told to the others. */
  private toldUnclaimed = '';

  constructor(private readonly request: LeadingRequest) {
    this.graph = rememberedGraph(request.options.graph);
    this.inheritance = new Inheritance(request.before);
    this.visitors = new Visitors(request.door, {
      join: (visitor) => this.admit(visitor),
      grant: (wish, part) => this.grant(wish, part),
      over: this.over.signal,
    });
  }

  async run(): Promise<DevResult> {
    try {
      return await this.lead();
    } finally {
      this.over.abort();
      await this.visitors.close();
    }
  }

  private async lead(): Promise<DevResult> {
    const { options, before } = this.request;
    const { session: found, problems } = await this.lookAround();
    if (!found) return !before && options.signal.aborted ? interrupted : notBegun(problems);
    const workspace = (this.workspace = found.read.workspace);
    this.latest = found.read;
    const own = (this.own = new Part({ ...options, startedAt: 0 }));
    this.parts.add(own);
    await this.lookForRequired(found, workspace);
    const mistakes = own.begin(workspace, { used: this.used, lost: new Set() });
    if (mistakes.length > 0) return notBegun(mistakes);
    this.inheritance.claim(own.goal.releases);
    const session: Session = { ...found, read: { ...found.read, workspace: this.named(workspace) } };
    this.introduce(own, session);
    const holding = new Holding({ session, report: this.report, onLost: () => this.lose() });
    const held = await holding.take(own.goal.releases, workspace, options.takeover === true);
    if (held.length > 0) return notBegun(held);

    const wantsPorts = (release: ReleaseName): boolean =>
      this.wanting().some((part) => part.options.forward && part.goal.releases.has(release));
    const forwards = new Forwards(session, this.report, this.over.signal, {
      wants: wantsPorts,
      ...(before && { before: before.forwarded }),
    });
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
    void this.visitors.admitAll().then(() => this.tellInheritance());
    try {
      return await this.serve(own, partRequestOf(options), options.signal);
    } finally {
      await this.end(this.loop);
    }
  }

  private tellInheritance(): void {
    const notice = this.workspace && this.inheritance.notice(this.workspace);
    if (notice) for (const part of this.wanting()) part.tell(notice);
  }

  /** Who takes a loop over has something to lose, and waits until there is a cluster, an engine and a workspace to work with. */
  private async lookAround(): Promise<Preflight> {
    const { options, before } = this.request;
    // What the loop before has deployed for it would stay for ever.
    const signal = before ? new AbortController().signal : options.signal;
    const needs = new Set(['workspace', 'cluster', 'engine', 'delivery'] as const);
    let told = new Set<string>();
    for (;;) {
      const found = await preflight({ ...options, graph: this.graph, report: this.report, signal }, needs, 'dev');
      const isPassing = found.problems.every(({ retry }) => retry !== 'never');
      if (found.session && told.size > 0) this.report({ kind: 'mended', subject: 'workspace' });
      if (!before || found.session || !isPassing || options.signal.aborted) return found;
      for (const problem of found.problems) if (!told.has(problem.code)) this.report(failedEvent(problem, 'workspace'));
      told = new Set(found.problems.map(({ code }) => code));
      await pause(lookAgainMs, undefined, { signal: options.signal }).catch(() => undefined);
    }
  }

  private async end({ run, holding, forwards, logs }: OpenLoop): Promise<void> {
    // Who was interrupted together with this one is on its way out by now.
    while (this.farewells.size > 0) await Promise.all(this.farewells);
    this.over.abort();
    holding.close();
    logs.stop();
    forwards.close();
    const closed = run.close();
    if (!this.unanswered) await closed;
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
      this.lastNamed = { workspace, images: key, named: withNamedImages(this.vanished.in(workspace), images) };
    return this.lastNamed.named;
  }

  /** Says where it works, what comes along, and what is wrong. */
  private introduce(part: Part, session: Session): void {
    const { workspace } = this;
    if (!workspace) return;
    const where = placesOf(session, workspace, part.goal.releases).map(({ namespace }) => namespace);
    const context = session.target?.context ?? '';
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

  private async admit(visitor: Visitor): ReturnType<Host['join']> {
    const { loop } = this;
    const part = loop ? await this.join(visitor, loop) : interrupted;
    return part instanceof Part ? { served: this.serve(part, visitor.message.request, visitor.signal) } : part;
  }

  private async join({ message, signal, send, onJoined }: Visitor, loop: OpenLoop): Promise<Part | DevResult> {
    const { session, run, holding } = loop;
    const { request, place, pid } = message;
    // A project that came since is not among the files that are watched.
    if (request.projects.some((name) => this.workspace?.projects.has(name) === false)) (await this.readAnew(session, true))();
    const { workspace } = this;
    if (this.over.signal.aborted || !workspace || signal.aborted) return interrupted;
    const conflict = loop.place && conflictOf(loop.place, place, process.pid);
    if (conflict) return notBegun([conflict]);
    const part = new Part({ ...request, report: (event) => send({ kind: 'event', event }), startedAt: run.now() });
    await this.lookForRequired(session, workspace, request.projects);
    const mistakes = part.begin(workspace, { used: this.used, lost: holding.lost });
    if (mistakes.length > 0) return notBegun(mistakes);
    const held = await holding.take(part.goal.releases, workspace, request.takeover);
    if (held.length > 0) return notBegun(held);
    this.shared = true;
    this.tellOthers(part, `${namesOf(part)} joins this loop (process ${pid})`);
    send({ kind: 'joined' });
    send({ kind: 'unclaimed', releases: this.unclaimed() });
    this.introduce(part, session);
    // Before its files are known nothing can be said of its images.
    this.entering.add(part);
    await run.read(this.scope(workspace));
    this.entering.delete(part);
    this.parts.add(part);
    onJoined(part);
    this.proceed(loop);
    for (const forwarded of loop.forwards.current) if (request.forward) part.hear(forwarded, this.workspace, this.shared);
    return part;
  }

  /** What nobody of the loop removes when this process is killed. */
  private unclaimed(): readonly ReleaseName[] {
    const { own, inheritance, loop } = this;
    const keeps = (name: ReleaseName): boolean => own?.options.keep === true || loop?.session.read.settings.keep.has(name) === true;
    const mine = own && !own.leaves ? [...own.goal.releases].filter((name) => !keeps(name)) : [];
    return [...mine, ...inheritance.releases].sort();
  }

  private tellUnclaimed(): void {
    const releases = this.unclaimed();
    if (releases.join() === this.toldUnclaimed) return;
    this.toldUnclaimed = releases.join();
    this.visitors.tellAll({ kind: 'unclaimed', releases });
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
    this.inheritance.claim(goal.releases);
    this.tellUnclaimed();
    if (run.loop.world().workspace !== named) run.loop.post({ kind: 'workspaceSeen', workspace: named });
    run.loop.post({ kind: 'goalSet', goal });
    if (goal.kind !== 'live') return;
    holding.want(goal, workspace);
    run.follow(goal, named);
    logs.choose(this.shownLogs());
    logs.follow(run.kube, workspace, goal);
    void run.read(this.scope(workspace));
  }

  /** The files of what is wanted, and of all who enter: of several at once none may leave out what another has had read. */
  private scope(workspace: Workspace): Scope {
    return scopeFor(this.named(workspace), this.goal([...this.wanting(), ...this.entering]), this.latest);
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
      missing: () => (part.options.forward ? loop.forwards.problems(part.goal.releases) : Promise.resolve([])),
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
    const inherited = new Set(this.wanting().length === 0 && this.workspace ? this.inheritance.in(this.workspace) : []);
    part.inherit([...inherited, ...[...part.had].filter((name) => this.vanished.has(name) && !holding.lost.has(name))]);
    const needed = new Set(this.wanting().flatMap(({ goal, required }) => [...goal.releases, ...required.map(({ project }) => project)]));
    const gone = new Set([...part.goal.releases].filter((name) => !needed.has(name)));
    // Whoever it was deployed for did not want to keep it.
    const isToStay = (name: string): boolean => keep.has(name) || (part.options.keep && !inherited.has(name));
    const isKept = (name: string): boolean => (part.deletes === undefined ? isToStay(name) : !part.deletes);
    const removed = new Set([...gone].filter((name) => !isKept(name)));
    // Before a word is said: whoever reads of it may kill.
    const order = removed.size === 0 ? undefined : cleanUpOrder(session, run.loop.world().workspace ?? session.read.workspace, removed);
    const standBy = order && startOutlivingProcess(join(__dirname, 'unfinishedCleanUp.js'), order);
    part.tell({ kind: 'stopping', removes: removed.size > 0 });
    const left = await this.remove(part, removed, loop);
    // What is left of this workspace's is known by its lease: the next dev takes it up, and removes it.
    if (!this.unanswered) await holding.giveBack(gone);
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
  private async remove(part: Part, releases: ReadonlySet<ReleaseName>, loop: OpenLoop): Promise<readonly Problem[]> {
    for (const name of releases) this.leaving.add(name);
    this.proceed(loop);
    if (releases.size === 0) return [];
    const { kube } = loop.session;
    const report: Report = (event) => part.tell(event);
    const { problems, unanswered } = await removalEnds({ loop: loop.run.loop, releases, kube, where: this.request.options, report });
    this.unanswered = unanswered;
    for (const name of releases) this.leaving.delete(name);
    // The last of them is followed by the end of the loop.
    if (this.wanting().length > 0) this.proceed(loop);
    return problems;
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
    const known = { options: session.options, read: this.latest ?? session.read };
    if (paths.some((path) => isConfigOf(known, path)))
      return this.readAnew(
        session,
        paths.some((path) => isGraphOf(known, path)),
      );
    void this.followImports(session, paths);
    return undefined;
  }

  /** An import may make a library one that a target reads. What was saved does not wait until that is known. */
  private async followImports(session: Session, paths: readonly string[]): Promise<void> {
    if (this.workspace && (await importsMatter(session, this.workspace, paths))) (await this.readAnew(session, true))();
  }

  private readAnew(session: Session, withGraph: boolean): Promise<() => void> {
    const { options } = this.request;
    if (withGraph) this.graph = rememberedGraph(options.graph);
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
        const { workspace: before } = this;
        const workspace = (this.workspace = before ? keepEqual(before, read.value.workspace) : read.value.workspace);
        this.latest = read.value;
        const had = this.wanting().flatMap((part) => [...part.had]);
        const gone = this.vanished.follow(before, workspace, had);
        for (const part of this.wanting()) {
          for (const name of gone) if (part.had.has(name)) part.tell(vanishedNotice(name));
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

function namesOf({ options: { projects } }: Part): string {
  return projects.length === 0 ? 'a dev of everything' : `a dev of ${projects.join(', ')}`;
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
