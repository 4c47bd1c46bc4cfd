import { accessSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { type Problem, type Result, failed, messageOf, succeeded } from '../model';
import type { Cluster, Context, KubeConfig, User } from './bundled/kubernetes';
import { doors } from './doors';
import type { KubeTarget } from './kube';

/** One context of the kubeconfig with what it takes to connect. Read once: what the files say later changes nothing here. */
export interface PinnedContext {
  readonly target: KubeTarget;
  readonly cluster: Cluster;
  readonly context: Context;
  readonly user: User;
}

export interface KubeconfigOptions {
  /** A file that is read instead of those of the environment. */
  readonly kubeconfig?: string;
  /** Instead of the current one. */
  readonly context?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const serviceAccountToken = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Finds the context as kubectl does: the given file, else those of KUBECONFIG, else ~/.kube/config, else the pod's own service account. */
export function loadKubeconfig(options: KubeconfigOptions): Result<PinnedContext> {
  const env = options.env ?? process.env;
  const wanted = options.kubeconfig === undefined ? defaultFiles(env) : [options.kubeconfig];
  const files = wanted.filter(exists);
  if (files.length === 0) {
    if (options.kubeconfig === undefined && env['KUBERNETES_SERVICE_HOST'] !== undefined && exists(serviceAccountToken))
      return inCluster(options.context);
    return failed({
      code: 'kubeconfigNotFound',
      message: `there is no kubeconfig: ${wanted.join(', ')} does not exist`,
      hint: 'make a cluster (kind, minikube, k3d) or point KUBECONFIG to the file of one',
      retry: 'afterDelay',
      exitCode: 3,
    });
  }
  const merged = mergeFiles(files);
  return merged.ok ? pin(merged.value, files, options.context) : merged;
}

/** The name of the context that is used; undefined when there is none. */
export function contextName(options: KubeconfigOptions): string | undefined {
  if (options.context !== undefined) return options.context;
  const pinned = loadKubeconfig(options);
  return pinned.ok ? pinned.value.target.context : undefined;
}

function defaultFiles(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '');
  return listed.length > 0 ? listed : [join(env['HOME'] ?? homedir(), '.kube', 'config')];
}

function exists(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}

/** Of several entries with one name the first counts, and so does the first current context: kubectl's rule. */
function mergeFiles(files: readonly string[]): Result<KubeConfig> {
  const { KubeConfig } = doors.kubernetes();
  const clusters = new Map<string, Cluster>();
  const contexts = new Map<string, Context>();
  const users = new Map<string, User>();
  let currentContext = '';
  for (const file of files) {
    const one = new KubeConfig();
    try {
      // What kubectl config leaves behind when everything was removed.
      if (readFileSync(file, 'utf8').trim() === '') continue;
      one.loadFromFile(file, { onInvalidEntry: 'filter' });
    } catch (error) {
      return failed(unreadable(file, error));
    }
    for (const cluster of one.clusters) if (!clusters.has(cluster.name)) clusters.set(cluster.name, cluster);
    for (const context of one.contexts) if (!contexts.has(context.name)) contexts.set(context.name, context);
    for (const user of one.users) if (!users.has(user.name)) users.set(user.name, withPluginBeside(user, dirname(file)));
    currentContext ||= one.currentContext;
  }
  const merged = new KubeConfig();
  merged.loadFromOptions({
    clusters: [...clusters.values()],
    contexts: [...contexts.values()],
    users: [...users.values()],
    currentContext,
  });
  return succeeded(merged);
}

function unreadable(file: string, error: unknown): Problem {
  return {
    code: 'kubeconfigInvalid',
    message: `the kubeconfig ${file} cannot be read: ${messageOf(error).split('\n')[0] ?? ''}`,
    hint: 'correct it, or name another with --kubeconfig',
    retry: 'whenInputChanges',
    exitCode: 2,
    location: { file },
  };
}

/** As kubectl does it: a credential plugin with a relative path is beside the kubeconfig, and learns in its environment what is asked of it. */
function withPluginBeside(user: User, folder: string): User {
  const exec = user.exec as { command?: string; apiVersion?: string; env?: readonly { name: string; value: string }[] } | undefined;
  if (exec?.command === undefined) return user;
  const relative = /[\\/]/.test(exec.command) && !isAbsolute(exec.command);
  const asked = { kind: 'ExecCredential', apiVersion: exec.apiVersion, spec: { interactive: false } };
  return {
    ...user,
    exec: {
      ...exec,
      command: relative ? join(folder, exec.command) : exec.command,
      env: [{ name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(asked) }, ...(exec.env ?? [])],
    },
  };
}

function pin(config: KubeConfig, files: readonly string[], wanted: string | undefined): Result<PinnedContext> {
  const name = wanted ?? config.currentContext;
  const context = config.contexts.find((each) => each.name === name);
  if (!context) {
    const names = config.contexts.map((each) => each.name);
    return failed({
      code: 'contextNotFound',
      message: name === '' ? `no current context is set in ${files.join(', ')}` : `there is no context ${name} in ${files.join(', ')}`,
      hint: names.length === 0 ? 'the kubeconfig has no contexts' : `contexts that exist: ${names.join(', ')}`,
      retry: 'whenInputChanges',
      exitCode: 2,
    });
  }
  const cluster = config.clusters.find((each) => each.name === context.cluster);
  if (!cluster?.server) {
    return failed({
      code: 'kubeconfigInvalid',
      message: `the context ${name} names the cluster ${context.cluster}, which ${files.join(', ')} does not describe`,
      hint: 'correct it, or choose another with --context',
      retry: 'whenInputChanges',
      exitCode: 2,
    });
  }
  const user = config.users.find((each) => each.name === context.user) ?? { name: context.user };
  return succeeded({
    target: {
      context: name,
      cluster: cluster.name,
      server: cluster.server.replace(/\/$/, ''),
      namespace: context.namespace ?? 'default',
      files,
    },
    cluster,
    context,
    user,
  });
}

function inCluster(wanted: string | undefined): Result<PinnedContext> {
  const config = new (doors.kubernetes().KubeConfig)();
  config.loadFromCluster();
  const namespaceFile = join(dirname(serviceAccountToken), 'namespace');
  const pinned = pin(config, [], wanted);
  if (!pinned.ok || !exists(namespaceFile)) return pinned;
  const namespace = readFileSync(namespaceFile, 'utf8').trim();
  return succeeded({ ...pinned.value, target: { ...pinned.value.target, namespace } });
}
