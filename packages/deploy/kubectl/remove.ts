import type { KindRef, Kube, KubeObject } from '../../clients';
import { failed, succeeded, type Result, together } from '../../model';
import { holdsData, holdsOthers, kindOf, nameOf, refOf } from '../kinds';
import { ownedObjects } from '../ownedObjects';
import { helmReleaseOf, selectorOf, templateLabels, type Owner } from '../ownership';
import type { ListWorkspace } from '../sharedLists';
import { waitUntil } from '../waitUntil';
import { letGoOfClaims } from './keptClaims';

export interface RemoveRequest {
  readonly kube: Kube;
  readonly owner: Owner;
  /** The release's namespace, then any other that its manifests name. */
  readonly namespaces: readonly string[];
  /** Uninstalls a release of helm; what it installed is never deleted piece by piece. */
  readonly uninstall?: (release: HelmRelease) => Promise<Result<void>>;
  /** Releases of helm that may be there without an object that tells of them. */
  readonly helmReleases?: readonly HelmRelease[];
  /** Kinds that were applied, besides the usual ones which are always looked through. */
  readonly kinds?: readonly KindRef[];
  /** Leaves volumes and their claims, and so what is in them. */
  readonly keepVolumes?: boolean;
  /** Lists for several releases at once. */
  readonly lists?: ListWorkspace;
  /** How long pods may take beyond their own grace period. Milliseconds. */
  readonly patienceMs?: number;
}

export interface HelmRelease {
  readonly name: string;
  readonly namespace: string;
}

export interface Removed {
  readonly objects: readonly string[];
  /** What was still there at the end. */
  readonly remaining: readonly string[];
}

/** Deletes what carries the owner's labels, and nothing else, then waits until it is gone. Pods get the grace they ask for. */
export async function remove({
  kube,
  owner,
  namespaces,
  uninstall,
  helmReleases = [],
  kinds = [],
  keepVolumes = false,
  lists,
  patienceMs = 30_000,
}: RemoveRequest): Promise<Result<Removed>> {
  const [home = '', ...more] = namespaces;
  const { found, problems } = await ownedObjects({ kube, owner, home, namespaces: more, kinds, ...(lists && { lists }) });
  const [unlisted, ...alsoUnlisted] = problems;
  if (unlisted) return failed(together([unlisted, ...alsoUnlisted]));
  const owned = found
    // A pod or ReplicaSet with the labels of its template belongs to a controller, which is deleted itself.
    .filter((object) => !object.metadata.ownerReferences?.some((reference) => reference.controller))
    .filter(({ kind }) => !holdsOthers.has(kind) && !(keepVolumes && holdsData.has(kind)));
  if (keepVolumes) {
    const released = await letGoOfClaims(kube, owned);
    if (!released.ok) return released;
  }
  const releases = new Map(
    [...helmReleases, ...owned.flatMap((object) => helmReleaseOf(object) ?? [])].map((each) => [`${each.namespace}/${each.name}`, each]),
  );
  for (const release of releases.values()) {
    const gone = await uninstall?.(release);
    if (gone?.ok === false) return gone;
  }
  const applied = owned.filter((object) => !helmReleaseOf(object));
  const deleted = await Promise.all(applied.map((object) => kube.delete(refOf(object), { propagation: 'Background' })));
  const [kept, ...alsoKept] = deleted.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
  if (kept) return failed(together([kept, ...alsoKept]));

  const everywhere = new Set([...namespaces, ...owned.flatMap(({ metadata }) => metadata.namespace ?? [])]);
  const left = await Promise.all([...everywhere].map((namespace) => podsGone({ kube, owner, namespace, patienceMs })));
  const others = applied.filter(({ kind }) => kind !== 'Pod');
  const isSlow = await Promise.all(others.map((object) => isLeft(kube, object, patienceMs)));
  const remaining = [...left.flat(), ...others.filter((_, index) => isSlow[index]).map(nameOf)];
  return succeeded({ objects: owned.map(nameOf), remaining });
}

/** Whether an object is still there after a while: a finalizer may hold it. Most are gone by the time their pods are. */
async function isLeft(kube: Kube, object: KubeObject, timeoutMs: number): Promise<boolean> {
  const now = await kube.get(refOf(object));
  if (!now.ok || !now.value || now.value.metadata.uid !== object.metadata.uid) return false;
  const { namespace, name, uid } = object.metadata;
  const { inTime } = await waitUntil({
    kube,
    kind: kindOf(object),
    ...(namespace === undefined ? {} : { namespace }),
    timeoutMs,
    done: (all) => !all.some(({ metadata }) => metadata.name === name && metadata.uid === uid),
  });
  return !inTime;
}

async function podsGone({
  kube,
  owner,
  namespace,
  patienceMs,
}: {
  kube: Kube;
  owner: Owner;
  namespace: string;
  patienceMs: number;
}): Promise<readonly string[]> {
  const kind = { apiVersion: 'v1', kind: 'Pod' };
  const labelSelector = selectorOf(templateLabels(owner));
  const pods = await kube.list(kind, { namespace, labelSelector });
  if (!pods.ok || pods.value.length === 0) return [];
  const graceMs = Math.max(
    ...pods.value.map(
      (pod) => 1000 * ((pod['spec'] as { terminationGracePeriodSeconds?: number } | undefined)?.terminationGracePeriodSeconds ?? 30),
    ),
  );
  const { objects } = await waitUntil({
    kube,
    kind,
    namespace,
    labelSelector,
    timeoutMs: Math.max(patienceMs, graceMs + 5_000),
    known: pods.value,
    done: (left) => left.length === 0,
  });
  return objects.map((pod) => nameOf({ ...pod, kind: 'Pod' }));
}
