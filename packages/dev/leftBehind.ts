import { processes, type Kube } from '../clients';
import { labelValue, nameOf, removeRelease, type OwnedRelease } from '../deploy';
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
export function unsaidOf(
  { projects, releases }: Pick<Workspace, 'projects' | 'releases'>,
  owned: readonly OwnedRelease[],
): readonly OwnedRelease[] {
  const deploying = new Set([...releases.values()].map(({ project }) => project));
  const silent = new Set([...projects.keys()].filter((name) => !deploying.has(name)).map(labelValue));
  const said = new Set([...releases.keys()].map(labelValue));
  return owned.filter(({ release }) => silent.has(release) && !said.has(release));
}

export function documentOf({ release, namespaces, objects }: OwnedRelease, removed: boolean): PruneDocument['releases'][number] {
  return { release, namespaces, objects: objects.map(nameOf), removed };
}
