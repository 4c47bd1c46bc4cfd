import type { Kube, KubeObject } from '../../clients';
import { usualFieldManager, type ApplyOptions, type Problem, type Result } from '../../model';
import { helmReleaseOf, isOwned, labels, type Owner } from '../ownership';

/** As whom an object is applied. */
export interface Managers {
  readonly now: string;
  /** Under which names Slipway has applied it before, and that still manage something of it. */
  readonly earlier: readonly string[];
}

/** What the API server writes down of who manages what. */
interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly 'f:metadata'?: { readonly 'f:labels'?: Readonly<Record<string, unknown>> } };
}

/** Nobody but Slipway applies the labels of an owner, so whoever has is Slipway, whatever `fieldManager` called it then. */
export function managersOf(
  before: KubeObject | undefined,
  owner: Owner,
  { fieldManager: now = usualFieldManager }: ApplyOptions,
): Managers {
  if (!before || !isOwned(before, owner) || helmReleaseOf(before)) return { now, earlier: [] };
  const { managedFields = [] } = before.metadata as { readonly managedFields?: readonly ManagedFields[] };
  const ours = managedFields.filter(
    ({ operation, fieldsV1 }) => operation === 'Apply' && fieldsV1?.['f:metadata']?.['f:labels']?.[`f:${labels.workspace}`] !== undefined,
  );
  return { now, earlier: [...new Set(ours.flatMap(({ manager = now }) => (manager === now ? [] : [manager])))] };
}

/**
 * Applies an object as the manager of now. What was applied under another name is applied under that one first: so what the manifest has
 * no more goes, and only fields of others are in conflict. Then the other name lets go of all.
 */
export async function applyAs(
  kube: Pick<Kube, 'apply'>,
  object: KubeObject,
  { now, earlier, ...options }: Managers & Omit<NonNullable<Parameters<Kube['apply']>[1]>, 'fieldManager'>,
): Promise<Result<KubeObject>> {
  const ours = new Set([...earlier, now]);
  const [first = now] = earlier;
  let answer = await kube.apply(object, { ...options, fieldManager: first });
  if (!answer.ok && earlier.length > 0 && isAmong(ours, answer.problem))
    answer = await kube.apply(object, { ...options, fieldManager: first, force: true });
  if (!answer.ok || options.dryRun === true || first === now) return answer;
  answer = await kube.apply(object, { ...options, fieldManager: now });
  for (const fieldManager of earlier) if (answer.ok) answer = await kube.apply(nothingOf(object), { ...options, fieldManager });
  return answer;
}

export interface Conflict {
  readonly field: string;
  readonly manager: string;
  readonly subresource: string | undefined;
}

/** Who manages which field: `spec.replicas (conflict with "kubectl" with subresource "scale" using apps/v1)`. */
export function conflictsIn({ message }: Pick<Problem, 'message'>): readonly Conflict[] {
  // The key of a list's item has commas, and may have spaces: `spec.ports[port=80,protocol="TCP"].targetPort`.
  const found = message.matchAll(
    /((?:\[(?:"(?:[^"\\]|\\.)*"|[^\]"])*\]|[^\s,[])+) \(conflict with "([^"]+)"(?: with subresource "([^"]+)")?[^)]*\)/g,
  );
  return [...found].map(([, field = '', manager = '', subresource]) => ({ field, manager, subresource }));
}

function isAmong(ours: ReadonlySet<string>, problem: Problem): boolean {
  const conflicts = problem.code === 'objectConflict' ? conflictsIn(problem) : [];
  return conflicts.length > 0 && conflicts.every(({ manager }) => ours.has(manager));
}

/** Its name alone: who applies that manages nothing of it. */
function nothingOf({ apiVersion, kind, metadata: { name, namespace } }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata: { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) } };
}
