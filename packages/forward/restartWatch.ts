import { readSocketTable, socketTableCommand, type SocketTable } from './socketTable';

/** Runs a command in a container of a pod; its output, or undefined when it could not be run. */
export type RunInPod = (command: readonly string[]) => Promise<string | undefined>;

/** A connection that a forward holds to a pod. */
export interface HeldConnection {
  readonly openedAt: number;
  /** How long it took the cluster to open it. Milliseconds. */
  readonly openingMs: number;
  /** When it opened, or when bytes last came from the pod. */
  readonly heardAt: number;
  /** Ends it as the pod would. */
  end(): void;
}

export interface RestartWatchRequest {
  readonly port: number;
  readonly run: RunInPod;
  /** Those that are open now. */
  readonly connections: () => readonly HeldConnection[];
  /** On the clock of the connections. Milliseconds. */
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
}

/** Most processes that start again do so this soon after a file of theirs changed, or a signal came. */
const watchedMs = 2_000;
/** What a process has sent before it ended is on its way for no longer than this. */
const onItsWayMs = 25;
/** A connection is made, or refused, within so many times what its opening took, which is longer on a busy machine. */
const connectingFactor = 4;
const pauseMs = { early: 25, late: 50 };
const earlyMs = 500;

/**
 * Ends the connections to a process that has gone. Container runtimes tell of an end only a second after it, because the other
 * direction might still be in use; until then whoever kept a connection, or waits for an answer, waits for nothing. So after
 * something was changed in a container the kernel's table of sockets is asked: that another socket listens proves that the process
 * has started again, and that no connection is held, that it has left none of them to be finished.
 */
export class RestartWatch {
  private until = 0;
  private running: Promise<void> | undefined;
  private stopped = false;
  /** What listened when it was last looked at. */
  private listeners: SocketTable['listeners'] | undefined;
  /** Those that the pod was seen to hold. */
  private readonly made = new WeakSet<HeldConnection>();

  constructor(private readonly request: RestartWatchRequest) {}

  /** Something was changed: the process may start again from now on. Resolves when that is over. */
  extend(): Promise<void> {
    this.until = this.request.now() + watchedMs;
    this.running ??= this.watch().finally(() => (this.running = undefined));
    return this.running;
  }

  stop(): void {
    this.stopped = true;
  }

  private async watch(): Promise<void> {
    const { now, pause, connections } = this.request;
    const startedAt = now();
    // A first look may come too late to see the old process.
    this.listeners ??= (await this.look())?.listeners;
    if (!this.listeners) return;
    let oldUntil = startedAt;
    // At once, while the old process still holds what was connected to it.
    for (; !this.stopped && now() < this.until; await pause(now() - startedAt < earlyMs ? pauseMs.early : pauseMs.late)) {
      const asked = connections();
      if (asked.length === 0) continue;
      const askedAt = now();
      const table = await this.look();
      if (!table) return;
      const state = stateOf(this.listeners, table.listeners);
      if (state !== 'again') oldUntil = askedAt;
      if (table.held >= asked.length) for (const connection of asked) this.made.add(connection);
      if (state === 'same') continue;
      const open = connections();
      const old = open.filter(({ openedAt }) => openedAt < oldUntil);
      if (table.held > open.length - old.length) continue;
      // One that is not made yet is refused by itself, and then made anew.
      if (old.every((connection) => now() - connection.heardAt >= (this.made.has(connection) ? onItsWayMs : waitedFor(connection))))
        for (const connection of old) connection.end();
      // It may start again once more.
      if (state === 'again' && old.length === 0) this.listeners = table.listeners;
    }
  }

  private async look(): Promise<SocketTable | undefined> {
    const output = await this.request.run(socketTableCommand(this.request.port));
    return output === undefined ? undefined : readSocketTable(output, this.request.port);
  }
}

function waitedFor({ openingMs }: HeldConnection): number {
  return Math.max(onItsWayMs, connectingFactor * openingMs);
}

function stateOf(first: SocketTable['listeners'], now: SocketTable['listeners']): 'same' | 'gone' | 'again' {
  if (now.size === 0) return first.size === 0 ? 'same' : 'gone';
  return [...first].some((inode) => now.has(inode)) ? 'same' : 'again';
}
