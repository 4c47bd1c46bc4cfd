import type { Kube, KubeObject } from '../../clients';
import { failed, succeeded, type Problem, type Result } from '../../model';
import { nameOf } from '../kinds';
import { waitUntil } from '../waitUntil';

/** How long its controller may take to let go of a claim. */
const patienceMs = 30_000;

/** Nobody's manifest: it is the last thing that is said of a StatefulSet. */
const fieldManager = 'slipway-keep-volumes';

/**
 * Claims that a StatefulSet made from its templates go with it where its `persistentVolumeClaimRetentionPolicy` says so. It is told
 * otherwise, and to be deleted only when its claims are no longer its own. Failures: `volumesNotKept`, and the cluster's.
 */
export async function letGoOfClaims(kube: Kube, objects: readonly KubeObject[]): Promise<Result<void>> {
  const answers = await Promise.all(objects.filter(takesItsClaims).map((object) => letGo(kube, object)));
  return answers.find(({ ok }) => !ok) ?? succeeded(undefined);
}

function takesItsClaims({ kind, spec }: KubeObject): boolean {
  const { persistentVolumeClaimRetentionPolicy: policy } = (spec ?? {}) as {
    readonly persistentVolumeClaimRetentionPolicy?: { readonly whenDeleted?: string };
  };
  return kind === 'StatefulSet' && policy?.whenDeleted === 'Delete';
}

async function letGo(kube: Kube, object: KubeObject): Promise<Result<void>> {
  const { apiVersion, kind, metadata } = object;
  const { name, namespace, uid } = metadata;
  const place = { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) };
  const spec = { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } };
  const told = await kube.apply({ apiVersion, kind, metadata: place, spec }, { force: true, fieldManager });
  if (!told.ok) return told;
  const { inTime } = await waitUntil({
    kube,
    kind: { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
    ...(namespace !== undefined && { namespace }),
    timeoutMs: patienceMs,
    done: (claims) => !claims.some((claim) => claim.metadata.ownerReferences?.some((owner) => owner.uid === uid)),
  });
  return inTime ? succeeded(undefined) : failed(notKept(object));
}

function notKept(object: KubeObject): Problem {
  return {
    code: 'volumesNotKept',
    message: `${nameOf(object)} has not let go of its volume claims within ${patienceMs / 1000} s, and stays with all else`,
    hint: 'try again, or delete it without --keep-volumes, which deletes the claims',
    retry: 'afterDelay',
    exitCode: 1,
  };
}
