import type { KubeObject } from '../../clients';
import { failed, succeeded, type Result, together } from '../../model';
import { groupOf, holdsData, holdsOthers, kindOf, nameOf, refOf } from '../kinds';
import { ownedObjects } from '../ownedObjects';
import { helmReleaseOf, stampOf, type AppliedPlaces, type AppliedStamp } from '../ownership';
import type { ApplyRequest } from './apply';

export interface PruneRequest extends Pick<ApplyRequest, 'kube' | 'owner' | 'namespace' | 'installer' | 'lists'> {
  /** What belongs to the release now. */
  readonly applied: readonly KubeObject[];
  /** Where earlier applies had objects, as far as it is known already. */
  readonly records: readonly AppliedPlaces[];
  /** When it was applied, milliseconds since 1970. */
  readonly at: number;
}

/** Kinds whose removal would take more with it than was applied: data, and what others made. */
export const keptKinds: ReadonlySet<string> = new Set([...holdsData, ...holdsOthers]);

/** Deletes what an earlier apply of the release brought and this one has no more; gives its names. What helm installed, helm removes. */
export async function prune(request: PruneRequest): Promise<Result<readonly string[]>> {
  const { kube, owner, namespace, installer, lists, applied, records, at } = request;
  const keyOf = (object: KubeObject) =>
    `${groupOf(object)} ${object.kind} ${object.metadata.namespace ?? ''} ${object.metadata.name ?? ''}`;
  const staying = new Set(applied.map(keyOf));
  const objects = await ownedObjects({
    kube,
    owner,
    home: namespace,
    namespaces: applied.flatMap(({ metadata }) => metadata.namespace ?? []),
    kinds: applied.map(kindOf),
    records,
    ...(lists && { lists }),
  });
  // Who may not read a kind has applied none of it.
  const owned = objects.found.filter(({ kind }) => !keptKinds.has(kind));
  const helmReleases = owned
    .flatMap((object) => helmReleaseOf(object) ?? [])
    .filter(({ name }) => installer?.parts.includes(name) === false);
  const gone = new Map(helmReleases.map((each) => [`${each.namespace}/${each.name}`, each]));
  for (const release of gone.values()) {
    const ended = await installer?.uninstall(release);
    if (ended?.ok === false) return ended;
  }
  const left = owned.filter((object) => {
    if (helmReleaseOf(object) || object.metadata.deletionTimestamp !== undefined) return false;
    if (object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) return false;
    return !staying.has(keyOf(object)) && appliedAt(object) < at;
  });
  const deleted = await Promise.all(left.map((object) => kube.delete(refOf(object), { propagation: 'Background' })));
  const [problem, ...others] = deleted.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
  return problem
    ? failed(together([problem, ...others]))
    : succeeded([...left.map(nameOf), ...[...gone.values()].map(({ name }) => `helm release ${name}`)]);
}

/** When an object was applied; what has no stamp that can be read is left alone. */
function appliedAt(object: KubeObject): number {
  const stamp: Partial<AppliedStamp> | undefined = stampOf(object);
  return stamp?.at ?? Infinity;
}
