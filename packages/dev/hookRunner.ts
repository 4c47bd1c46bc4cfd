import { join } from 'node:path';
import { commandLine, eachLine, processes, type KubeObject } from '../clients';
import { imagesByName, imageVariables, selectorOf, templateLabels, type KnownImages } from '../deploy';
import { succeeded, type Artifact, type Hook, type Problem, type Release, type Report, type Result, type Workspace } from '../model';
import { ownImageOf } from './ownImage';
import { imageNamesOf, namespaceOf, type Session } from './session';

/** What hooks are told of what they stand around. */
export interface HookedStage {
  readonly workspace: Workspace | undefined;
  readonly images: KnownImages['images'];
  /** What they can read. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

interface HookRun {
  readonly namespace: string;
  /** Selects the pods of the project, where a hook names none. */
  readonly podSelector: string;
  /** What each is told, wherever it runs. */
  readonly told: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  readonly signal: AbortSignal;
}

/** Of what a failing hook printed, the last lines. */
const toldLines = 20;

/** Runs commands of the workspace around what Slipway does, one after another. What they print is shown as it comes. */
export class HookRunner {
  constructor(
    private readonly session: Session,
    private readonly report: Report,
  ) {}

  /** Undefined when all have ended well. Failures: `hookFailed`, `hookTooSlow`, `hookWithoutContainer`, and those of starting a program or an exec. */
  async run({ name, project }: Release | Artifact, hooks: readonly Hook[], stage: HookedStage): Promise<Problem | undefined> {
    const wanted = hooks.filter(({ where }) => where.kind === 'container' || where.os?.includes(system()) !== false);
    if (wanted.length === 0 || !stage.workspace) return undefined;
    const run = this.runOf({ name, project }, stage.workspace, stage);
    for (const hook of wanted) {
      this.report({ kind: 'started', what: 'runHooks', subject: name, because: nameOf(hook) });
      const printed: string[] = [];
      const onLine = (line: string): void => {
        printed.push(line);
        if (printed.length > toldLines) printed.shift();
        this.report({ kind: 'output', subject: name, line, asked: true });
      };
      const timer = AbortSignal.timeout(hook.timeoutMs);
      const limited = { ...run, signal: AbortSignal.any([run.signal, timer]) };
      const ended = hook.where.kind === 'host' ? await this.onHost(hook, limited, onLine) : await this.inContainers(hook, limited, onLine);
      const problem = timer.aborted && !run.signal.aborted ? tooSlow(hook) : problemOf(hook, ended, printed);
      if (problem) return { ...problem, project, ...(hook.location && { location: hook.location }) };
    }
    return undefined;
  }

  private runOf({ name, project }: { readonly name: string; readonly project: string }, workspace: Workspace, stage: HookedStage): HookRun {
    const { target, workspaceId } = this.session;
    const release = [...workspace.releases.values()].find((each) => each.project === project);
    const own = ownImageOf(workspace, { name, project });
    const namespace = release ? namespaceOf(this.session, release) : (target?.namespace ?? '');
    const told = {
      SLIPWAY_PROJECT: project,
      SLIPWAY_NAMESPACE: namespace,
      SLIPWAY_CONTEXT: target?.context,
      ...imageVariables(imagesByName({ images: stage.images, imageNames: imageNamesOf(workspace) }), own),
      ...stage.env,
    };
    const podSelector = selectorOf(templateLabels({ workspaceId, release: release?.name ?? name }));
    return { namespace, podSelector, told, ...(stage.input !== undefined && { input: stage.input }), signal: stage.signal };
  }

  private async onHost(hook: Hook, { told, input, signal }: HookRun, onLine: (line: string) => void): Promise<Result<number>> {
    const { root, env, kubeconfig } = this.session.options;
    if (hook.where.kind !== 'host') return succeeded(0);
    const { folder, env: own } = hook.where;
    const ended = await processes.run({
      ...commandLine(hook.run),
      cwd: join(root, folder),
      env: { ...env, ...(kubeconfig !== undefined && { KUBECONFIG: kubeconfig }), ...told, SLIPWAY_HOOK: momentOf(hook), ...own },
      ...(input !== undefined && { input }),
      signal,
      onLine,
    });
    return ended.ok ? succeeded(ended.value.exitCode) : ended;
  }

  /** In all pods, one after another; the first that ends badly is the answer. */
  private async inContainers(
    hook: Hook,
    { namespace, podSelector, told, signal }: HookRun,
    onLine: (line: string) => void,
  ): Promise<Result<number>> {
    const { kube } = this.session;
    if (hook.where.kind !== 'container' || !kube) return succeeded(0);
    const { container, selector = podSelector } = hook.where;
    const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: selector });
    if (!pods.ok) return pods;
    const running = pods.value.filter((pod) => runs(pod, container));
    // What is to be done in the pods of before the first deploy has nothing to do.
    if (running.length === 0 && hook.when === 'after') return { ok: false, problem: withoutContainer(hook, container, selector) };
    const command = inContainer(hook, told);
    for (const { metadata } of running) {
      const exec = await kube.exec({ namespace, pod: metadata.name ?? '', container, command, signal });
      if (!exec.ok) return exec;
      const { stdin, stdout, stderr, ended } = exec.value;
      stdin.end();
      eachLine(stdout, onLine);
      eachLine(stderr, onLine);
      const { exitCode, problem } = await ended;
      if (problem) return { ok: false, problem };
      if (exitCode !== 0) return succeeded(exitCode ?? 1);
    }
    return succeeded(0);
  }
}

/** An exec takes no variables: the shell sets them. Nothing else in a container is sure to be there that could, so a list is run as it is. */
function inContainer(hook: Hook, told: HookRun['told']): readonly string[] {
  if (typeof hook.run !== 'string') return hook.run;
  const own = hook.where.kind === 'container' ? hook.where.env : undefined;
  const variables = Object.entries<string | undefined>({ ...told, SLIPWAY_HOOK: momentOf(hook), ...own }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}='${value.replaceAll("'", `'\\''`)}'`],
  );
  return ['sh', '-c', `export ${variables.join(' ')}; ${hook.run}`];
}

function system(): 'linux' | 'darwin' | 'windows' {
  return process.platform === 'win32' ? 'windows' : process.platform === 'darwin' ? 'darwin' : 'linux';
}

function runs(pod: KubeObject, container: string): boolean {
  const status = pod['status'] as
    { readonly containerStatuses?: readonly { readonly name: string; readonly state?: { readonly running?: object } }[] } | undefined;
  const isIt = status?.containerStatuses?.some(({ name, state }) => name === container && state?.running !== undefined) === true;
  return isIt && pod.metadata.deletionTimestamp === undefined;
}

/** `before deploy` */
function momentOf({ when, stage }: Hook): string {
  return `${when} ${stage}`;
}

/** `before deploy, ./migrate.sh` */
function nameOf(hook: Hook): string {
  const { run } = hook;
  const text = typeof run === 'string' ? (run.trim().split('\n')[0] ?? '') : run.join(' ');
  return `${momentOf(hook)}, ${text.length > 80 ? `${text.slice(0, 79)}…` : text}`;
}

function problemOf(hook: Hook, ended: Result<number>, printed: readonly string[]): Problem | undefined {
  if (!ended.ok) return ended.problem;
  if (ended.value === 0) return undefined;
  return {
    code: 'hookFailed',
    message: `the hook ${nameOf(hook)}, ended with exit code ${ended.value}`,
    // What was not copied is tried again, as after any other failure of a sync.
    hint: `mend what it says; it is run again with the next change${momentOf(hook) === 'before sync' ? ', and after a while' : ''}`,
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: printed.join('\n'),
  };
}

function tooSlow(hook: Hook): Problem {
  // Nobody but the container can end what runs in it.
  const whatOfIt = hook.where.kind === 'host' ? 'was ended' : 'may go on in its container';
  return {
    code: 'hookTooSlow',
    message: `the hook ${nameOf(hook)}, did not end within ${hook.timeoutMs / 1000} s, and ${whatOfIt}`,
    hint: 'give it more with its timeout in slipway.yaml; what goes on for ever must be started in the background',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

function withoutContainer(hook: Hook, container: string, selector: string): Problem {
  return {
    code: 'hookWithoutContainer',
    message: `the hook ${nameOf(hook)}, has no running container ${container} in the pods with ${selector}`,
    hint: 'correct container or pods of the hook in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}
