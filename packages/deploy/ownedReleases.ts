import type { KubeObject, Kube } from '../clients';
import type { Problem } from '../model';
import { removableKinds } from './kinds';
import { isKept, isOfWorkspace, labels, selectorOf } from './ownership';

/** What is left in a cluster of one release. */
export interface OwnedRelease {
  /** As the label has it. */
  readonly release: string;
  readonly namespaces: readonly string[];
  readonly objects: readonly KubeObject[];
}

/**
 * Everything that a workspace owns, by release: objects that carry its labels and belong to no controller. Without a namespace in
 * all of them. What may not be listed is told, kind by kind.
 */
export async function ownedReleases(request: {
  readonly kube: Pick<Kube, 'list'>;
  readonly workspaceId: string;
  readonly namespace?: string;
}): Promise<{ readonly releases: readonly OwnedRelease[]; readonly problems: readonly Problem[] }> {
  const { kube, workspaceId, namespace } = request;
  const labelSelector = selectorOf({ [labels.workspace]: workspaceId });
  const lists = await Promise.all(
    removableKinds.map(async (kind) => {
      const answer = await kube.list(kind, { labelSelector, ...(namespace === undefined ? {} : { namespace }) });
      // Items of a list come without their kind.
      return answer.ok ? { ...answer, value: answer.value.map((object): KubeObject => ({ ...object, ...kind })) } : answer;
    }),
  );
  const byRelease = new Map<string, KubeObject[]>();
  for (const object of lists.flatMap((list) => (list.ok ? list.value : []))) {
    const release = object.metadata.labels?.[labels.release];
    if (release === undefined || !isOfWorkspace(object, workspaceId) || isKept(object)) continue;
    if (object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) continue;
    const known = byRelease.get(release);
    if (known) known.push(object);
    else byRelease.set(release, [object]);
  }
  const releases = [...byRelease].sort(([one], [other]) => (one < other ? -1 : 1));
  return {
    releases: releases.map(([release, objects]) => ({
      release,
      namespaces: [...new Set(objects.map(({ metadata }) => metadata.namespace ?? ''))].sort(),
      objects,
    })),
    // A kind that the cluster does not have holds nothing.
    problems: lists.flatMap((list) => (list.ok || list.problem.code === 'kindUnknown' ? [] : [list.problem])),
  };
}
