import { setTimeout as pause } from 'node:timers/promises';
import type { Kube } from '../clients';
import type { LoggedContainer } from './loggedContainer';
import { LogCursor, readStamp, type StampedLine } from './logCursor';
import { eachWholeLine, isKubelets } from './logText';

export interface ContainerLogRequest {
  readonly kube: Pick<Kube, 'logs'>;
  readonly container: LoggedContainer;
  /** Earlier lines are not wanted. */
  readonly since: string | undefined;
  /** Of the lines that are there at first, only so many of the last ones are wanted. */
  readonly tail: number | undefined;
  readonly onLine: (line: StampedLine) => void;
  /** The container is gone and its log read to the end. */
  readonly onEnd: () => void;
}

const firstDelayMs = 100;
const longestDelayMs = 2_000;

/** The log of one container of one pod, through all its restarts. */
export class ContainerLog {
  private readonly cursor = new LogCursor();
  private readonly stopped = new AbortController();
  private container: LoggedContainer;
  private gone = false;
  private wake: () => void = () => undefined;

  constructor(private readonly request: ContainerLogRequest) {
    this.container = request.container;
    void this.follow();
  }

  update(container: LoggedContainer): void {
    const changed = this.container.id !== container.id || this.container.running !== container.running;
    this.container = container;
    if (changed) this.wake();
  }

  /** The container is no longer listed: what it says while it ends is still read, but no stream is opened again. */
  leave(): void {
    this.gone = true;
    this.wake();
  }

  stop(): void {
    this.stopped.abort();
    this.wake();
  }

  private async follow(): Promise<void> {
    let delayMs = firstDelayMs;
    while (!this.isOver()) {
      const { id } = this.container;
      const read = await this.read({ follow: true });
      if (read > 0) delayMs = firstDelayMs;
      if (this.isOver()) break;
      // The stream ends some time before the cluster says that the container did; and it may also just have been cut.
      if (this.container.id === id) await this.changeOr(delayMs);
      delayMs = Math.min(delayMs * 2, longestDelayMs);
      if (this.container.id === id) {
        if (!this.container.running) await this.readEnd({ previous: false, id });
        continue;
      }
      await this.read({ previous: true });
      delayMs = firstDelayMs;
    }
    if (!this.stopped.signal.aborted) await this.read({});
    this.request.onEnd();
  }

  /** Reads what is left of a container that has ended, then waits for the next one in its place. */
  private async readEnd({ previous, id }: { readonly previous: boolean; readonly id: string }): Promise<void> {
    await this.read({ previous });
    while (!this.isOver() && this.container.id === id && !this.container.running) await this.changeOr(undefined);
    if (!this.isOver() && this.container.id !== id) await this.read({ previous: true });
  }

  private isOver(): boolean {
    return this.gone || this.stopped.signal.aborted;
  }

  private async changeOr(delayMs: number | undefined): Promise<void> {
    const changed = new Promise<void>((resolve) => (this.wake = resolve));
    if (delayMs === undefined) {
      await changed;
      return;
    }
    const elapsed = new AbortController();
    await Promise.race([changed, pause(delayMs, undefined, { signal: elapsed.signal }).catch(() => undefined)]);
    elapsed.abort();
  }

  /** Reads a log to its end, or until it is cut; answers how many new lines it had. */
  private async read({ follow = false, previous = false }: { readonly follow?: boolean; readonly previous?: boolean }): Promise<number> {
    const { kube, since, tail, onLine } = this.request;
    const { namespace, pod, container } = this.container;
    const { signal } = this.stopped;
    const sinceTime = this.cursor.sinceTime ?? since;
    const answer = await kube.logs({
      namespace,
      pod,
      container,
      follow,
      previous,
      timestamps: true,
      signal,
      ...(sinceTime === undefined ? {} : { sinceTime }),
      // What was read once goes on from there: counted again, lines in between would be lost.
      ...(tail === undefined || this.cursor.sinceTime !== undefined ? {} : { tailLines: tail }),
    });
    if (!answer.ok) return 0;
    this.cursor.reopened();
    let count = 0;
    const take = (text: string): void => {
      const stamped = readStamp(text);
      if (isKubelets(stamped) || !this.cursor.accepts(stamped)) return;
      count += 1;
      onLine(stamped);
    };
    const rest = await eachWholeLine(answer.value, take);
    // Half a line of a stream that was cut comes whole with the next one. Only what has ended ends in the middle of a line.
    if (rest !== '' && !follow) take(rest);
    return count;
  }
}
