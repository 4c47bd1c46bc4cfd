import { succeeded, type ContainerState, type Event, type Goal, type Problem, type Result, type World } from '../model';
import { isInStep, progressOf, viewOf } from '../plan';
import { attach, type Attachment } from './attachment';
import type { CommandOptions, CommandResult, SyncDocument, SyncSession } from './command';
import { importsMatter, isConfigOf, isGraphOf } from './configChanges';
import type { Turn } from './converge';
import { givingUp } from './givingUp';
import { nothingDeployed } from './nothingDeployed';
import { rememberedGraph } from './rememberedGraph';
import { containersDiffer } from './containersDiffer';
import { sessionEnd, type Readiness } from './readiness';
import { openRun, type Run, type RunOptions } from './run';
import { scopeFor } from './scope';
import { namespaceOf } from './session';
import { introductionOf, namespacesOf } from './syncIntroduction';
import { announceSession } from './syncSessions';
import { readSyncSettings, type GivenSync } from './syncSettings';
import { untilAborted } from './untilAborted';
import { withProblems, worstExit } from './worstExit';

export interface SyncOptions extends CommandOptions {
  /** Ends when all is in step, or when it gets no further. */
  readonly once?: boolean;
  /** Compares what containers really hold; alone it copies nothing. */
  readonly verify?: boolean;
  /** Waits for something that runs. */
  readonly wait?: boolean;
  readonly given?: GivenSync;
  /** Where relative paths that were given begin. */
  readonly cwd: string;
}

/** How long the cluster's first answer is waited for. */
const patienceMs = 20_000;

/**
 * Keeps containers that run already in step with the disk: those of the projects' releases, or those that a selector chooses with a
 * folder. Builds, applies and deletes nothing; what would need that is told.
 */
export async function syncCommand(options: SyncOptions): Promise<CommandResult<SyncDocument>> {
  const settings = readSyncSettings({ given: options.given ?? {}, namespace: options.namespace, env: options.env, cwd: options.cwd });
  if (!settings.ok) return refused(settings.problems);
  const { namespace, debounceMs } = settings.value;
  const ends = options.once === true || options.verify === true;
  const report = ends ? givingUp(options.report) : options.report;
  const told = { ...options, report, graph: rememberedGraph(options.graph), ...(namespace !== undefined && { namespace }) };
  const attachment = await attach(told, settings.value);
  if (!attachment.ok) return refused(attachment.problems);
  return new Syncing(told, attachment.value, debounceMs).run();
}

/** What goes on beside a sync of `dev --attach`. */
export interface Beside extends Partial<Pick<Readiness, 'exitWhenReady' | 'timeoutMs' | 'missing'>> {
  /** What runs has been found, and is being followed. */
  readonly begin: (run: Run, goal: Goal) => void;
  readonly onTurn: (turn: Turn) => void;
  readonly onWritten: NonNullable<RunOptions['onWritten']>;
}

/** A sync of what was found to attach to, with something beside it. */
export function syncAttached(options: SyncOptions, attachment: Attachment, beside: Beside): Promise<CommandResult<SyncDocument>> {
  return new Syncing(options, attachment, 0, beside).run();
}

function refused(problems: readonly Problem[]): CommandResult<SyncDocument> {
  return { exitCode: worstExit(problems), problems, document: { containers: [], files: 0, removed: 0 } };
}

class Syncing {
  private files = 0;
  private removed = 0;
  private syncs = false;
  private announced: { close(): Promise<void> } | undefined;

  constructor(
    private readonly options: SyncOptions,
    private readonly attachment: Attachment,
    private readonly debounceMs: number,
    private readonly beside?: Beside,
  ) {}

  async run(): Promise<CommandResult<SyncDocument>> {
    const { options, attachment, beside } = this;
    const { session, goal, folder } = attachment;
    const watch = options.once !== true && options.verify !== true;
    const run: Run = await openRun({
      session,
      goal,
      watch,
      listenOnly: true,
      followLater: true,
      report: (event) => this.report(event),
      onTurn: (turn) => {
        this.refit(() => run, turn);
        beside?.onTurn(turn);
      },
      ...(beside && { onWritten: beside.onWritten }),
      ...(attachment.seenAs && { seenAs: attachment.seenAs }),
      ...(watch && !folder && { beforeFiles: (paths) => this.reread(() => run, paths) }),
      ...(attachment.watchContainers && { watchContainers: attachment.watchContainers }),
      quietMs: this.debounceMs,
    });
    try {
      return await this.attach(run, watch);
    } finally {
      await run.close();
      // Only now is nothing copied any more.
      await this.announced?.close();
    }
  }

  private async attach(run: Run, watch: boolean): Promise<CommandResult<SyncDocument>> {
    const { options, attachment } = this;
    await run.loop.until(({ after }) => after.scanned);
    await run.source.settle();
    this.knowCurrent(run);
    run.follow(attachment.goal, attachment.session.read.workspace);
    const found = await this.untilFound(run);
    if (!found.ok) return refused([found.problem]);
    if (options.signal.aborted) return { exitCode: 0, problems: [], document: this.document(run.loop.world(), new Map()) };
    for (const event of introductionOf(attachment, found.value, run.loop.world())) options.report(event);
    if (options.verify === true && options.once !== true) return this.verified(run, []);

    run.loop.post({ kind: 'goalSet', goal: found.value });
    run.loop.post({ kind: 'workspaceSeen', workspace: attachment.workspace() });
    this.syncs = true;
    if (watch) return this.watched(run);
    const isOver = ({ after, plan }: Turn): boolean => after.workspace !== undefined && progressOf(after, plan).state !== 'working';
    const ended = await Promise.race([run.loop.until(isOver), untilAborted(options.signal)]);
    if (!ended) return refused([{ code: 'interrupted', message: 'interrupted before all was in step', retry: 'never', exitCode: 1 }]);
    const progress = progressOf(ended.after, ended.plan);
    const problems = progress.state === 'stuck' ? progress.problems : [];
    if (options.verify === true) return this.verified(run, problems);
    return { ...withProblems(problems), document: this.document(run.loop.world(), new Map()) };
  }

  /** Goes on until it is interrupted, or ended by `sync --stop`. */
  private async watched(run: Run): Promise<CommandResult<SyncDocument>> {
    const { options, attachment } = this;
    const stopped = new AbortController();
    this.announced = await announceSession({
      env: options.env,
      name: nameOf(attachment, run.loop.world().goal),
      say: () => this.said(run),
      onStop: () => stopped.abort(),
    });
    const { beside } = this;
    beside?.begin(run, run.loop.world().goal);
    const end = await sessionEnd(run.loop, {
      exitWhenReady: beside?.exitWhenReady === true,
      timeoutMs: beside?.timeoutMs,
      ...(beside?.missing && { missing: beside.missing }),
      signal: AbortSignal.any([options.signal, stopped.signal]),
    });
    const why = stopped.signal.aborted
      ? 'by slipway sync --stop'
      : { asked: 'interrupted', ready: 'ready', notReady: 'not ready' }[end.kind];
    options.report({ kind: 'stopped', reason: `${why}; ${filesText(this.files)} copied, ${String(this.removed)} removed`, kept: false });
    return { ...withProblems(end.kind === 'notReady' ? end.problems : []), document: this.document(run.loop.world(), new Map()) };
  }

  /** What it says of itself to whoever asks. */
  private said(run: Run): Omit<SyncSession, 'name' | 'pid' | 'since'> {
    const { folder, session } = this.attachment;
    const world = run.loop.world();
    const { containers, files, removed } = this.document(world, new Map());
    return {
      context: session.target?.context ?? '',
      namespace: namespacesOf(this.attachment, world.goal).join(', '),
      folder: session.options.root,
      ...(folder && { remotePath: folder.remotePath }),
      containers: containers.map(({ pod, container, inSync }) => ({ pod, container, inSync })),
      files,
      removed,
      problems: [...world.failures.values()].map(({ problem }) => problem.message),
    };
  }

  /** Where an image's record is not on this machine, it is known all the same if it was made from the files as they are. */
  private knowCurrent(run: Run): void {
    const world = run.loop.world();
    for (const workspace of this.attachment.readings()) {
      for (const artifact of workspace.artifacts.values()) run.know(viewOf({ ...world, workspace }, artifact).now);
    }
  }

  /** Waits until the cluster has shown what there is; gives the goal for what was found, or what is missing. */
  private async untilFound(run: Run): Promise<Result<Goal>> {
    const { options, attachment } = this;
    const { goal } = attachment;
    const stateOf = (world: World, name: string) => world.releases.get(name)?.live.state ?? 'unknown';
    const timeout = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
    const answered = run.loop.until(({ after }) => [...goal.releases].every((name) => stateOf(after, name) !== 'unknown'));
    await Promise.race([answered, timeout, untilAborted(options.signal)]);
    const named = attachment.folder !== undefined || options.projects.length > 0;
    const isEnough = (world: World): boolean => {
      const found = [...goal.releases].filter((name) => stateOf(world, name) === 'found');
      return named ? found.length === goal.releases.size : found.length > 0;
    };
    if (!isEnough(run.loop.world())) {
      const missing = [...goal.releases].filter((name) => stateOf(run.loop.world(), name) !== 'found');
      const problem = this.notFound(missing);
      if (options.wait !== true) return { ok: false, problem };
      this.options.report({ kind: 'notice', message: `waiting: ${problem.message}` });
      await Promise.race([run.loop.until(({ after }) => isEnough(after)), untilAborted(options.signal)]);
    }
    const world = run.loop.world();
    const unknown = [...world.releases.values()].find(
      ({ live }) =>
        live.state === 'found' && live.value.rollout.state === 'failed' && live.value.rollout.problem.code === 'containerUnknown',
    )?.live;
    if (unknown?.state === 'found' && unknown.value.rollout.state === 'failed')
      return { ok: false, problem: unknown.value.rollout.problem };
    const releases = new Set([...goal.releases].filter((name) => named || stateOf(world, name) === 'found'));
    const { workspace } = attachment.session.read;
    const used = new Set([...releases].flatMap((name) => workspace.releases.get(name)?.artifacts ?? []));
    return succeeded({ ...goal, releases, artifacts: new Set([...goal.artifacts].filter((name) => used.has(name))) });
  }

  private notFound(missing: readonly string[]): Problem {
    const { folder, session } = this.attachment;
    if (!folder) {
      const { workspace } = session.read;
      const problem = nothingDeployed(
        missing.flatMap((name) => {
          const release = workspace.releases.get(name);
          return release ? [{ release, namespace: namespaceOf(session, release) }] : [];
        }),
      );
      if (problem.hint === undefined || this.beside) return problem;
      return { ...problem, hint: `${problem.hint}; --wait waits for it` };
    }
    return {
      code: 'podNotFound',
      message: `no pod in namespace ${folder.namespace} has the labels ${folder.selector}`,
      hint: `see \`kubectl get pods --namespace ${folder.namespace} --show-labels\`; --wait waits for one`,
      retry: 'afterDelay',
      exitCode: 1,
    };
  }

  private report(event: Event): void {
    if (event.kind === 'synced') {
      this.files += event.files - event.removed;
      this.removed += event.removed;
    }
    this.options.report(event);
  }

  /** What runs decides which reading of the workspace fits it. */
  private refit(run: () => Run, { before, after }: Turn): void {
    if (!this.syncs || before.containers === after.containers) return;
    const workspace = this.attachment.workspace();
    if (workspace !== after.workspace) run().loop.post({ kind: 'workspaceSeen', workspace });
  }

  private reread(run: () => Run, paths: readonly string[]): Promise<() => void> | undefined {
    const { session } = this.attachment;
    if (paths.some((path) => isConfigOf(session, path) || isGraphOf(session, path))) return this.readAnew(run);
    void this.followImports(run, paths);
    return undefined;
  }

  private async followImports(run: () => Run, paths: readonly string[]): Promise<void> {
    const { session, workspace } = this.attachment;
    if (await importsMatter(session, workspace(), paths)) (await this.readAnew(run))();
  }

  private readAnew(run: () => Run): Promise<() => void> {
    const { session, reread } = this.attachment;
    return reread().then(() => () => {
      const { loop, source } = run();
      if (!this.syncs) return;
      const workspace = this.attachment.workspace();
      loop.post({ kind: 'workspaceSeen', workspace });
      void source.setScope(scopeFor(workspace, loop.world().goal, session.read));
    });
  }

  /** Looks into every container, whatever its ledger says. */
  private async verified(run: Run, problems: readonly Problem[]): Promise<CommandResult<SyncDocument>> {
    const world = run.loop.world();
    const workspace = this.attachment.workspace();
    const found = new Map<string, SyncDocument['containers'][number]['differences']>();
    const all: Problem[] = [...problems];
    for (const container of world.containers.values()) {
      const { seen } = container;
      const artifact = workspace.artifacts.get(seen.artifact);
      if (!artifact || !seen.running) continue;
      const view = viewOf({ ...world, workspace }, artifact);
      if (!seen.snapshot || seen.snapshot.layoutHash !== view.now.layoutHash) {
        all.push(cannotCompare(seen.artifact, seen.pod));
        continue;
      }
      const held = container.files ? undefined : await run.look(seen);
      const known: ContainerState = held ? { ...container, files: held.files } : container;
      const differences = await run.compare(known, view);
      if (!differences.ok) all.push(differences.problem);
      else found.set(seen.id, differences.value);
    }
    if (found.size === 0 && all.length === 0) all.push(nothingRuns([...this.attachment.goal.releases]));
    const differing = [...found.values()].filter((differences) => differences !== undefined && differences.length > 0);
    const count = differing.reduce((sum, differences) => sum + (differences?.length ?? 0), 0);
    if (count > 0) {
      const { folder, goal } = this.attachment;
      const how = { ofFolder: folder !== undefined, once: this.options.once === true, namespaces: namespacesOf(this.attachment, goal) };
      all.push(containersDiffer({ files: count, containers: differing.length }, how));
    }
    return { ...withProblems(all), document: this.document(world, found) };
  }

  private document(world: World, verified: ReadonlyMap<string, SyncDocument['containers'][number]['differences']>): SyncDocument {
    const workspace = this.attachment.workspace();
    const containers = [...world.containers.values()].map((container): SyncDocument['containers'][number] => {
      const { id, artifact: name, pod, container: own } = container.seen;
      const artifact = workspace.artifacts.get(name);
      const view = artifact && viewOf({ ...world, workspace }, artifact, [container]);
      const differences = verified.get(id);
      const inSync = container.files === undefined ? undefined : view && isInStep(view, container);
      return { artifact: name, pod, container: own, inSync, ...(differences && { differences }) };
    });
    return { containers, files: this.files, removed: this.removed };
  }
}

/** By what it is stopped: short, and known to who started it. */
function nameOf({ folder }: Attachment, { releases }: Goal): string {
  return folder ? folder.selector : [...releases].join(',');
}

function filesText(files: number): string {
  return `${String(files)} ${files === 1 ? 'file' : 'files'}`;
}

function nothingRuns(releases: readonly string[]): Problem {
  return {
    code: 'nothingRuns',
    message: `no container of ${releases.join(', ')} runs, so there is nothing to compare`,
    hint: 'see what keeps it: slipway status, kubectl get pods',
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function cannotCompare(artifact: string, pod: string): Problem {
  return {
    code: 'needsNewImage',
    message: `${artifact}: pod ${pod} runs an image that is made in another way, or that this machine knows nothing of, so it cannot be compared`,
    hint: 'deploy it from here',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}
