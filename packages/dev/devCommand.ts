import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import { startOutlivingProcess } from '../clients';
import { keepEqual, type GraphSource } from '../graph';
import type { Goal, Problem, ReleaseName, Report, Wish, Workspace } from '../model';
import { containersByArtifact, progressOf, viewOf } from '../plan';
import { combine, jsonLines } from '../report';
import { ageMs } from './age';
import { attachCommand } from './attachCommand';
import { cleanUpOrder } from './cleanUpOrder';
import type { CommandResult, DevOptions, TimedDevOptions } from './command';
import { isConfigOf, isGraphOf } from './configChanges';
import { Forwards } from './forwards';
import { withNamedImages } from './givenImages';
import { Holding } from './holding';
import { failedEvent } from './narrator';
import { sessionEnd, type SessionEnd } from './readiness';
import { openRun, type Run } from './run';
import { scopeFor } from './scope';
import { rememberedGraph } from './rememberedGraph';
import { chosenWithRequired, comesAlong, namedImages, requiredBy, type Required } from './required';
import { runningReleases } from './runningReleases';
import { noticesOf, problemsOf } from './selection';
import { contextOf, placesOf, preflight, readFor, type Session } from './session';
import { SessionLogs } from './sessionLogs';
import { withProblems, worstExit } from './worstExit';

/** How long the clean-up may take before what is left is told and left. */
const cleanUpMs = 40_000;

/**
 * Builds, deploys, and then keeps what runs in step with the disk until it is interrupted; then deletes what it deployed, unless
 * it is to be kept. A failure is told, and the loop goes on.
 */
export async function devCommand(options: DevOptions): Promise<CommandResult<{ readonly stopped: string }>> {
  const timeout = options.timeout === undefined ? undefined : ageMs(options.timeout);
  if (timeout && !timeout.ok) {
    return { exitCode: timeout.problem.exitCode, problems: [timeout.problem], document: { stopped: 'preflight' } };
  }
  const events = options.events === undefined ? undefined : openEvents(options.events);
  const report = events ? combine([options.report, events.report]) : options.report;
  try {
    const told = { ...options, report, timeoutMs: timeout?.value };
    return await (options.attach === true ? attachCommand(told) : new Development(told).run());
  } finally {
    await events?.close();
  }
}

function openEvents(file: string): { readonly report: Report; close(): Promise<void> } {
  const stream = createWriteStream(file, { flags: 'w' });
  return {
    report: jsonLines({ stream, now: Date.now, verbosity: 'normal' }),
    async close() {
      stream.end();
      await finished(stream).catch(() => undefined);
    },
  };
}

class Development {
  private workspace: Workspace | undefined;
  private logs: SessionLogs | undefined;
  /** Aborted when a person asks for the end. */
  private readonly ending = new AbortController();
  /** Whether what was deployed is deleted at the end, when a person said so. */
  private deletes: boolean | undefined;
  private rereading: Promise<() => void> | undefined;
  private holding: Holding | undefined;
  private toldProblems: readonly Problem[] = [];
  private readonly toldNotices = new Set<string>();
  private graph: GraphSource;
  /** Releases that are required, run already, and are left as they are. */
  private readonly used = new Set<ReleaseName>();
  private readonly looked = new Set<ReleaseName>();

  constructor(private readonly options: TimedDevOptions) {
    this.graph = rememberedGraph(options.graph);
  }

  async run(): Promise<CommandResult<{ readonly stopped: string }>> {
    const { options } = this;
    const { session: found, problems } = await preflight(
      { ...options, graph: this.graph },
      new Set(['workspace', 'cluster', 'engine', 'delivery']),
      'dev',
    );
    if (options.signal.aborted) return { exitCode: 0, problems: [], document: { stopped: 'interrupted' } };
    if (!found) return { exitCode: worstExit(problems), problems, document: { stopped: 'preflight' } };
    this.workspace = found.read.workspace;
    await this.lookForRequired(found, this.workspace);
    const chosen = chosenWithRequired(this.workspace, 'live', options.projects, this.used);
    if (!chosen.ok) return { exitCode: worstExit(chosen.problems), problems: chosen.problems, document: { stopped: 'preflight' } };
    const { goal, required } = chosen;
    const session = { ...found, read: { ...found.read, workspace: withNamedImages(this.workspace, namedImages(required)) } };
    const where = placesOf(session, session.read.workspace, goal.releases).map(({ namespace }) => namespace);
    options.report({
      kind: 'notice',
      message: `context ${session.kube?.target.context ?? ''}, namespace ${[...new Set(where)].join(', ')}, images: ${session.delivery?.because ?? ''}`,
    });
    const along = comesAlong(required, this.used);
    if (along !== undefined) options.report({ kind: 'notice', message: along });
    this.tellProblems(this.mistakesIn(this.workspace, required));
    this.tellNotices(noticesOf(session.read.workspace, options.projects));
    this.holding = new Holding({
      session,
      takeover: options.takeover ?? false,
      report: options.report,
      onLost: () => this.leave(run),
    });
    const held = await this.holding.take(goal);
    if (held.length > 0) return { exitCode: worstExit(held), problems: held, document: { stopped: 'preflight' } };

    const signal = AbortSignal.any([options.signal, this.ending.signal]);
    const forwards = options.forward ? new Forwards(session, options.report, signal) : undefined;
    this.logs = new SessionLogs(session, options.report, options.logs);
    const run: Run = await openRun({
      session,
      goal,
      watch: true,
      report: (event) => {
        // Of an interrupt before anything was deployed there is nothing to tell.
        if (event.kind !== 'removed' || event.objects.length > 0) options.report(event);
      },
      onTurn: ({ after }) => forwards?.update(after),
      onWritten: ({ pod }, runInPod) => forwards?.mayRestart(pod, runInPod),
      beforeFiles: (paths) => this.reread(session, () => run, paths),
    });
    this.logs.follow(run.kube, session.read.workspace, goal);
    options.onWishes?.((wish) => this.grant(wish, run));
    const end = await sessionEnd(run.loop, { exitWhenReady: options.exitWhenReady === true, timeoutMs: options.timeoutMs, signal });
    // Whoever waits for it to be ready wants it to run, and to look at it when it is not.
    if (end.kind !== 'asked' && options.exitWhenReady === true) this.deletes = false;
    const { keep } = session.read.settings;
    const { goal: last, workspace = session.read.workspace } = run.loop.world();
    const isKept = (name: string): boolean => (this.deletes === undefined ? options.keep || keep.has(name) : !this.deletes);
    const temporary = new Set([...last.releases].filter((name) => !isKept(name)));
    // Before a word is said: whoever reads of it may kill.
    const order = temporary.size === 0 ? undefined : cleanUpOrder(session, workspace, temporary);
    const standBy = order && startOutlivingProcess(join(__dirname, 'unfinishedCleanUp.js'), order);
    options.report({ kind: 'stopping', removes: temporary.size > 0 });
    const left = temporary.size === 0 ? [] : await this.cleanUp(run, { ...last, releases: temporary });
    await this.holding.giveBack();
    standBy?.dismiss();
    this.logs.stop();
    forwards?.close();
    await run.close();
    options.report({
      kind: 'stopped',
      reason: this.reasonOf(end),
      kept: temporary.size < last.releases.size,
    });
    const unready = end.kind === 'notReady' ? end.problems : [];
    return {
      ...withProblems([...this.holding.problems(), ...unready, ...left]),
      document: { stopped: end.kind === 'asked' ? 'interrupted' : end.kind },
    };
  }

  /** Finds out which of the services that are required run already. Once for each: what this session deploys runs too, later. */
  private async lookForRequired(session: Session, workspace: Workspace): Promise<void> {
    const required = new Set(requiredBy(workspace, this.options.projects).map(({ project }) => project));
    const releases = [...workspace.releases.values()].filter(({ name, project }) => required.has(project) && !this.looked.has(name));
    const names = releases.map(({ name }) => name);
    for (const name of names) this.looked.add(name);
    for (const name of await runningReleases(session, workspace, names)) this.used.add(name);
  }

  private mistakesIn(workspace: Workspace, required: readonly Required[]): readonly Problem[] {
    const { projects } = this.options;
    return problemsOf(workspace, projects.length === 0 ? [] : [...projects, ...required.map(({ project }) => project)]);
  }

  private reasonOf({ kind }: SessionEnd): string {
    switch (kind) {
      case 'asked':
        return this.deletes === undefined ? 'interrupted' : 'as asked for';
      case 'ready':
        return 'everything is ready';
      case 'notReady':
        return 'not everything is ready';
    }
  }

  /** Leaves what another has taken over alone, and ends when that is all. */
  private leave(run: Run): void {
    const { goal, workspace } = run.loop.world();
    if (!this.holding || !workspace || goal.kind !== 'live') return;
    const rest = this.holding.kept(goal, workspace);
    run.loop.post({ kind: 'goalSet', goal: rest });
    if (rest.releases.size === 0) this.ending.abort();
  }

  private grant(wish: Wish, run: Run): void {
    switch (wish.kind) {
      case 'rebuild': {
        for (const name of artifactsOf(run, wish.services)) {
          this.options.report({ kind: 'notice', subject: name, message: 'rebuilding from scratch, as was asked for' });
          run.loop.post({ kind: 'rebuildAsked', artifact: name });
        }
        return;
      }
      case 'resync':
        for (const name of artifactsOf(run, wish.services)) void this.resync(name, run);
        return;
      case 'showLogs':
        this.logs?.choose(wish.services);
        return;
      case 'end':
        this.deletes = wish.deletes;
        this.ending.abort();
        return;
    }
  }

  /** Compares what the containers of an image really hold with what they should, and brings what differs. */
  private async resync(name: string, run: Run): Promise<void> {
    const world = run.loop.world();
    const artifact = world.workspace?.artifacts.get(name);
    const containers =
      containersByArtifact(world)
        .get(name)
        ?.filter(({ files, seen }) => files !== undefined && seen.running) ?? [];
    if (!artifact) return;
    const notice = (message: string): void => this.options.report({ kind: 'notice', subject: name, message });
    if (containers.length === 0) {
      notice('no container of it is connected, so there is nothing to compare');
      return;
    }
    const view = viewOf(world, artifact, containers);
    let wrong = 0;
    for (const container of containers) {
      const compared = await run.compare(container, view);
      if (!compared.ok) {
        this.options.report(failedEvent(compared.problem, name));
        continue;
      }
      const paths = compared.value.map(({ path }) => path);
      wrong += paths.length;
      if (paths.length > 0) run.loop.post({ kind: 'contentDoubted', container: container.seen.id, paths });
    }
    const where = containers.length === 1 ? 'its container' : `its ${containers.length} containers`;
    notice(
      wrong === 0
        ? `${where} really hold${containers.length === 1 ? 's' : ''} what the files are`
        : `${wrong} paths in ${where} were not as they should be`,
    );
  }

  /** What an interrupt leaves behind is nothing: everything is stopped, then removed. */
  private async cleanUp(run: Run, goal: Goal): Promise<readonly Problem[]> {
    run.loop.post({ kind: 'goalSet', goal: { ...goal, kind: 'removed' } });
    const timeout = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), cleanUpMs).unref());
    const turn = await Promise.race([
      run.loop.until((one) => one.after.goal.kind === 'removed' && progressOf(one.after, one.plan).state !== 'working'),
      timeout,
    ]);
    const progress = turn && progressOf(turn.after, turn.plan);
    if (progress?.state === 'reached') return [];
    if (progress?.state === 'stuck') return progress.problems;
    return [
      {
        code: 'cleanUpTimedOut',
        message: 'not everything was deleted in time',
        hint: 'slipway delete removes the rest',
        retry: 'never',
        exitCode: 1,
      },
    ];
  }

  /** Tells what is wrong with the workspace once, and when it is right again. */
  private tellProblems(problems: readonly Problem[]): void {
    const subjectOf = ({ project, artifact }: Problem): string => artifact ?? project ?? 'workspace';
    const isAmong = (list: readonly Problem[], { message, project }: Problem): boolean =>
      list.some((other) => other.message === message && other.project === project);
    const before = this.toldProblems;
    this.toldProblems = problems;
    for (const problem of problems) if (!isAmong(before, problem)) this.options.report(failedEvent(problem, subjectOf(problem)));
    const wrong = new Set(problems.map(subjectOf));
    const mended = new Set(before.map(subjectOf).filter((subject) => !wrong.has(subject)));
    for (const subject of mended) this.options.report({ kind: 'mended', subject });
  }

  /** Each of them once. */
  private tellNotices(notices: ReturnType<typeof noticesOf>): void {
    for (const notice of notices) {
      if (this.toldNotices.has(notice.message)) continue;
      this.toldNotices.add(notice.message);
      this.options.report(notice);
    }
  }

  /**
   * Reads the workspace anew when a file changed that it is read from; what is equal stays the same object. What it gives tells the
   * loop of it.
   */
  private reread(session: Session, run: () => Run, paths: readonly string[]): Promise<() => void> | undefined {
    if (!paths.some((path) => isConfigOf(session, path))) return undefined;
    if (paths.some((path) => isGraphOf(session, path))) this.graph = rememberedGraph(this.options.graph);
    const { projects } = this.options;
    this.rereading = (this.rereading ?? Promise.resolve(() => undefined)).then(async () => {
      const read = await readFor({ ...this.options, graph: this.graph, ...contextOf(session) }, 'dev');
      if (read.ok) await this.lookForRequired(session, read.value.workspace);
      return () => {
        const { loop, source, ...following } = run();
        if (loop.world().goal.kind !== 'live') return;
        if (!read.ok) {
          this.tellProblems([read.problem]);
          return;
        }
        this.workspace = this.workspace ? keepEqual(this.workspace, read.value.workspace) : read.value.workspace;
        const chosen = chosenWithRequired(this.workspace, 'live', projects, this.used);
        const required = chosen.ok ? chosen.required : [];
        this.tellProblems(this.mistakesIn(this.workspace, required));
        this.tellNotices(noticesOf(this.workspace, projects));
        const next = withNamedImages(this.workspace, namedImages(required));
        loop.post({ kind: 'workspaceSeen', workspace: next });
        if (!chosen.ok) return;
        const goal = this.holding?.kept(chosen.goal, next) ?? chosen.goal;
        loop.post({ kind: 'goalSet', goal });
        following.follow(goal);
        this.logs?.follow(following.kube, next, goal);
        void source.setScope(scopeFor(next, goal, read.value.configFiles));
      };
    });
    return this.rereading;
  }
}

/** The images of services. */
function artifactsOf(run: Run, services: readonly string[]): readonly string[] {
  const { workspace } = run.loop.world();
  return [
    ...new Set(
      services.flatMap((service) => workspace?.releases.get(service)?.artifacts ?? (workspace?.artifacts.has(service) ? [service] : [])),
    ),
  ];
}
