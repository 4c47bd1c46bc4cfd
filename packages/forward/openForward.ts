import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Kube } from '../clients';
import { succeeded, type Problem, type Result } from '../model';
import { listen } from './listen';
import { PodPool, type ReadyPod } from './podPool';
import { relay } from './relay';
import { RestartWatch, type HeldConnection, type RunInPod } from './restartWatch';

/** Pauses before the ready pods are tried again: a process that starts again listens after some tens of milliseconds, or not soon. */
const retryMs = [40, ...Array<number>(15).fill(10), 40, 100];

/** After this time a resource that is not there is looked for again. */
const lookAgainMs = 2_000;

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
  /** Of this machine. Absent: only the machine itself reaches it. */
  readonly address?: string;
  /** Absent: it is not known to be a web server. */
  readonly scheme?: 'http' | 'https';
  readonly onState?: (state: ForwardState) => void;
  /** How long a connection waits for a ready pod. Milliseconds. */
  readonly patienceMs?: number;
}

export type ForwardState =
  /** There are pods to forward to; which ones. */
  | { readonly kind: 'ready'; readonly pods: readonly string[] }
  /** There are none now. */
  | { readonly kind: 'waiting' }
  /** A connection was given up, or would be: what the resource stands for has not been found for as long as a connection waits. */
  | { readonly kind: 'refused'; readonly problem: Problem };

export interface Forward {
  readonly localPort: number;
  /** Of what is no web server the address alone. */
  readonly url: string;
  /** The wished port was taken, and this is another. */
  readonly moved: boolean;
  /** The program that has the wished port, when it is known. */
  readonly holder?: string;
  /**
   * Something was changed in a container of this pod, after which its process may start again: connections to one that has gone end
   * as soon as that is known, and not a second later as runtimes tell it.
   */
  mayRestart(pod: string, run: RunInPod): void;
  close(): void;
}

/**
 * Listens on a local port for as long as it is open, whatever becomes of the pods: each connection goes to a pod that is ready then,
 * and waits a few seconds for one while a rollout replaces them. Failures: `portTaken`, `portRefused`. That the resource does not
 * exist is no failure; it may still be deployed.
 */
export async function openForward(request: ForwardRequest): Promise<Result<Forward>> {
  const { localPort, strict, address, scheme, onState, patienceMs = 10_000 } = request;
  let said: string | undefined;
  const pool = new PodPool(request, (ready) => {
    const pods = ready.map(({ name }) => name);
    const key = pods.join();
    if (key === said) return;
    said = key;
    onState?.(pods.length > 0 ? { kind: 'ready', pods } : { kind: 'waiting' });
  });
  const sockets = new Set<Socket>();
  const carried = new Carried();
  const listening = await listen({
    port: localPort,
    strict,
    ...(address !== undefined && { address }),
    onConnection: (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      void connect(request, { pool, carried, socket, patienceMs }).then((problem) => {
        if (problem) onState?.({ kind: 'refused', problem });
      });
    },
  });
  if (!listening.ok) return listening;
  const over = new AbortController();
  void lookAhead(pool, { patienceMs, signal: over.signal }, (problem) => onState?.({ kind: 'refused', problem }));
  const { port } = listening.value;
  return succeeded({
    localPort: port,
    url: `${scheme === undefined ? '' : `${scheme}://`}${hostFor(address)}:${port}`,
    moved: localPort !== 0 && port !== localPort,
    ...(listening.value.holder !== undefined && { holder: listening.value.holder }),
    mayRestart: (pod, run) => carried.mayRestart(pod, run),
    close() {
      over.abort();
      listening.value.close();
      carried.stop();
      pool.stop();
      for (const socket of sockets) socket.destroy();
    },
  });
}

/**
 * Finds what the resource stands for before anybody connects, so that the first connection finds its pod at once, and a mistake is told
 * without one. What is just being deployed gets as long as a connection would wait for it.
 */
async function lookAhead(
  pool: PodPool,
  { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
  tell: (problem: Problem) => void,
): Promise<void> {
  const startedAt = performance.now();
  for (let told = false; ;) {
    const problem = await pool.resolve();
    if (!problem || signal.aborted) return;
    if (!told && performance.now() - startedAt >= patienceMs) {
      told = true;
      tell(problem);
    }
    await pause(Math.min(patienceMs, lookAgainMs), undefined, { signal, ref: false }).catch(() => undefined);
  }
}

/** By which name a person calls an address to listen on. */
function hostFor(address: string | undefined): string {
  return address === undefined || address === '0.0.0.0' || address === '::'
    ? 'localhost'
    : address.includes(':')
      ? `[${address}]`
      : address;
}

/** Carries one local connection to a pod; tries the next pod, or the same one again, while none takes it. */
async function connect(
  { kube, namespace }: ForwardRequest,
  {
    pool,
    carried,
    socket,
    patienceMs,
  }: { readonly pool: PodPool; readonly carried: Carried; readonly socket: Socket; readonly patienceMs: number },
): Promise<Problem | undefined> {
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  socket.on('error', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(patienceMs)]);
  const tried = new Set<string>();
  let rounds = 0;
  let sent: readonly Buffer[] = [];
  let problem: Problem | undefined;
  while (!signal.aborted) {
    const pod: ReadyPod | Problem = await pool.next(tried, tried.size === 0 ? signal : AbortSignal.abort());
    if ('code' in pod) {
      problem ??= pod;
      if (tried.size === 0) break;
      // Every ready pod was tried; one of them may be just about to listen.
      tried.clear();
      await pause(retryMs[Math.min(rounds, retryMs.length - 1)], undefined, { signal }).catch(() => undefined);
      rounds += 1;
      continue;
    }
    tried.add(pod.name);
    const openedFrom = performance.now();
    const opened = await kube.portForward({ namespace, pod: pod.name, port: pod.port, signal: gone.signal });
    if (!opened.ok) {
      problem = opened.problem;
      continue;
    }
    const failure = await carried.during(pod, { remote: opened.value, openingMs: performance.now() - openedFrom }, () =>
      relay(socket, opened.value, sent),
    );
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

interface CarriedToPod {
  readonly port: number;
  readonly connections: Set<HeldConnection>;
  /** The newest way to run something there. */
  run?: RunInPod;
  watch?: RestartWatch;
}

/** The connections that are carried to each pod now. */
class Carried {
  private readonly byPod = new Map<string, CarriedToPod>();

  async during<T>(
    { name, port }: ReadyPod,
    { remote, openingMs }: { readonly remote: Duplex; readonly openingMs: number },
    carry: () => Promise<T>,
  ): Promise<T> {
    const pod = this.to(name, port);
    const openedAt = performance.now();
    const connection = { openedAt, openingMs, heardAt: openedAt, end: () => void remote.destroy() };
    remote.on('data', () => (connection.heardAt = performance.now()));
    pod.connections.add(connection);
    try {
      return await carry();
    } finally {
      pod.connections.delete(connection);
    }
  }

  mayRestart(name: string, run: RunInPod): void {
    const pod = this.byPod.get(name);
    // To a pod that nobody called there is nothing to end.
    if (!pod) return;
    pod.run = run;
    pod.watch ??= new RestartWatch({
      port: pod.port,
      run: (command) => pod.run?.(command) ?? Promise.resolve(undefined),
      connections: () => [...pod.connections],
      now: () => performance.now(),
      pause: (ms) => pause(ms, undefined, { ref: false }),
    });
    void pod.watch.extend();
  }

  private to(name: string, port: number): CarriedToPod {
    const known = this.byPod.get(name);
    if (known) return known;
    // Pods come and go while a forward stays.
    for (const [other, { connections }] of this.byPod) if (connections.size === 0) this.byPod.delete(other);
    const pod: CarriedToPod = { port, connections: new Set() };
    this.byPod.set(name, pod);
    return pod;
  }

  stop(): void {
    for (const { watch } of this.byPod.values()) watch?.stop();
  }
}
