import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kube } from '../clients';
import { succeeded, type Problem, type Result } from '../model';
import { listen } from './listen';
import { PodPool, type ReadyPod } from './podPool';
import { relay } from './relay';

export interface ForwardRequest {
  readonly kube: Pick<Kube, 'get' | 'watch' | 'portForward'>;
  readonly namespace: string;
  /** `service/worker`, `deployment/worker` or `pod/x`. */
  readonly resource: string;
  readonly port: number | string;
  /** 0: any that is free. */
  readonly localPort: number;
  /** Whether `localPort` is a demand; else the next free one is taken. */
  readonly strict: boolean;
  readonly onState?: (state: ForwardState) => void;
  /** How long a connection waits for a ready pod. Milliseconds. */
  readonly patienceMs?: number;
}

export type ForwardState =
  /** There are pods to forward to; which ones. */
  | { readonly kind: 'ready'; readonly pods: readonly string[] }
  /** There are none now. */
  | { readonly kind: 'waiting' }
  /** A connection was given up. */
  | { readonly kind: 'refused'; readonly problem: Problem };

export interface Forward {
  readonly localPort: number;
  readonly url: string;
  /** The wished port was taken, and this is another. */
  readonly moved: boolean;
  close(): void;
}

/**
 * Listens on a local port for as long as it is open, whatever becomes of the pods: each connection goes to a pod that is ready then,
 * and waits a few seconds for one while a rollout replaces them. Failures: `portTaken`, `portRefused`. That the resource does not
 * exist is no failure; it may still be deployed.
 */
export async function openForward(request: ForwardRequest): Promise<Result<Forward>> {
  const { localPort, strict, onState, patienceMs = 10_000 } = request;
  let said: string | undefined;
  const pool = new PodPool(request, (ready) => {
    const pods = ready.map(({ name }) => name);
    const key = pods.join();
    if (key === said) return;
    said = key;
    onState?.(pods.length > 0 ? { kind: 'ready', pods } : { kind: 'waiting' });
  });
  const sockets = new Set<Socket>();
  const listening = await listen({
    port: localPort,
    strict,
    onConnection: (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      void connect(request, pool, socket, patienceMs).then((problem) => {
        if (problem) onState?.({ kind: 'refused', problem });
      });
    },
  });
  if (!listening.ok) return listening;
  // So that the first connection finds its pod at once.
  void pool.resolve();
  const { port } = listening.value;
  return succeeded({
    localPort: port,
    url: `http://localhost:${port}`,
    moved: localPort !== 0 && port !== localPort,
    close() {
      listening.value.close();
      pool.stop();
      for (const socket of sockets) socket.destroy();
    },
  });
}

/** Carries one local connection to a pod; tries the next pod, or the same one again, while none takes it. */
async function connect(
  { kube, namespace }: ForwardRequest,
  pool: PodPool,
  socket: Socket,
  patienceMs: number,
): Promise<Problem | undefined> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(patienceMs)]);
  const tried = new Set<string>();
  let sent: readonly Buffer[] = [];
  let problem: Problem | undefined;
  while (!signal.aborted) {
    const pod: ReadyPod | Problem = await pool.next(tried, tried.size === 0 ? signal : AbortSignal.abort());
    if ('code' in pod) {
      problem ??= pod;
      if (tried.size === 0) break;
      // Every ready pod was tried; one of them may be just about to listen.
      tried.clear();
      await pause(100, undefined, { signal }).catch(() => undefined);
      continue;
    }
    tried.add(pod.name);
    const opened = await kube.portForward({ namespace, pod: pod.name, port: pod.port, signal: gone.signal });
    if (!opened.ok) {
      problem = opened.problem;
      continue;
    }
    const failure = await relay(socket, opened.value, sent);
    if (!failure) return undefined;
    sent = failure.sent;
    problem = {
      code: 'portRefused',
      message: `nothing listens on port ${pod.port} of pod ${pod.name}`,
      hint: 'check the port, and add a readiness probe so that a pod counts once it listens',
      retry: 'afterDelay',
      exitCode: 1,
      detail: failure.refused.message,
    };
  }
  socket.destroy();
  return gone.signal.aborted ? undefined : problem;
}
