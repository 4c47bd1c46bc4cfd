import { exceededQuota, type KubeObject } from '../clients';
import { nameOf } from '../deploy';
import { passesOnNode, passesOnRefusal, passing } from './passing';
import { conditionOf, firstTimeOf, type Claim, type Conditioned, type KubeEvent } from './shapes';
import { sentence, trouble, type PodTrouble, type TroubleText } from './trouble';

/** A controller may be refused for a moment while accounts and tokens are made. */
const refusedGraceMs = 2_000;

/**
 * The pods of a workload are refused by a quota, a policy or a missing service account: none is there that could tell. ReplicaSets say it
 * in a condition, other controllers only in their events. `maker` is who makes the pods.
 */
export function refusedPods(
  object: KubeObject,
  { maker, events }: { readonly maker: KubeObject | undefined; readonly events: readonly KubeEvent[] },
): PodTrouble | undefined {
  const failure = conditionOf((maker as Conditioned | undefined)?.status?.conditions, 'ReplicaFailure');
  const event = events.findLast(({ reason }) => reason === 'FailedCreate');
  const said = failure?.status === 'True' ? (failure.message ?? failure.reason) : event?.message;
  if (said === undefined) return undefined;
  const since = failure ? Date.parse(failure.lastTransitionTime ?? '') : event && firstTimeOf(event);
  const message = `${nameOf(object)}: its pods are refused, ${sentence(said.replace(/^[Ee]rror creating: /, ''))}`;
  // What has no time that can be read has been so for long enough.
  const from = since === undefined || Number.isNaN(since) ? 0 : since;
  const counts = passesOnRefusal(said) ? passing(from) : { certainAt: from === 0 ? 0 : from + refusedGraceMs };
  return trouble({ ...refusalOf(said), message }, { ...counts, field: 'spec' });
}

function refusalOf(said: string): Omit<TroubleText, 'message'> {
  if (/exceeded quota/.test(said))
    return { code: 'quotaExceeded', hint: 'lower what it asks for, or see what is used: kubectl describe quota', ...exceededQuota(said) };
  if (/denied (the )?request|violates PodSecurity|ValidatingAdmissionPolicy/.test(said))
    return { code: 'admissionDenied', hint: 'change the manifest as the policy asks' };
  return { code: 'podsRefused', hint: 'check limit ranges, and whether the service account is there' };
}

/** The reason of the event that a claim is made for the node of its first pod, and so waits for one. */
export const awaitsPod = 'WaitForFirstConsumer';

/** What the cluster said last of a claim that has no volume. */
function saidOfClaim(object: KubeObject, events: readonly KubeEvent[]): KubeEvent | undefined {
  if (object.kind !== 'PersistentVolumeClaim' || (object as Claim).status?.phase === 'Bound') return undefined;
  return events.findLast(({ reason }) => reason === 'ProvisioningFailed' || reason === awaitsPod);
}

/** A claim that gets its volume with its first pod is as far as it comes by itself; who uses it is waited for. */
export function isClaimForPod(object: KubeObject, events: readonly KubeEvent[]): boolean {
  return saidOfClaim(object, events)?.reason === awaitsPod;
}

/** A volume claim that will not be bound: no such storage class, or one that cannot make it. */
export function unboundClaim(object: KubeObject, events: readonly KubeEvent[]): PodTrouble | undefined {
  const { reason, message: said } = saidOfClaim(object, events) ?? {};
  if (said === undefined || reason === awaitsPod || passesOnNode(said)) return undefined;
  return trouble(
    {
      code: 'volumeNotBound',
      message: `${nameOf(object)} gets no volume: ${sentence(said)}`,
      hint: 'name a storage class that there is: kubectl get storageclass',
    },
    { field: 'spec.storageClassName' },
  );
}
