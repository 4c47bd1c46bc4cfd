import type { KindRef, Kube, KubeObject } from '../clients';
import type { Problem } from '../model';
import { distinctKinds, isNamespaced, removableKinds, sameKind } from './kinds';
import type { ListWorkspace } from './sharedLists';
import { isKept, isOfHome, isOwned, ownerSelector, stampOf, type AppliedPlaces, type Owner } from './ownership';

export interface OwnedRequest {
  readonly kube: Pick<Kube, 'list' | 'resource'>;
  readonly owner: Owner;
  /** The namespace that the release is deployed to. */
  readonly home: string;
  /** More places that its manifests name. */
  readonly namespaces: readonly string[];
  readonly kinds: readonly KindRef[];
  /** What earlier applies wrote down, as far as it is known already. */
  readonly records?: readonly AppliedPlaces[];
  /** Lists for several releases at once. */
  readonly lists?: ListWorkspace;
}

export interface OwnedObjects {
  readonly found: readonly KubeObject[];
  /** Kinds that the manifests name and that could not be listed. */
  readonly problems: readonly Problem[];
}

/**
 * Everything that a release has in the cluster: what carries its labels where its manifests and its own records say that something may be.
 * The same release in another namespace is another one.
 */
export async function ownedObjects({ kube, owner, home, namespaces, kinds, records = [], lists }: OwnedRequest): Promise<OwnedObjects> {
  const found = new Map<string, KubeObject>();
  const problems: Problem[] = [];
  const looked = new Set<string>();
  // What is found may tell of more.
  let places = {
    namespaces: [home, ...namespaces, ...records.flatMap((record) => record.namespaces)],
    kinds: [...kinds, ...records.flatMap((record) => record.kinds)],
  };
  for (;;) {
    const all = distinctKinds([...removableKinds, ...places.kinds]);
    const wanted = all.flatMap((kind) =>
      (isNamespaced(kind) === false ? [undefined] : [...new Set(places.namespaces)]).map((namespace) => ({ kind, namespace })),
    );
    const due = wanted.filter(({ kind, namespace }) => !looked.has(`${kind.kind}.${kind.apiVersion} ${namespace ?? ''}`));
    if (due.length === 0) return { found: [...found.values()], problems };
    for (const { kind, namespace } of due) looked.add(`${kind.kind}.${kind.apiVersion} ${namespace ?? ''}`);
    const answers = await Promise.all(due.map(({ kind, namespace }) => list({ kube, owner, kind, namespace, lists })));
    const fresh = answers.flatMap(({ objects }) => objects).filter((object) => isOfHome(object, home));
    for (const object of fresh)
      found.set(object.metadata.uid ?? `${object.kind} ${object.metadata.namespace ?? ''} ${object.metadata.name ?? ''}`, object);
    problems.push(...answers.flatMap(({ problem }) => problem ?? []));
    const also = fresh.flatMap((object) => stampOf(object)?.also ?? []);
    places = {
      namespaces: [...places.namespaces, ...also.flatMap((record) => record.namespaces)],
      kinds: [...places.kinds, ...also.flatMap((record) => record.kinds)],
    };
  }
}

interface Listing {
  readonly kube: OwnedRequest['kube'];
  readonly owner: Owner;
  readonly kind: KindRef;
  readonly namespace: string | undefined;
  readonly lists: ListWorkspace | undefined;
}

async function list({
  kube,
  owner,
  kind,
  namespace,
  lists,
}: Listing): Promise<{ readonly objects: readonly KubeObject[]; readonly problem?: Problem }> {
  const selected = { labelSelector: ownerSelector(owner), ...(namespace === undefined ? {} : { namespace }) };
  const answer = await (lists ? lists(kind, namespace) : kube.list(kind, selected));
  if (answer.ok) {
    // Items of a list come without their kind.
    const named = answer.value.map((object): KubeObject => ({ ...object, apiVersion: kind.apiVersion, kind: kind.kind }));
    return { objects: named.filter((object) => isOwned(object, owner) && !isKept(object)) };
  }
  // Who may not read a usual kind has not applied any of it; and a kind of an add-on may be gone with its definition.
  if (answer.problem.code === 'clusterUnreachable') return { objects: [], problem: answer.problem };
  if (removableKinds.some((usual) => sameKind(usual, kind))) return { objects: [] };
  const resource = await kube.resource(kind);
  return resource.ok && !resource.value ? { objects: [] } : { objects: [], problem: answer.problem };
}
