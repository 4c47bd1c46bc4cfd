import { processes, type Kube } from '../clients';
import { labelValue, nameOf, ownedReleases, removeRelease, type OwnedRelease } from '../deploy';
import type { Problem, Workspace } from '../model';
import type { PruneDocument } from './command';
import type { Session } from './session';

export interface RemovedOwned {
  readonly releases: PruneDocument['releases'];
  readonly failures: readonly Problem[];
}

/** Removes what releases have in the cluster that the workspace says nothing of any more. */
export async function removeOwned(
  { kube, workspaceId, options }: Pick<Session, 'workspaceId' | 'options'> & { readonly kube: Kube },
  owned: readonly OwnedRelease[],
): Promise<RemovedOwned> {
  const failures: Problem[] = [];
  const releases: PruneDocument['releases'][number][] = [];
  const context = { processes, root: options.root, cluster: kube.target, namespace: kube.target.namespace };
  for (const each of owned) {
    if (options.signal.aborted) {
      failures.push({ code: 'interrupted', message: 'interrupted before all was removed', retry: 'never', exitCode: 1 });
      break;
    }
    const request = { kube, owner: { workspaceId, release: each.release }, namespaces: each.namespaces };
    const removed = await removeRelease({ sources: [] }, request, context);
    if (removed.ok) options.report({ kind: 'removed', release: each.release, objects: removed.value.objects });
    else failures.push(removed.problem);
    releases.push(documentOf(each, removed.ok));
  }
  return { releases, failures };
}

/** What projects have in the cluster that are there and deploy nothing any more: manifests may come back with a branch, so only who names them removes it. */
export function unsaidOf(workspace: Deployed, owned: readonly OwnedRelease[]): readonly OwnedRelease[] {
  const silent = new Set(silentProjects(workspace).map(labelValue));
  const said = new Set([...workspace.releases.keys()].map(labelValue));
  return owned.filter(({ release }) => silent.has(release) && !said.has(release));
}

/** Removes what named projects have deployed that have no manifests any more: found by its labels, in whichever namespace it is. Gives what went wrong. */
export async function removeUnsaid({ kube, workspaceId, options, read }: Session): Promise<readonly Problem[]> {
  const { namespace, projects } = options;
  const named = new Set(
    silentProjects(read.workspace)
      .filter((name) => projects.includes(name))
      .map(labelValue),
  );
  if (!kube || named.size === 0) return [];
  const owned = await ownedReleases({ kube, workspaceId, ...(namespace === undefined ? {} : { namespace }) });
  const unsaid = unsaidOf(read.workspace, owned.releases).filter(({ release }) => named.has(release));
  return (await removeOwned({ kube, workspaceId, options }, unsaid)).failures;
}

type Deployed = Pick<Workspace, 'projects' | 'releases' | 'problems'>;

/** Of a project with a mistake it is not known that there are none. */
function silentProjects({ projects, releases, problems }: Deployed): readonly string[] {
  const deploying = new Set([...releases.values(), ...problems].flatMap(({ project }) => project ?? []));
  return [...projects.keys()].filter((name) => !deploying.has(name));
}

export function documentOf({ release, namespaces, objects }: OwnedRelease, removed: boolean): PruneDocument['releases'][number] {
  return { release, namespaces, objects: objects.map(nameOf), removed };
}
