import { absent, found, type ArtifactName, type Rollout, type SeenContainer, type Snapshot } from '../model';
import { podTrouble } from './podTrouble';
import type { ReleaseSighting } from './watchRelease';
import { runsLong, statusesOf, type Pod } from './shapes';
import type { WatchedKube } from './shareWatches';

export interface WatchPodsRequest {
  readonly kube: Pick<WatchedKube, 'watch'>;
  readonly namespace: string;
  /** A label selector. */
  readonly selector: string;
  /** The container of each pod, init containers among them; without it the first of the others. */
  readonly container?: string;
  /** What the containers stand for. */
  readonly artifact: ArtifactName;
  /** What is known of their image. */
  readonly snapshot: Snapshot;
  readonly onSeen: (sighting: ReleaseSighting) => void;
}

/** Follows the containers of pods that a selector chooses, whoever made them. A pod that is being deleted is none of them. */
export function watchPods({ kube, namespace, selector, container, artifact, snapshot, onSeen }: WatchPodsRequest): {
  stop(): void;
} {
  const pods = new Map<string, Pod>();
  let revision = 0;
  let lastSeen = '';
  const tell = (): void => {
    const present = [...pods.values()].filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    const containers = present.flatMap((pod) => containerIn(pod, { container, artifact, snapshot }));
    const rollout = rolloutOf(present, containers, { selector, container });
    const seen = JSON.stringify([present.length, containers.map(({ id, running, restarts }) => [id, running, restarts]), rollout]);
    if (seen === lastSeen && revision > 0) return;
    lastSeen = seen;
    revision += 1;
    const image = { ref: selector, inputsHash: snapshot.inputsHash, snapshot };
    const live = present.length === 0 ? absent : found({ fingerprint: '', appliedAt: 0, images: { [artifact]: image }, rollout });
    onSeen({ revision, live, containers });
  };
  const watch = kube.watch(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace, labelSelector: selector },
    {
      onList: (objects) => {
        pods.clear();
        for (const pod of objects as readonly Pod[]) pods.set(pod.metadata.name ?? '', pod);
        tell();
      },
      onChange: (change, pod) => {
        if (change === 'deleted') pods.delete(pod.metadata.name ?? '');
        else pods.set(pod.metadata.name ?? '', pod);
        tell();
      },
      onTrouble: () => undefined,
    },
  );
  return { stop: () => watch.stop() };
}

/** They are ready when one runs: what the others wait for is not known here. */
function rolloutOf(
  pods: readonly Pod[],
  containers: readonly SeenContainer[],
  { selector, container }: { readonly selector: string; readonly container: string | undefined },
): Rollout {
  if (containers.some(({ running }) => running)) return { state: 'ready' };
  const namesIn = ({ spec }: Pod) => [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ name }) => name);
  const names = [...new Set(pods.flatMap(namesIn))].sort();
  if (container !== undefined && pods.length > 0 && !names.includes(container)) {
    return {
      state: 'failed',
      problem: {
        code: 'containerUnknown',
        message: `no pod with the labels ${selector} has a container "${container}"`,
        hint: `there are: ${names.join(', ')}`,
        retry: 'whenInputChanges',
        exitCode: 2,
      },
    };
  }
  const now = Date.now();
  const troubles = pods.flatMap((pod) => podTrouble(pod, now, undefined) ?? []).filter(({ certainAt }) => certainAt <= now);
  const [trouble] = troubles;
  return trouble ? { state: 'failed', problem: trouble.problem } : { state: 'progressing', message: 'no container of it runs yet' };
}

function containerIn(
  pod: Pod,
  {
    container,
    artifact,
    snapshot,
  }: { readonly container: string | undefined; readonly artifact: ArtifactName; readonly snapshot: Snapshot },
): readonly SeenContainer[] {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const wanted = container ?? pod.spec?.containers?.[0]?.name;
  const status = statusesOf(pod).find((each) => each.name === wanted);
  const { containerID: id = '' } = status ?? {};
  if (!status || id === '') return [];
  // An init container that has done its work is not coming back.
  if (status.state?.terminated?.exitCode === 0 && pod.status?.initContainerStatuses?.includes(status) === true) return [];
  return [
    {
      id,
      artifact,
      namespace,
      pod: name,
      podUid: uid,
      container: status.name,
      running: status.state?.running !== undefined,
      ...(runsLong(status.state, Date.now()) && { runsLong: true }),
      inputsHash: snapshot.inputsHash,
      restarts: status.restartCount ?? 0,
      isForeign: true,
      snapshot,
    },
  ];
}
