import type { RunInPod } from '../forward';
import {
  emptyDir,
  entryAt,
  failed,
  hooksAt,
  leavesOf,
  stepKey,
  succeeded,
  type Artifact,
  type ContainerId,
  type ContainerPath,
  type ContainerState,
  type DirEntry,
  type Fact,
  type Hook,
  type Outcome,
  type Problem,
  type Report,
  type Result,
  type SeenContainer,
  type StepId,
  type World,
} from '../model';
import { filesAfter, imageTreeOf, isAskedFor, sourceOf, staleTargets, takenFrom, viewOf, visibleTree, type ArtifactView } from '../plan';
import { inspect, openAgent, sameContent, silenceMs, sourceReader, type Agent, type LedgerEntry, type OpenAgentOptions } from '../sync';
import { adopted, withDirectories } from './adopted';
import { linesOf, runCommands, type CommandsStopped, type EndedCommand, type RunCommands } from './containerCommands';
import type { HookRunner } from './hookRunner';
import { type HookedStage } from './hookRunner';
import { mirror } from './mirrored';
import { behindMounts, writableMounts } from './mountedOver';
import { namedInWorkspace } from './namedInWorkspace';
import { failedEvent } from './narrator';
import { NodeWatch } from './nodeWatch';
import { Pulling } from './pulling';
import type { Session } from './session';
import { failure, imageFailure, notThere, type StepOf } from './stepFailures';

/** A path whose content in a container is not what it should be. */
export interface Difference {
  readonly path: ContainerPath;
  /** `unknown`: it could not be read. */
  readonly is: 'missing' | 'different' | 'left over' | 'unknown';
}

/** Steps in running containers, by the streams to their agents; and what such a container holds. */
export class ContainerSteps {
  private readonly agents = new Map<ContainerId, Agent>();
  private readonly read: ReturnType<typeof sourceReader>;
  private readonly pulling: Pulling | undefined;
  private readonly nodeWatch: NodeWatch;

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly loop: { readonly post: (fact: Fact) => void; readonly now: () => number },
    private readonly hooks: HookRunner,
    /** Called when something was changed in a container after which its process may start again. */
    private readonly onWritten: (seen: SeenContainer, run: RunInPod) => void,
  ) {
    const { kube, options } = session;
    this.read = sourceReader(options.root);
    this.nodeWatch = new NodeWatch(report);
    this.pulling = kube && new Pulling({ root: options.root, kube, report, ...loop });
  }

  async connect(step: StepOf<'connect'>, id: StepId, signal: AbortSignal, world: World): Promise<Outcome> {
    const { kube } = this.session;
    const seen = world.containers.get(step.container)?.seen;
    const artifact = seen && world.workspace?.artifacts.get(seen.artifact);
    if (!kube || !seen || !artifact) return failure(notThere(step.container));
    void this.agents.get(step.container)?.close();
    this.agents.delete(step.container);
    const limitMs = silenceMs(world.failures.get(stepKey(step))?.attempts ?? 0);
    const opened = await openAgent({
      kube,
      ...this.placeIn(seen, artifact),
      signal,
      silenceMs: limitMs,
      onLost: (problem) => {
        this.agents.delete(step.container);
        this.loop.post({ kind: 'agentLost', container: step.container, connection: id, problem });
      },
    });
    if (!opened.ok) return imageFailure(opened.problem, artifact);
    if (signal.aborted) {
      void opened.value.close();
      return { kind: 'stopped' };
    }
    this.agents.set(step.container, opened.value);
    const held = await this.heldBy(opened.value, { seen, artifact, world, signal, silenceMs: limitMs });
    if (held.ok) return { kind: 'connected', agent: opened.value.name, ledger: held.value };
    this.agents.delete(step.container);
    void opened.value.close();
    return imageFailure(held.problem, artifact);
  }

  async sync(step: StepOf<'sync'>, signal: AbortSignal, world: World): Promise<Outcome> {
    const agent = this.agents.get(step.container);
    if (!agent) return failure(streamGone);
    const artifact = world.workspace?.artifacts.get(world.containers.get(step.container)?.seen.artifact ?? '');
    const hooked = { workspace: world.workspace, signal, images: {}, env: { SLIPWAY_FILES: String(step.changes.length) } };
    const refused = artifact && (await this.beforeSync(step, { artifact, agent, hooked }));
    if (refused) return notSent(step, refused);
    const answer = await agent.apply({ changes: step.changes, read: this.read }, signal);
    if (!answer.ok) return failure(answer.problem);
    const { holds, notWritten, bytes, timing } = answer.value;
    const container = world.containers.get(step.container);
    this.tellWritten(container?.seen);
    // Where it has its agent from, the process may well be one of Node's.
    if (container && artifact?.reload.kind === 'hot' && agent.name === 'node')
      this.nodeWatch.written(container, holds, this.running(container.seen));
    const after = artifact?.hooks && (await this.hooks.run(artifact, hooksFor(artifact, step, 'after'), hooked));
    // The files are there all the same.
    if (after) this.report(failedEvent(after, artifact.name));
    return { kind: 'synced', holds, notWritten, bytes, timing: { ...timing, detect: 0, total: timing.read + timing.send + timing.apply } };
  }

  /** Each command only when the one before ended with 0. */
  async reload(step: StepOf<'reload'>, world: World): Promise<Outcome> {
    const container = world.containers.get(step.container);
    const agent = this.agents.get(step.container);
    if (!agent || !container) return failure(streamGone);
    const { artifact, pod } = container.seen;
    const of = world.workspace?.artifacts.get(artifact);
    const startedAt = performance.now();
    const stopped = await this.runIn(step.container, agent, { commands: step.commands, when: 'after', subject: artifact });
    if (stopped?.kind === 'lost') return failure(stopped.problem);
    if (stopped?.kind === 'late') return imageFailure(stopped.problem, of);
    if (stopped) return imageFailure(this.commandFailed(stopped.command, container, world), of);
    this.tellWritten(container.seen);
    const ms = Math.round(performance.now() - startedAt);
    this.report({
      kind: 'reloaded',
      artifact,
      pod,
      container: container.seen.container,
      commands: step.commands.map(({ run }) => run),
      ms,
    });
    return { kind: 'reloaded' };
  }

  /** What a container holds now, by its agent's ledger; undefined when it cannot be asked, or nobody knows its image's files. */
  async look(seen: SeenContainer, artifact: Artifact): Promise<{ readonly agent: string; readonly files: DirEntry } | undefined> {
    const { kube } = this.session;
    if (!kube || !seen.snapshot) return undefined;
    const opened = await openAgent({ kube, ...this.placeIn(seen, artifact), onLost: () => undefined });
    if (!opened.ok) return undefined;
    const { name, hello } = opened.value;
    await opened.value.close();
    return { agent: name, files: filesAfter(imageTreeOf(seen.snapshot), hello.ledger) };
  }

  /**
   * Where a container really differs from what should be there, whatever its ledger says: of the wanted files, and of those that its
   * image or an earlier sync brought. Failures: `cannotInspect`, and those of an exec.
   */
  async compare(container: ContainerState, { artifact, now: { tree: wanted } }: ArtifactView): Promise<Result<readonly Difference[]>> {
    const { kube } = this.session;
    const { seen, files } = container;
    if (!kube) return failed(notThere(seen.pod));
    const paths = pathsOf([wanted, files ?? emptyDir, seen.snapshot ? imageTreeOf(seen.snapshot) : emptyDir]);
    const found = await inspect({ kube, container: containerOf(seen), paths });
    if (!found.ok) return found;
    return succeeded(
      paths.flatMap((path): readonly Difference[] => {
        const should = entryAt(wanted, path);
        const is = found.value.get(path);
        if (!found.value.has(path)) return [{ path, is: 'unknown' }];
        if (sameContent(should, is)) return [];
        if (should === undefined && (artifact.keepsRemoved === true || !isFollowed(artifact, path))) return [];
        return [{ path, is: is === undefined ? 'missing' : should === undefined ? 'left over' : 'different' }];
      }),
    );
  }

  /** Pulls what containers make from now on. */
  pull(world: World): void {
    this.pulling?.follow(world);
  }

  /** Closes streams to containers that are gone. */
  forget(world: World): void {
    for (const [id, agent] of this.agents) {
      if (world.containers.has(id)) continue;
      this.agents.delete(id);
      void agent.close();
    }
  }

  async close(): Promise<void> {
    this.pulling?.close();
    this.nodeWatch.close();
    await Promise.all([...this.agents.values()].map((agent) => agent.close()));
    this.agents.clear();
  }

  /** Where an agent works. What a folder brings is apart from what a `dev` may bring to the same container. */
  private placeIn(seen: SeenContainer, artifact: Artifact): Pick<OpenAgentOptions, 'container' | 'roots' | 'part'> {
    const roots = rootsOf(artifact);
    return { container: containerOf(seen), roots, ...(seen.isForeign && { part: roots.join(':') }) };
  }

  /** What a container that was just connected holds, as a ledger tells it; less what only it had, where that is to go. */
  private async heldBy(agent: Agent, { seen, artifact, world, ...limits }: Connecting): Promise<Result<readonly LedgerEntry[]>> {
    const { kube } = this.session;
    if (!kube) return failed(notThere(seen.pod));
    const { ledger, perhaps } = agent.hello;
    const view = viewOf(world, artifact);
    const known = [...ledger, ...perhaps.map((path) => [path, null] as const)];
    const told = seen.isForeign ? await this.adopt(seen, view, { known, ...limits }) : await this.toldOf(seen, agent.hello);
    if (!told.ok) return told;
    const { report } = this;
    const stale = staleTargets(world, artifact);
    const removed = await mirror({ kube, container: containerOf(seen), agent, artifact, wanted: view.now.tree, stale, report, ...limits });
    if (!removed.ok) return removed;
    const pulled = (await this.pulling?.first({ seen, artifact, ledger, world, signal: limits.signal })) ?? [];
    return succeeded([...told.value, ...removed.value.map((path) => [path, undefined] as const), ...pulled]);
  }

  /** What the ledger tells, and of what nobody knows anything: it is sent again. */
  private async toldOf(
    { pod, namespace, container, snapshot }: SeenContainer,
    { ledger, ledgerFile }: Agent['hello'],
  ): Promise<Result<readonly LedgerEntry[]>> {
    const { kube } = this.session;
    if (!kube || !snapshot) return succeeded(ledger);
    const image = imageTreeOf(snapshot);
    // Without a ledger nobody knows what an earlier stream has left.
    if (ledgerFile === undefined) return succeeded([...leavesOf(image)].map(([path]) => [`/${path}`, null] as const));
    const got = await kube.get({ apiVersion: 'v1', kind: 'Pod', namespace, name: pod });
    return got.ok ? succeeded([...behindMounts(image, writableMounts(got.value, container), ledger), ...ledger]) : got;
  }

  /**
   * What a container of somebody else's image holds of what is wanted there, and of what was brought to it before from what is followed
   * now, as a ledger tells it. What an earlier session brought from elsewhere is none of this one's affair, and stays.
   */
  private async adopt(
    seen: SeenContainer,
    { artifact, now: { tree: wanted } }: ArtifactView,
    { known, ...limits }: { readonly known: readonly LedgerEntry[]; readonly signal: AbortSignal; readonly silenceMs: number },
  ): Promise<Result<readonly LedgerEntry[]>> {
    const { kube } = this.session;
    if (!kube) return failed(notThere(seen.pod));
    const brought = new Map(known.filter(([path]) => isFollowed(artifact, path)));
    const before = artifact.keepsRemoved === true ? [] : brought.keys();
    const paths = withDirectories([...pathsOf([wanted]), ...before], rootsOf(artifact));
    const found = await inspect({ kube, container: containerOf(seen), paths, ...limits });
    if (!found.ok) return found;
    return succeeded(adopted(paths, { wanted, brought, found: found.value }));
  }

  /** Runs what is to be run before files are copied: here, then in the container. Says why they are not to be. */
  private async beforeSync(
    step: StepOf<'sync'>,
    { artifact, agent, hooked }: { readonly artifact: Artifact; readonly agent: Agent; readonly hooked: HookedStage },
  ): Promise<Problem | undefined> {
    const refused = artifact.hooks && (await this.hooks.run(artifact, hooksFor(artifact, step, 'before'), hooked));
    if (refused) return refused;
    const paths = step.changes.map(({ path }) => path);
    const commands = artifact.before?.filter((command) => isAskedFor(artifact, command, paths)) ?? [];
    const stopped = await this.runIn(step.container, agent, { commands, when: 'before', subject: artifact.name });
    if (stopped?.kind === 'lost') return stopped.problem;
    return stopped && { ...(stopped.kind === 'late' ? stopped.problem : beforeFailed(stopped.command)), project: artifact.project };
  }

  private async runIn(id: ContainerId, agent: Agent, asked: Omit<RunCommands, 'report'>): Promise<CommandsStopped | undefined> {
    const stopped = await runCommands(agent, { ...asked, report: this.report });
    if (stopped?.kind === 'late') {
      // A new stream does not wait behind it.
      this.agents.delete(id);
      void agent.close();
    }
    return stopped;
  }

  private tellWritten(seen: SeenContainer | undefined): void {
    if (!seen) return;
    this.onWritten(seen, this.running(seen));
  }

  /** Runs commands by the container's agent. */
  private running({ id }: SeenContainer): RunInPod {
    return async (command) => {
      const ended = await this.agents.get(id)?.run(command);
      // From 126 on the command was not run at all.
      return ended?.ok && ended.value.exitCode < 126 ? ended.value.output : undefined;
    };
  }

  private commandFailed({ run, exitCode, output }: EndedCommand, { seen, files }: ContainerState, world: World): Problem {
    const artifact = world.workspace?.artifacts.get(seen.artifact);
    const tree = visibleTree(world);
    const { text, location } = namedInWorkspace(output, {
      files: files ?? emptyDir,
      sourceOf: (path) => artifact && sourceOf(artifact, tree, path),
    });
    return {
      code: 'commandFailed',
      message: `${run.join(' ')} ended with exit code ${exitCode} in the container`,
      hint: 'the process that runs is kept until it succeeds',
      retry: 'whenInputChanges',
      exitCode: 1,
      detail: text,
      ...(location && { location }),
    };
  }
}

/** None of a batch was written, for a reason of the workspace. */
function notSent({ changes }: StepOf<'sync'>, problem: Problem): Outcome {
  const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
  return { kind: 'synced', holds: [], notWritten: changes.map(({ path }) => ({ path, problem })), bytes: 0, timing };
}

/** The hooks of sync that the files of a batch ask for. */
function hooksFor(artifact: Artifact, { changes }: StepOf<'sync'>, when: Hook['when']): readonly Hook[] {
  const paths = changes.map(({ path }) => path);
  return hooksAt(artifact.hooks, when, 'sync').filter((hook) => isAskedFor(artifact, hook, paths));
}

function beforeFailed({ run, exitCode, output }: EndedCommand): Problem {
  return {
    code: 'beforeFailed',
    message: `${run.join(' ')} ended with exit code ${exitCode} in the container, so what is to be copied after it waits`,
    hint: 'mend what it says; it is run again with the next change, and after a while',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: linesOf(output).slice(-20).join('\n'),
  };
}

interface Connecting {
  readonly seen: SeenContainer;
  readonly artifact: Artifact;
  readonly world: World;
  readonly signal: AbortSignal;
  readonly silenceMs: number;
}

/** The files and links of trees of containers, each path once. */
function pathsOf(trees: readonly DirEntry[]): readonly ContainerPath[] {
  const paths = new Set<ContainerPath>();
  for (const tree of trees) for (const [path] of leavesOf(tree)) if (path !== '') paths.add(`/${path}`);
  return [...paths];
}

function containerOf(seen: SeenContainer): OpenAgentOptions['container'] {
  return { namespace: seen.namespace, pod: seen.pod, container: seen.container, id: seen.id };
}

/** Whether a file that lands on a path of the container would be copied there. */
function isFollowed({ inputs }: Artifact, path: ContainerPath): boolean {
  return inputs.some((input) => {
    const source = input.onChange === 'sync' ? takenFrom(input, path) : undefined;
    return source !== undefined && (!input.accepts || input.accepts(source, 'file'));
  });
}

/** Where an artifact's files land in its container: the agent writes nowhere else. */
function rootsOf(artifact: Artifact): readonly string[] {
  const roots = artifact.inputs.flatMap(({ onChange, containerPath }) =>
    onChange === 'sync' && containerPath !== undefined ? [containerPath] : [],
  );
  return [...new Set(roots)];
}

const streamGone: Problem = { code: 'agentLost', message: 'the stream to the container has ended', retry: 'afterDelay', exitCode: 1 };
