import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Duplex } from 'node:stream';
import type { Exec, Kube, ObjectRef } from '../../clients';
import { failed, succeeded, type Problem, type Result } from '../../model';
import type { BuildCluster } from '../builder';
import { builderContainer, dialCommand, isAbandoned, podLabels, podObject, stateOfPod, type PodState } from './podObject';

/** A buildkitd of our own in the cluster, started when it is first needed. */
export interface BuilderPod {
  /** A connection to it. Another pod is started for the one that is gone. */
  connect(signal: AbortSignal): Promise<Result<Duplex>>;
  close(): Promise<void>;
}

/** Pulling the image of buildkitd on a node that has never had it takes most of it. */
const patienceMs = 180_000;

const podKind = { apiVersion: 'v1', kind: 'Pod' } as const;

export function builderPod(cluster: BuildCluster): BuilderPod {
  const { kube } = cluster;
  const stop = new AbortController();
  let pod: Promise<Result<ObjectRef>> | undefined;

  const dial = async (signal: AbortSignal): Promise<Result<Duplex>> => {
    pod ??= startPod(cluster, stop.signal);
    const mine = pod;
    const started = await Promise.race([mine, aborted(signal)]);
    if (!started.ok) {
      if (pod === mine && started.problem.code !== 'aborted') pod = undefined;
      return started;
    }
    const { name, namespace = '' } = started.value;
    const opened = await kube.exec({ namespace, pod: name, container: builderContainer, command: dialCommand, signal });
    if (opened.ok) return succeeded(asConnection(opened.value));
    if (pod === mine && !signal.aborted) {
      pod = undefined;
      await kube.delete(started.value, { gracePeriodSeconds: 0 });
    }
    return opened;
  };

  return {
    async connect(signal) {
      const had = pod !== undefined;
      const first = await dial(signal);
      // Pods go away: evicted, or as old as they may become. Only one that was there before has had its chance.
      return first.ok || !had || signal.aborted ? first : dial(signal);
    },
    async close() {
      stop.abort();
      const started = await pod;
      if (started?.ok) await kube.delete(started.value, { gracePeriodSeconds: 1 });
    },
  };
}

/** Made and ready; whatever comes in between, there is none afterwards. */
async function startPod(cluster: BuildCluster, signal: AbortSignal): Promise<Result<ObjectRef>> {
  const { kube, settings, workspaceId, insecureRegistries, onNotice } = cluster;
  const namespace = settings.namespace ?? kube.target.namespace;
  await removeAbandoned(cluster, namespace);
  const ref: ObjectRef = { ...podKind, namespace, name: `slipway-buildkit-${randomBytes(4).toString('hex')}` };
  const session = { host: hostname(), pid: process.pid };
  const made = await kube.apply(podObject({ ...ref, namespace, workspaceId, session, settings, insecureRegistries }), { namespace });
  if (!made.ok) return failed(notMade(made.problem));
  onNotice(`buildkitd starts in the pod ${namespace}/${ref.name}`);
  const state = await untilReady(kube, { ...ref, namespace }, signal);
  if (state.kind === 'ready') return succeeded(ref);
  const problem = signal.aborted ? stopped : await notReady(kube, { ...ref, namespace }, state);
  await kube.delete(ref, { gracePeriodSeconds: 0 });
  return failed(problem);
}

/** Those of this workspace that nobody uses. What cannot be looked at is left to the one who comes next. */
async function removeAbandoned({ kube, workspaceId }: BuildCluster, namespace: string): Promise<void> {
  const there = await kube.list(podKind, { namespace, labelSelector: `${podLabels.workspace}=${workspaceId}` });
  if (!there.ok) return;
  const abandoned = there.value.filter((pod) => isAbandoned(pod, { host: hostname(), isAlive }));
  await Promise.all(
    abandoned.map(({ metadata: { name = '' } }) => kube.delete({ ...podKind, namespace, name }, { gracePeriodSeconds: 0 })),
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Killed, but its parent has not asked how it ended. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function untilReady(kube: Kube, { namespace, name }: ObjectRef & { readonly namespace: string }, signal: AbortSignal): Promise<PodState> {
  return new Promise((resolve) => {
    let last: PodState = { kind: 'starting', because: 'nothing is known of it' };
    const end = (state: PodState): void => {
      clearTimeout(timer);
      watch.stop();
      signal.removeEventListener('abort', giveUp);
      resolve(state);
    };
    const giveUp = (): void => end(last);
    const see = (pod: Parameters<typeof stateOfPod>[0]): void => {
      last = stateOfPod(pod);
      if (last.kind !== 'starting') end(last);
    };
    const timer = setTimeout(giveUp, patienceMs);
    const watch = kube.watch(
      podKind,
      { namespace, labelSelector: `${podLabels.pod}=${name}` },
      {
        onList: (pods) => pods.forEach(see),
        onChange: (kind, pod) => (kind === 'deleted' ? end({ kind: 'failed', because: 'somebody deleted it' }) : see(pod)),
        onTrouble: () => undefined,
      },
    );
    signal.addEventListener('abort', giveUp, { once: true });
  });
}

function asConnection(exec: Exec): Duplex {
  const { stdin, stdout, stderr, ended } = exec;
  stderr.resume();
  const connection = Duplex.from({ readable: stdout, writable: stdin });
  connection.on('error', () => undefined);
  connection.once('close', () => exec.close());
  void ended.then(() => connection.destroy());
  return connection;
}

function aborted(signal: AbortSignal): Promise<Result<ObjectRef>> {
  return new Promise((resolve) => {
    const end = (): void => resolve(failed(stopped));
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

const stopped: Problem = { code: 'aborted', message: 'the build was told to stop', retry: 'afterDelay', exitCode: 1 };

function notMade(problem: Problem): Problem {
  const isPrivilege = /privileged/i.test(problem.message);
  return {
    ...problem,
    message: `the pod of buildkitd cannot be made: ${problem.message}`,
    // Nobody grants a right while a build waits for it.
    ...(/^(clusterRefused|namespaceNotFound|objectInvalid)$/.test(problem.code) && { retry: 'whenInputChanges' as const }),
    ...(isPrivilege && { hint: 'its container has to be privileged: set build.buildkit.namespace to a namespace that allows it' }),
  };
}

async function notReady(
  kube: Kube,
  ref: ObjectRef & { readonly namespace: string },
  { because }: Exclude<PodState, { kind: 'ready' }>,
): Promise<Problem> {
  const log = await lastLines(kube, ref);
  return {
    code: 'buildkitNotReady',
    message: `the pod of buildkitd, ${ref.namespace}/${ref.name}, does not become ready: ${because}`,
    hint: 'see build.buildkit in slipway.yaml: its image, pullSecret, nodeSelector, tolerations and resources',
    retry: 'afterDelay',
    exitCode: 3,
    ...(log !== '' && { detail: log }),
  };
}

async function lastLines(kube: Kube, { namespace, name }: ObjectRef & { readonly namespace: string }): Promise<string> {
  const log = await kube.logs({ namespace, pod: name, container: builderContainer, tailLines: 10 });
  if (!log.ok) return '';
  const chunks: Buffer[] = [];
  for await (const chunk of log.value) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8').trim();
}
