import { namespacesOf } from '../deploy';
import type { Release, ReleaseName, Workspace } from '../model';
import { shareWatches, watchRelease, type WatchedKube } from '../status';
import { heldBefore, holderOf } from './leases';
import { namespaceOf, placesOf, type Session } from './session';

/** How long the cluster's answer is waited for; what is not known by then is taken for not running. */
const patienceMs = 10_000;

/**
 * Those of some releases that run and are well, deployed by whomever from this workspace. What a `dev` here has left when it was killed
 * is not among them: that is taken up again, and removed at the end.
 */
export async function runningReleases(
  session: Session,
  workspace: Workspace,
  releases: Iterable<ReleaseName>,
): Promise<ReadonlySet<ReleaseName>> {
  const { kube, options } = session;
  const places = placesOf(session, workspace, releases);
  if (!kube || places.length === 0) return new Set();
  const shared = shareWatches(kube);
  const wanted = places.flatMap(({ release }) => workspace.releases.get(release) ?? []);
  const [running, left] = await Promise.all([
    Promise.all(wanted.map((release) => isWell(session, release, shared))),
    heldBefore({ kube, holder: holderOf(options.root) }, places),
  ]);
  const names = wanted.filter((_, index) => running[index]).map(({ name }) => name);
  return new Set(names.filter((name) => !left.some(({ release }) => release === name)));
}

function isWell(session: Session, release: Release, kube: WatchedKube): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (is: boolean): void => {
      clearTimeout(timer);
      watch.stop();
      resolve(is);
    };
    const timer = setTimeout(() => end(false), patienceMs);
    const watch = watchRelease({
      kube,
      owner: { workspaceId: session.workspaceId, release: release.name },
      namespaces: namespacesOf(release, namespaceOf(session, release)),
      snapshotOf: () => undefined,
      onSeen: ({ live }) => {
        if (live.state !== 'unknown') end(live.state === 'found' && live.value.rollout.state === 'ready');
      },
    });
  });
}
