import type { Goal, Problem, ReleaseName, Report, Workspace } from '../model';
import { holderOf, openLeases, renewalMs, type Leases } from './leases';
import { failedEvent } from './narrator';
import { placesOf, type Place, type Session } from './session';

export interface HoldingRequest {
  readonly session: Session;
  readonly takeover: boolean;
  readonly report: Report;
  /** Another has taken a release over: what it has deployed is not to be touched any more. */
  readonly onLost: () => void;
}

/** The releases that a `dev` has to itself, for as long as it runs. */
export class Holding {
  private leases: Leases | undefined;
  private readonly lost = new Map<ReleaseName, Problem>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly request: HoldingRequest) {}

  /** Takes the releases of a goal; the problems when others hold some of them, and then none is taken. */
  async take(goal: Goal): Promise<readonly Problem[]> {
    const { session, takeover, report, onLost } = this.request;
    const { kube } = session;
    if (!kube) return [];
    const opened = await openLeases({
      kube,
      holder: holderOf(session.options.root),
      places: placesOf(session, session.read.workspace, goal.releases),
      takeover,
      now: Date.now,
      onLost: (place, holder) => {
        const problem = releaseLost(place, holder);
        this.lost.set(place.release, problem);
        report(failedEvent(problem, place.release));
        onLost();
      },
      onNotice: ({ message }) => report({ kind: 'notice', message: `nobody else is kept from these services: ${message}` }),
    });
    if (!('held' in opened)) return opened;
    this.leases = opened;
    this.timer = setInterval(() => void opened.renew(), renewalMs).unref();
    return [];
  }

  /** What became of the releases that were lost. */
  problems(): readonly Problem[] {
    return [...this.lost.values()];
  }

  /** A goal without what others have taken over, and with leases for what is new in it. */
  kept(goal: Goal, workspace: Workspace): Goal {
    this.leases?.want(placesOf(this.request.session, workspace, goal.releases));
    if (this.lost.size === 0) return goal;
    const releases = new Set([...goal.releases].filter((name) => !this.lost.has(name)));
    const used = (names: Iterable<ReleaseName>): Set<string> =>
      new Set([...names].flatMap((name) => workspace.releases.get(name)?.artifacts ?? []));
    const [stay, went] = [used(releases), used(this.lost.keys())];
    return { ...goal, releases, artifacts: new Set([...goal.artifacts].filter((name) => stay.has(name) || !went.has(name))) };
  }

  async giveBack(): Promise<void> {
    clearInterval(this.timer);
    await this.leases?.release();
  }
}

function releaseLost({ release, namespace }: Place, holder: string): Problem {
  return {
    code: 'releaseLost',
    message: `the dev of ${holder} has taken over ${release} in namespace ${namespace}: nothing more is done to it here`,
    hint: 'take it back with --takeover, or use another --namespace',
    retry: 'never',
    exitCode: 1,
  };
}
