import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startOutlivingProcess } from '../clients';
import { openForward, type Forward } from '../forward';
import { keepEqual, type GraphSource } from '../graph';
import { followLogs, replicasOf } from '../logs';
import type { Goal, PortForward, Problem, Report, Workspace } from '../model';
import { progressOf } from '../plan';
import { combine, jsonLines } from '../report';
import { cleanUpOrder } from './cleanUpOrder';
import type { CommandResult, DevOptions } from './command';
import { isConfigOf, isGraphOf } from './configChanges';
import type { Turn } from './converge';
import { failedEvent } from './narrator';
import { readWorkspace } from './readWorkspace';
import { openRun, type Run } from './run';
import { scopeFor } from './scope';
import { rememberedGraph } from './rememberedGraph';
import { goalFor, problemsOf } from './selection';
import { namespaceOf, preflight, type Session } from './session';
import { untilAborted } from './untilAborted';
import { withProblems, worstExit } from './worstExit';

/** How long the clean-up may take before what is left is told and left. */
const cleanUpMs = 40_000;
/** A local port that another program has is asked for again after this time. */
const portRetryMs = 2_000;

/**
 * Builds, deploys, and then keeps what runs in step with the disk until it is interrupted; then deletes what it deployed, unless
 * it is to be kept. A failure is told, and the loop goes on.
 */
export async function devCommand(options: DevOptions): Promise<CommandResult<{ readonly stopped: string }>> {
  const events = options.events === undefined ? undefined : openEvents(options.events);
  const report = events ? combine([options.report, events.report]) : options.report;
  try {
    return await new Development({ ...options, report }).run();
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
  private readonly forwards = new Map<string, Forward | 'opening'>();
  private workspace: Workspace | undefined;
  /** By pod. */
  private replicas: ReadonlyMap<string, number> = new Map();
  private rereading: Promise<() => void> | undefined;
  private toldProblems: readonly Problem[] = [];
  private graph: GraphSource;

  constructor(private readonly options: DevOptions) {
    this.graph = rememberedGraph(options.graph);
  }

  async run(): Promise<CommandResult<{ readonly stopped: string }>> {
    const { options } = this;
    const { session, problems } = await preflight(
      { ...options, graph: this.graph },
      new Set(['workspace', 'cluster', 'engine', 'delivery']),
      'dev',
    );
    if (options.signal.aborted) return { exitCode: 0, problems: [], document: { stopped: 'interrupted' } };
    if (!session) return { exitCode: worstExit(problems), problems, document: { stopped: 'preflight' } };
    const chosen = goalFor(session.read.workspace, 'live', options.projects);
    if (!chosen.ok) return { exitCode: worstExit(chosen.problems), problems: chosen.problems, document: { stopped: 'preflight' } };
    const { goal } = chosen;
    this.workspace = session.read.workspace;
    const startedAt = new Date();
    const where = [...goal.releases]
      .map((name) => session.read.workspace.releases.get(name))
      .flatMap((release) => (release ? [namespaceOf(session, release)] : []));
    options.report({
      kind: 'notice',
      message: `context ${session.kube?.target.context ?? ''}, namespace ${[...new Set(where)].join(', ')}, images: ${session.delivery?.because ?? ''}`,
    });
    this.tellProblems(problemsOf(session.read.workspace, options.projects));

    const logs =
      options.logs && session.kube
        ? followLogs({
            kube: session.kube,
            since: startedAt,
            onLine: (line) => options.report({ kind: 'log', ...line, replicas: this.replicas.get(line.pod) ?? 1 }),
          })
        : undefined;
    const run: Run = await openRun({
      session,
      goal,
      watch: true,
      report: (event) => {
        // Of an interrupt before anything was deployed there is nothing to tell.
        if (event.kind !== 'removed' || event.objects.length > 0) options.report(event);
      },
      onTurn: (turn) => {
        if (turn.after.containers !== turn.before.containers) {
          const containers = [...turn.after.containers.values()].map(({ seen }) => seen);
          this.replicas = replicasOf(containers);
          logs?.update(containers);
        }
        if (options.forward) this.openForwards(session, turn);
      },
      onWritten: ({ pod }, runInPod) => {
        for (const forward of this.forwards.values()) if (forward !== 'opening') forward.mayRestart(pod, runInPod);
      },
      beforeFiles: (paths) => this.reread(session, () => run, paths),
    });
    await untilAborted(options.signal);
    const { keep } = session.read.settings;
    const { goal: last, workspace = session.read.workspace } = run.loop.world();
    const temporary = new Set([...last.releases].filter((name) => !options.keep && !keep.has(name)));
    // Before a word is said: whoever reads of it may kill.
    const order = temporary.size === 0 ? undefined : cleanUpOrder(session, workspace, temporary);
    const standBy = order && startOutlivingProcess(join(__dirname, 'unfinishedCleanUp.js'), order);
    options.report({ kind: 'stopping', removes: temporary.size > 0 });
    const left = temporary.size === 0 ? [] : await this.cleanUp(run, { ...last, releases: temporary });
    standBy?.dismiss();
    logs?.stop();
    for (const forward of this.forwards.values()) if (forward !== 'opening') forward.close();
    await run.close();
    options.report({ kind: 'stopped', reason: 'interrupted', kept: temporary.size < last.releases.size });
    return { ...withProblems(left), document: { stopped: 'interrupted' } };
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
    const subjectOf = ({ project }: Problem): string => project ?? 'workspace';
    const isAmong = (list: readonly Problem[], { message, project }: Problem): boolean =>
      list.some((other) => other.message === message && other.project === project);
    const before = this.toldProblems;
    this.toldProblems = problems;
    for (const problem of problems) if (!isAmong(before, problem)) this.options.report(failedEvent(problem, subjectOf(problem)));
    const wrong = new Set(problems.map(subjectOf));
    const mended = new Set(before.map(subjectOf).filter((subject) => !wrong.has(subject)));
    for (const subject of mended) this.options.report({ kind: 'mended', subject });
  }

  /**
   * Reads the workspace anew when a file changed that it is read from; what is equal stays the same object. What it gives tells the
   * loop of it.
   */
  private reread(session: Session, run: () => Run, paths: readonly string[]): Promise<() => void> | undefined {
    if (!paths.some((path) => isConfigOf(session, path))) return undefined;
    if (paths.some((path) => isGraphOf(session, path))) this.graph = rememberedGraph(this.options.graph);
    const { root, env, defaultRepo, projects } = this.options;
    this.rereading = (this.rereading ?? Promise.resolve(() => undefined)).then(async () => {
      const read = await readWorkspace({ root, graph: this.graph, mode: 'dev', env, ...(defaultRepo !== undefined && { defaultRepo }) });
      return () => {
        const { loop, source, ...following } = run();
        if (loop.world().goal.kind !== 'live') return;
        if (!read.ok) {
          this.tellProblems([read.problem]);
          return;
        }
        const next = this.workspace ? keepEqual(this.workspace, read.value.workspace) : read.value.workspace;
        this.tellProblems(problemsOf(next, projects));
        this.workspace = next;
        loop.post({ kind: 'workspaceSeen', workspace: next });
        const chosen = goalFor(next, 'live', projects);
        if (!chosen.ok) return;
        loop.post({ kind: 'goalSet', goal: chosen.goal });
        following.follow(chosen.goal);
        void source.setScope(scopeFor(next, chosen.goal, read.value.configFiles));
      };
    });
    return this.rereading;
  }

  /** A release's ports are forwarded from the moment it is live; they stay while its pods come and go. */
  private openForwards(session: Session, turn: Turn): void {
    const { kube } = session;
    const { workspace, goal, releases } = turn.after;
    if (!kube || !workspace) return;
    if (workspace !== turn.before.workspace) this.closeForwards(workspace.forwards);
    for (const wanted of workspace.forwards) {
      const key = keyOf(wanted);
      if (this.forwards.has(key) || !goal.releases.has(wanted.release)) continue;
      if (releases.get(wanted.release)?.live.state !== 'found') continue;
      const release = workspace.releases.get(wanted.release);
      if (!release) continue;
      this.forwards.set(key, 'opening');
      void this.openForward(wanted, { kube, namespace: wanted.namespace ?? namespaceOf(session, release) });
    }
  }

  /** Closes what is no longer wanted. */
  private closeForwards(wanted: readonly PortForward[]): void {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, forward] of this.forwards) {
      if (keys.has(key)) continue;
      this.forwards.delete(key);
      if (forward !== 'opening') forward.close();
    }
  }

  /** Opens a forward, as often as it takes: another program may end, and leave its port. */
  private async openForward(
    wanted: PortForward,
    { kube, namespace }: { readonly kube: NonNullable<Session['kube']>; readonly namespace: string },
  ): Promise<void> {
    const { resource, port, localPort, strict, release } = wanted;
    const { report, signal } = this.options;
    const key = keyOf(wanted);
    const isWanted = (): boolean => !signal.aborted && this.forwards.get(key) === 'opening';
    let told = false;
    while (isWanted()) {
      const opened = await openForward({ kube, namespace, resource, port, localPort, strict });
      if (!opened.ok) {
        if (!told) report(failedEvent(opened.problem, release));
        told = true;
        await pause(portRetryMs, undefined, { signal, ref: false }).catch(() => undefined);
        continue;
      }
      const { moved, localPort: taken, url } = opened.value;
      if (!isWanted()) {
        opened.value.close();
        return;
      }
      this.forwards.set(key, opened.value);
      if (told) report({ kind: 'mended', subject: release });
      if (moved) report({ kind: 'notice', subject: release, message: `port ${localPort} is taken, so ${resource} is at ${taken}` });
      report({ kind: 'forwarded', release, resource, port, localPort: taken, url });
    }
  }
}

function keyOf({ release, resource, port, localPort, strict }: PortForward): string {
  return JSON.stringify([release, resource, port, localPort, strict]);
}
