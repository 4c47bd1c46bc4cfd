import type { Problem, Report } from '../model';
import type { WatchedKube } from '../status';

/** A server that has just started refuses for a moment what it grants later. */
const patientTries = 4;

/**
 * What people hear of a cluster that is out of reach: once that it is, and once that it answers again, however many watches ask for it.
 * Other troubles of watches are told once, when they last.
 */
export class ClusterTrouble {
  private isAway = false;
  /** How often each other trouble was met. */
  private readonly met = new Map<string, number>();

  constructor(private readonly report: Report) {}

  /** A Kube whose watches tell when they are cut off, and when they are back. */
  watchedOf(kube: WatchedKube): WatchedKube {
    return {
      list: (kind, options) => kube.list(kind, options),
      logs: (request) => kube.logs(request),
      watch: (kind, options, events) =>
        kube.watch(kind, options, {
          ...events,
          onTrouble: (problem) => {
            if (problem.code === 'clusterUnreachable') this.lose(problem);
            else this.meet(problem);
            events.onTrouble(problem);
          },
          onConnected: () => {
            this.find();
            events.onConnected?.();
          },
        }),
    };
  }

  private meet({ message, hint }: Problem): void {
    const times = (this.met.get(message) ?? 0) + 1;
    this.met.set(message, times);
    if (times === patientTries) this.report({ kind: 'notice', message, ...(hint !== undefined && { hint }) });
  }

  private lose({ message, hint }: Problem): void {
    if (this.isAway) return;
    this.isAway = true;
    this.report({ kind: 'notice', message: `${message}; it is asked again until it does`, ...(hint !== undefined && { hint }) });
  }

  private find(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.met.clear();
    this.report({ kind: 'notice', message: 'the cluster answers again' });
  }
}
