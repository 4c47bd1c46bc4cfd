import type { Goal, Problem, ReleaseName, Report, Workspace } from '../model';
import { giveBackLeases, giveBackPulses, holderOf, openLeases, renewalMs, type Leases } from './leases';
import { failedEvent } from './narrator';
import { placesOf, type Place, type Session } from './session';

export interface HoldingRequest {
  readonly session: Session;
  readonly report: Report;
  /** Another has taken a release over: what it has deployed is not to be touched any more. */
  readonly onLost: () => void;
}

/** The releases that a loop has to itself, for as long as it wants them. */
export class Holding {
  private leases: Leases | undefined;
  private readonly taken = new Map<ReleaseName, Problem>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly request: HoldingRequest) {}

  /** Takes releases; the problems when others hold some of them, and then none is taken. */
  async take(releases: Iterable<ReleaseName>, workspace: Workspace, takeover: boolean): Promise<readonly Problem[]> {
    const { session, report, onLost } = this.request;
    const { kube } = session;
    if (!kube) return [];
    const places = placesOf(session, workspace, releases);
    if (this.leases) return this.leases.add(places, takeover);
    const opened = await openLeases({
      kube,
      holder: holderOf(session.options.root),
      places,
      takeover,
      now: Date.now,
      onLost: (place, holder) => {
        const problem = releaseLost(place, holder);
        this.taken.set(place.release, problem);
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

  /** Releases that another has taken over. */
  get lost(): ReadonlySet<ReleaseName> {
    return new Set(this.taken.keys());
  }

  /** What became of those that were lost. */
  problems(releases: ReadonlySet<ReleaseName>): readonly Problem[] {
    return [...this.taken].filter(([release]) => releases.has(release)).map(([, problem]) => problem);
  }

  /** Takes what is new, as soon as that is possible. */
  want({ releases }: Goal, workspace: Workspace): void {
    this.leases?.want(placesOf(this.request.session, workspace, releases));
  }

  async giveBack(releases: ReadonlySet<ReleaseName>): Promise<void> {
    await this.leases?.release(releases);
  }

  /** What is still held is not renewed any more, and stays as it is for a while: the next loop of this workspace takes it up. */
  close(): void {
    clearInterval(this.timer);
  }
}

/** What a `dev` of this workspace could not give back at its end; one that goes on takes it again. */
export async function giveBackHeld(session: Session, projects: readonly string[]): Promise<void> {
  const { kube, read, options } = session;
  const releases = [...read.workspace.releases.values()].filter(({ project }) => projects.length === 0 || projects.includes(project));
  const places = placesOf(
    session,
    read.workspace,
    releases.map(({ name }) => name),
  );
  if (!kube) return;
  const request = { kube, holder: holderOf(options.root) };
  await giveBackLeases(request, places);
  await giveBackPulses(
    request,
    places.map(({ namespace }) => namespace),
  );
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
