import { followLogs, replicasOf, type LogFollower } from '../logs';
import type { Goal, LogChoice, Report, Workspace } from '../model';
import type { WatchedKube } from '../status';
import { watchDeployedContainers } from './deployedPods';
import type { ForeignWorkload } from './foreignWorkloads';
import { namespaceOf, type Session } from './session';

/** The logs of a session: of every container in the pods of its releases, those of other images and those that only begin a pod too. */
export class SessionLogs {
  private choice: LogChoice;
  private follower: LogFollower | undefined;
  private watch: { stop(): void } | undefined;
  private watched = '';
  private kube: WatchedKube | undefined;
  private following: { readonly workspace: Workspace; readonly goal: Goal } | undefined;
  /** What was said before this is none of the session's; whoever asks for logs later gets them from then on. */
  private since = new Date();

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    choice: LogChoice,
    /** What somebody else applied of the releases. */
    private readonly foreign: readonly ForeignWorkload[] = [],
  ) {
    this.choice = choice;
  }

  /** Follows the pods of a goal's releases. Cheap when they are those that are followed already. */
  follow(kube: WatchedKube | undefined, workspace: Workspace, goal: Goal): void {
    this.kube = kube;
    this.following = { workspace, goal };
    // Nobody reads them, so nothing is asked of the cluster.
    if (!kube || this.choice.length === 0) return;
    const releases = [...goal.releases]
      .flatMap((name) => workspace.releases.get(name) ?? [])
      .map((release) => ({ release, namespace: namespaceOf(this.session, release) }));
    const wanted = JSON.stringify(releases.map(({ release, namespace }) => [release.name, namespace]));
    if (wanted === this.watched) return;
    this.watched = wanted;
    this.watch?.stop();
    let replicas: ReadonlyMap<string, number> = new Map();
    const follower = (this.follower ??= followLogs({
      kube,
      since: this.since,
      onLine: (line) => {
        if (this.choice === 'all' || this.choice.includes(line.service))
          this.report({ kind: 'log', ...line, replicas: replicas.get(line.pod) ?? 1 });
      },
    }));
    const request = { kube, workspaceId: this.session.workspaceId, releases, foreign: this.foreign };
    this.watch = watchDeployedContainers(request, (containers) => {
      replicas = replicasOf(containers);
      follower.update(containers);
    });
  }

  choose(choice: LogChoice): void {
    if (JSON.stringify(choice) === JSON.stringify(this.choice)) return;
    this.choice = choice;
    this.since = new Date();
    if (this.kube && this.following) this.follow(this.kube, this.following.workspace, this.following.goal);
  }

  stop(): void {
    this.watch?.stop();
    this.follower?.stop();
  }
}
