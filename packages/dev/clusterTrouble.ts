import type { Problem, Report } from '../model';
import type { WatchedKube } from '../status';

/**
 * What people hear of a cluster that is out of reach: once that it is, and once that it answers again, however many watches ask for it.
 * Other troubles of watches are told once for each subject while they last.
 */
export class ClusterTrouble {
  private isAway = false;
  private readonly told = new Set<string>();

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
            if (isOutOfReach(problem)) this.lose(problem);
            events.onTrouble(problem);
          },
          onConnected: () => {
            this.find();
            events.onConnected?.();
          },
        }),
    };
  }

  /** What keeps a watch of a release. */
  tell(subject: string, problem: Problem): void {
    const { message, hint } = problem;
    const key = `${subject} ${message}`;
    if (isOutOfReach(problem) || this.told.has(key)) return;
    this.told.add(key);
    this.report({ kind: 'notice', subject, message, ...(hint !== undefined && { hint }) });
  }

  private lose({ message, hint }: Problem): void {
    if (this.isAway) return;
    this.isAway = true;
    this.report({ kind: 'notice', message: `${message}; it is asked again until it does`, ...(hint !== undefined && { hint }) });
  }

  private find(): void {
    if (!this.isAway) return;
    this.isAway = false;
    this.told.clear();
    this.report({ kind: 'notice', message: 'the cluster answers again' });
  }
}

function isOutOfReach({ code }: Problem): boolean {
  return code === 'clusterUnreachable';
}
