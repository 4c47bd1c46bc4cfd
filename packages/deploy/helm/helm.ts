import { delimiter } from 'node:path';
import type { KubeTarget, Processes } from '../../clients';
import { failed, type Problem, type Result } from '../../model';

export interface HelmCommand {
  readonly processes: Processes;
  readonly root: string;
  readonly signal?: AbortSignal;
  readonly args: readonly string[];
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cluster: KubeTarget | undefined;
}

/** Runs helm against the pinned cluster. Failure: `helmMissing`, and those of a process. */
export async function helm({
  processes,
  root,
  signal,
  args,
  input,
  env,
  cluster,
}: HelmCommand): Promise<Awaited<ReturnType<Processes['run']>>> {
  const ran = await processes.run({
    command: 'helm',
    // With the server's address too: a context that somebody points elsewhere meanwhile does not lead there.
    args: [...args, ...(cluster ? ['--kube-context', cluster.context, '--kube-apiserver', cluster.server] : [])],
    cwd: root,
    env: { ...env, ...(cluster && { KUBECONFIG: cluster.files.join(delimiter) }) },
    ...(signal && { signal }),
    ...(input !== undefined && { input }),
  });
  return !ran.ok && ran.problem.code === 'commandNotFound' ? failed(helmMissing) : ran;
}

/** Removes a release of helm, with its hooks. That there is none is as good. */
export async function uninstall(
  command: Omit<HelmCommand, 'args' | 'input'>,
  { name, namespace }: { readonly name: string; readonly namespace: string },
): Promise<Result<void>> {
  const ran = await helm({ ...command, args: ['uninstall', name, '--namespace', namespace] });
  if (!ran.ok) return ran;
  const { exitCode, stderr } = ran.value;
  if (exitCode === 0 || /release: not found/.test(stderr)) return { ok: true, value: undefined };
  return failed({
    code: 'helmFailed',
    message: `helm release ${name} cannot be uninstalled: ${stderr.replace(/^Error: /, '').split('\n')[0] ?? ''}`,
    hint: `see what it says: helm uninstall ${name} --namespace ${namespace}`,
    retry: 'afterDelay',
    exitCode: 1,
    detail: stderr,
  });
}

const helmMissing: Problem = {
  code: 'helmMissing',
  message: 'charts are installed by helm, which is not on PATH',
  hint: 'install helm (https://helm.sh/docs/intro/install)',
  retry: 'whenInputChanges',
  exitCode: 2,
};
