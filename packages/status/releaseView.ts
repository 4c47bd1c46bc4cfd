import type { KindRef, KubeObject } from '../clients';
import {
  annotations,
  isKept,
  isOwned,
  isTracked,
  nameOf,
  templateLabels,
  trackedKinds,
  transientKinds,
  type AppliedStamp,
  type Owner,
} from '../deploy';
import {
  absent,
  found,
  type ArtifactName,
  type Known,
  type SeenContainer,
  type SeenRelease,
  type SeenService,
  type Snapshot,
  type WaitedFor,
} from '../model';
import { statusOf } from './compute';
import { isClaimForPod, refusedPods, unboundClaim } from './objectTrouble';
import { podTrouble } from './podTrouble';
import { conditionOf, runsLong, type Conditioned, type KubeEvent, type Pod, type Replicated, type Service } from './shapes';
import { trouble, type PodTrouble } from './trouble';
import { unready } from './unready';

/** What is watched of a release: what it was applied as, and what its controllers make of that. */
export const watchedKinds: readonly KindRef[] = [...trackedKinds, ...transientKinds];

/** Why a release is failing, or not ready yet. */
export interface ReleaseTrouble {
  /** What was applied, and is in trouble itself or by its pods. */
  readonly object: KubeObject;
  /** Whose log may tell more. */
  readonly pod: Pod | undefined;
  readonly trouble: PodTrouble;
}

interface Waiting extends Pick<WaitedFor, 'object' | 'message'> {
  /** What keeps it, and may pass. */
  readonly trouble?: ReleaseTrouble;
}

export interface ReleaseView {
  readonly live: Known<Omit<SeenRelease, 'rollout'>>;
  readonly rollout:
    | { readonly state: 'ready' }
    | { readonly state: 'progressing'; readonly message: string; readonly waiting?: readonly Waiting[] }
    | { readonly state: 'failed'; readonly trouble: ReleaseTrouble };
  readonly containers: readonly SeenContainer[];
  /** When to look again although nothing changes, milliseconds since 1970. */
  readonly lookAgainAt: number | undefined;
}

export interface ReleaseEvidence {
  readonly owner: Owner;
  /** All objects of the watched kinds that carry the release's labels. */
  readonly objects: readonly KubeObject[];
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What is wrong with objects, as events tell, by their UID; oldest first. */
  readonly events: ReadonlyMap<string, readonly KubeEvent[]>;
  readonly snapshotOf: (inputsHash: string) => Snapshot | undefined;
  /** As of a watch. */
  readonly keepsVolumes: boolean;
  /** Names of what was applied and is not among the objects yet, or as it was before. */
  readonly awaited?: readonly string[];
}

/** How long an apply takes at most, from its first object to its last. */
const applyMs = 3_000;

/** A release as its live objects tell. Pure. */
export function viewRelease(evidence: ReleaseEvidence): ReleaseView {
  const applied = evidence.objects.filter(
    (object) =>
      isOwned(object, evidence.owner) && !isKept(object) && !isControlled(object) && object.metadata.deletionTimestamp === undefined,
  );
  const chains = new Map(evidence.objects.map((object) => [object.metadata.uid ?? '', object]));
  const appliedUids = new Set(applied.map((object) => object.metadata.uid ?? ''));
  const pods = evidence.objects
    .filter((object): object is Pod => object.kind === 'Pod')
    .filter((pod) => appliedUids.has(rootOf(pod, chains)));
  const stamped = stampedOf(applied);
  const newest = newestOf(stamped);
  const containers = pods.flatMap((pod) => containersOf(pod, evidence));
  const { rollout, lookAgainAt } = rolloutOf({ applied: newest?.objects ?? [], pods, evidence, chains });
  const isLeft = evidence.keepsVolumes && applied.every(({ kind }) => kind === 'PersistentVolumeClaim');
  if (!newest || isLeft) return { live: absent, containers, rollout, lookAgainAt };
  const whole = isWhole(newest);
  // An apply that has only just begun, perhaps in another session, is given the time to end: two would begin each other's again.
  const begunUntil = newest.stamp.at + applyMs;
  const going = !whole && Math.abs(evidence.now - newest.stamp.at) < applyMs;
  const live = found({
    appliedAt: newest.stamp.at,
    fingerprint: whole || going ? fingerprintOf(newest) : `${fingerprintOf(newest)} incomplete`,
    // While an apply goes on, a workload that it has not come to yet still runs the image of the one before.
    images: imagesOf(
      stamped.map(({ object }) => object),
      evidence.snapshotOf,
    ),
    services: stamped.flatMap(({ object }) => serviceOf(object)).sort((one, other) => (one.name < other.name ? -1 : 1)),
  });
  const missing = `${newest.objects.filter(isTracked).length} of its ${newest.stamp.objects} objects are there`;
  const { awaited = [] } = evidence;
  const unseen = whole ? awaited.length > 0 && `the cluster has not shown yet what was applied: ${awaited.join(', ')}` : missing;
  return {
    live,
    containers,
    rollout: unseen === false || rollout.state !== 'ready' ? rollout : { state: 'progressing', message: unseen },
    lookAgainAt: going ? Math.min(lookAgainAt ?? Infinity, begunUntil) : lookAgainAt,
  };
}

function isControlled(object: KubeObject): boolean {
  return object.metadata.ownerReferences?.some((reference) => reference.controller === true) ?? false;
}

/** The UID at the end of a pod's chain of controllers: Pod → ReplicaSet → Deployment. */
function rootOf(object: KubeObject, chains: ReadonlyMap<string, KubeObject>): string {
  const controller = object.metadata.ownerReferences?.find((reference) => reference.controller === true);
  if (!controller) return object.metadata.uid ?? '';
  const next = chains.get(controller.uid);
  return next ? rootOf(next, chains) : controller.uid;
}

interface Stamped {
  readonly stamp: AppliedStamp;
  readonly object: KubeObject;
}

interface Newest {
  readonly stamp: AppliedStamp;
  readonly objects: readonly KubeObject[];
}

/** The objects of the latest apply. What an older one left over takes no part. */
function newestOf(stamped: readonly Stamped[]): Newest | undefined {
  const stamp = stamped.at(-1)?.stamp;
  return stamp && { stamp, objects: stamped.filter((one) => one.stamp.at === stamp.at).map(({ object }) => object) };
}

/** Oldest apply first. */
function stampedOf(applied: readonly KubeObject[]): readonly Stamped[] {
  return applied
    .flatMap((object) => {
      const stamp = parsed(object.metadata.annotations?.[annotations.applied]) as AppliedStamp | undefined;
      return stamp ? [{ stamp, object }] : [];
    })
    .sort((one, other) => one.stamp.at - other.stamp.at);
}

/** An apply of which objects are missing was cut short, or somebody deleted one. It is given a fingerprint that nothing is ever wanted to have. */
function isWhole({ stamp, objects }: Newest): boolean {
  return objects.filter(isTracked).length >= stamp.objects;
}

function fingerprintOf({ objects }: Newest): string {
  return objects[0]?.metadata.annotations?.[annotations.fingerprint] ?? '';
}

function imagesOf(objects: readonly KubeObject[], snapshotOf: ReleaseEvidence['snapshotOf']): SeenRelease['images'] {
  const images: Record<ArtifactName, SeenRelease['images'][string]> = {};
  for (const object of objects) {
    const own = parsed(object.metadata.annotations?.[annotations.images]) as
      Readonly<Record<ArtifactName, { readonly ref: string; readonly inputsHash: string }>> | undefined;
    for (const [artifact, image] of Object.entries(own ?? {})) images[artifact] = { ...image, snapshot: snapshotOf(image.inputsHash) };
  }
  return images;
}

/** One that selects no pods leads to something else; nothing can be forwarded to it. */
function serviceOf(object: KubeObject): readonly SeenService[] {
  if (object.kind !== 'Service') return [];
  const { metadata, spec = {} } = object as Service;
  const first = spec.ports?.find(({ protocol }) => protocol === undefined || protocol === 'TCP');
  if (!first || Object.keys(spec.selector ?? {}).length === 0) return [];
  const { port, name, appProtocol } = first;
  const names = { ...(name !== undefined && { name }), ...(appProtocol !== undefined && { appProtocol }) };
  return [{ name: metadata.name ?? '', namespace: metadata.namespace ?? '', port: { port, ...names } }];
}

/** What Slipway wrote itself, so its shape is known; somebody else's text under its name counts for nothing. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function containersOf(pod: Pod, { snapshotOf, now }: ReleaseEvidence): readonly SeenContainer[] {
  const { name = '', namespace = '', uid = '', deletionTimestamp } = pod.metadata;
  const { phase, containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  if (deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed') return [];
  const marks = (parsed(pod.metadata.annotations?.[annotations.artifacts]) ?? {}) as Readonly<
    Record<string, { readonly artifact: ArtifactName; readonly inputs: string }>
  >;
  return [...initContainerStatuses, ...containerStatuses].flatMap((status): SeenContainer[] => {
    const mark = marks[status.name];
    if (!mark || status.containerID === undefined || status.containerID === '') return [];
    return [
      {
        id: status.containerID,
        artifact: mark.artifact,
        namespace,
        pod: name,
        podUid: uid,
        container: status.name,
        running: status.state?.running !== undefined,
        ...(runsLong(status.state, now) && { runsLong: true }),
        inputsHash: mark.inputs,
        restarts: status.restartCount ?? 0,
        snapshot: snapshotOf(mark.inputs),
      },
    ];
  });
}

interface RolloutEvidence {
  readonly applied: readonly KubeObject[];
  readonly pods: readonly Pod[];
  readonly evidence: ReleaseEvidence;
  readonly chains: ReadonlyMap<string, KubeObject>;
}

function rolloutOf({ applied, pods, evidence, chains }: RolloutEvidence): Pick<ReleaseView, 'rollout' | 'lookAgainAt'> {
  const { now, events } = evidence;
  const eventsOf = (object: KubeObject): readonly KubeEvent[] => events.get(object.metadata.uid ?? '') ?? [];
  const waiting: Waiting[] = [];
  let lookAgainAt: number | undefined;
  const isCertain = ({ certainAt }: PodTrouble): boolean => {
    if (certainAt <= now) return true;
    lookAgainAt = Math.min(lookAgainAt ?? Infinity, certainAt);
    return false;
  };
  for (const object of applied) {
    const status = statusOf(object);
    const own = pods.filter((pod) => rootOf(pod, chains) === object.metadata.uid && pod.metadata.deletionTimestamp === undefined);
    // A status that speaks of an older spec has pods of an older spec.
    const observed = (object as Conditioned).status?.observedGeneration;
    const current =
      observed !== undefined && observed !== object.metadata.generation
        ? []
        : own.filter((pod) => isOfCurrentRevision(pod, object, evidence.objects));
    for (const pod of status.state === 'current' && object.kind === 'Job' ? [] : current) {
      const found = podTrouble(pod, now, eventsOf(pod));
      if (found && isCertain(found))
        return { rollout: { state: 'failed', trouble: { object, pod, trouble: found } }, lookAgainAt: afterGrace(pod, now) };
    }
    const maker = object.kind === 'Deployment' ? newestReplicaSet(object, evidence.objects) : object;
    const refused = status.state === 'current' ? undefined : ownTrouble(object, { maker, events: eventsOf(maker ?? object) });
    if (refused && isCertain(refused))
      return { rollout: { state: 'failed', trouble: { object, pod: undefined, trouble: refused } }, lookAgainAt: undefined };
    if (status.state === 'failed')
      return { rollout: { state: 'failed', trouble: stuck(object, status.message, { own, eventsOf, now }) }, lookAgainAt: undefined };
    if (status.state === 'current' || isClaimForPod(object, eventsOf(object))) continue;
    const slow = [
      { object, pod: undefined, trouble: refused?.passes === true ? refused : undefined },
      ...current.map((pod) => ({ object, pod, trouble: mayPass(pod, now, eventsOf(pod)) })),
    ].find(isInTrouble);
    const isSlow = slow !== undefined && (slow.trouble.passes === true || isCertain(slow.trouble));
    const message = isSlow ? slow.trouble.problem.message : status.message;
    waiting.push({ object: nameOf(object), message, ...(isSlow && { trouble: slow }) });
  }
  if (waiting.length === 0) return { rollout: { state: 'ready' }, lookAgainAt };
  const message = waiting.map((one) => `${one.object}: ${one.message}`).join('; ');
  return { rollout: { state: 'progressing', message, waiting }, lookAgainAt };
}

/** What keeps a pod, and may pass. */
function mayPass(pod: Pod, now: number, events: readonly KubeEvent[]): PodTrouble | undefined {
  const found = podTrouble(pod, now, events);
  return found?.passes === true ? found : unready(pod, events);
}

function ownTrouble(object: KubeObject, evidence: Parameters<typeof refusedPods>[1]): PodTrouble | undefined {
  return unboundClaim(object, evidence.events) ?? refusedPods(object, evidence);
}

function isInTrouble(one: Omit<ReleaseTrouble, 'trouble'> & { readonly trouble: PodTrouble | undefined }): one is ReleaseTrouble {
  return one.trouble !== undefined;
}

/** A container that crashed and runs again is believed once it has run for a while; nothing else would say so. */
function afterGrace(pod: Pod, now: number): number | undefined {
  const started = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])].map((status) =>
    Date.parse(status.state?.running?.startedAt ?? ''),
  );
  const soonest = Math.min(
    ...started
      .filter((at) => !Number.isNaN(at))
      .map((at) => at + 10_000)
      .filter((at) => at > now),
  );
  return soonest === Infinity ? undefined : soonest;
}

/** During a rolling update the pods of the old revision may be in any trouble: it was the reason for the update. */
function isOfCurrentRevision(pod: Pod, object: KubeObject, objects: readonly KubeObject[]): boolean {
  if (object.kind === 'Deployment') {
    const newest = newestReplicaSet(object, objects);
    return pod.metadata.ownerReferences?.some((reference) => reference.uid === newest?.metadata.uid) ?? false;
  }
  const [label, update] =
    object.kind === 'DaemonSet'
      ? ['pod-template-generation', object.metadata.annotations?.['deprecated.daemonset.template.generation']]
      : ['controller-revision-hash', object.kind === 'StatefulSet' ? (object as Replicated).status?.updateRevision : undefined];
  return update === undefined || pod.metadata.labels?.[label] === update;
}

/** That of the Deployment's own revision: the newest one may not have been shown yet. */
function newestReplicaSet(deployment: KubeObject, objects: readonly KubeObject[]): KubeObject | undefined {
  const revision = (object: KubeObject) => Number(object.metadata.annotations?.['deployment.kubernetes.io/revision'] ?? 0);
  const current = revision(deployment);
  return objects
    .filter(
      (object) =>
        object.kind === 'ReplicaSet' &&
        object.metadata.ownerReferences?.some((reference) => reference.uid === deployment.metadata.uid) &&
        (current === 0 || revision(object) === current),
    )
    .reduce<KubeObject | undefined>((best, object) => (best && revision(best) >= revision(object) ? best : object), undefined);
}

interface StuckEvidence {
  readonly own: readonly Pod[];
  readonly eventsOf: (pod: Pod) => readonly KubeEvent[];
  readonly now: number;
}

/** The controller itself gave up; what keeps its pods is then the best reason there is. */
function stuck(object: KubeObject, message: string, { own, eventsOf, now }: StuckEvidence): ReleaseTrouble {
  const pod = own.findLast((candidate) => conditionOf(candidate.status?.conditions, 'Ready')?.status !== 'True');
  const because = pod && (podTrouble(pod, now, eventsOf(pod)) ?? unready(pod, eventsOf(pod)));
  if (!because) {
    const text = { code: 'rolloutFailed', message: `${nameOf(object)} ${message}`, hint: 'see the events: kubectl describe' };
    return { object, pod, trouble: trouble(text, { field: '' }) };
  }
  const problem = { ...because.problem, message: `${nameOf(object)} ${message}: ${because.problem.message}` };
  return { object, pod, trouble: { ...because, problem } };
}

/** Where a manifest has what a trouble speaks of: of a pod below the template that it was made from. */
export function fieldInManifest({ object, pod, trouble: { field } }: ReleaseTrouble): string | undefined {
  if (field === undefined || !pod || object.kind === 'Pod') return field;
  return object.kind === 'CronJob' ? `spec.jobTemplate.spec.template.${field}` : `spec.template.${field}`;
}

/** Tells of an object whether it carries a release's labels. */
export function labelledFor(owner: Owner): (object: KubeObject) => boolean {
  const labels = Object.entries(templateLabels(owner));
  return ({ metadata }) => labels.every(([name, value]) => metadata.labels?.[name] === value);
}
