import type { Kube } from '../clients';
import { annotations, labels, labelValue, selectorOf } from '../deploy';
import type { LoggedContainer } from '../logs';
import { failed, succeeded, type Release, type Result } from '../model';
import type { Pod } from '../status';
import type { ForeignWorkload } from './foreignWorkloads';

const podKind = { apiVersion: 'v1', kind: 'Pod' };

export interface DeployedPodsRequest {
  readonly kube: Pick<Kube, 'list' | 'watch'>;
  readonly workspaceId: string;
  readonly releases: readonly { readonly release: Release; readonly namespace: string }[];
  /** What somebody else applied of them. */
  readonly foreign?: readonly ForeignWorkload[];
}

/** Pods of which some belong to releases. */
interface Place {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly containersOf: (pod: Pod) => readonly LoggedContainer[];
}

/** The containers in the pods of releases, whichever image they run, in the order of their names. Failures: those of a list. */
export async function deployedContainers(request: DeployedPodsRequest): Promise<Result<readonly LoggedContainer[]>> {
  const places = placesOf(request);
  const lists = await Promise.all(places.map(({ namespace, labelSelector }) => request.kube.list(podKind, { namespace, labelSelector })));
  const [refused] = lists.flatMap((list) => (list.ok ? [] : [list.problem]));
  if (refused) return failed(refused);
  const pods = lists.map((list) => (list.ok ? (list.value as readonly Pod[]) : []));
  return succeeded(inOrder(places.flatMap(({ containersOf }, index) => (pods[index] ?? []).flatMap(containersOf))));
}

/** Calls back with the same whenever it changes. */
export function watchDeployedContainers(
  request: DeployedPodsRequest,
  onContainers: (containers: readonly LoggedContainer[]) => void,
): { stop(): void } {
  const places = placesOf(request);
  const present = new Map<Place, Map<string, readonly LoggedContainer[]>>();
  const tell = (): void => {
    if (present.size < places.length) return;
    onContainers(inOrder([...present.values()].flatMap((pods) => [...pods.values()].flat())));
  };
  const watches = places.map((place) => {
    const { namespace, labelSelector, containersOf } = place;
    const options = { namespace, labelSelector };
    const keyOf = (pod: Pod): string => pod.metadata.name ?? '';
    return request.kube.watch(podKind, options, {
      onList: (pods) => {
        present.set(place, new Map((pods as readonly Pod[]).map((pod) => [keyOf(pod), containersOf(pod)])));
        tell();
      },
      onChange: (change, pod) => {
        if (change === 'deleted') present.get(place)?.delete(keyOf(pod));
        else present.get(place)?.set(keyOf(pod), containersOf(pod));
        tell();
      },
      onTrouble: () => undefined,
    });
  });
  return {
    stop() {
      for (const watch of watches) watch.stop();
    },
  };
}

function placesOf({ workspaceId, releases, foreign = [] }: DeployedPodsRequest): readonly Place[] {
  const labelSelector = selectorOf({ [labels.workspace]: workspaceId });
  const byPlace = new Map(releases.map(({ release, namespace }) => [`${namespace} ${labelValue(release.name)}`, release.name] as const));
  const own = [...new Set(releases.map(({ namespace }) => namespace))].map((namespace): Place => {
    const containersOf = (pod: Pod): readonly LoggedContainer[] => {
      const release = byPlace.get(`${namespace} ${pod.metadata.labels?.[labels.release] ?? ''}`);
      return release === undefined ? [] : containersIn(pod, release, marksOf(pod));
    };
    return { namespace, labelSelector, containersOf };
  });
  const others = foreign.map(({ release, namespace, selector, containers }): Place => {
    const marks = Object.fromEntries(containers.map(([container, artifact]) => [container, { artifact }]));
    return { namespace, labelSelector: selector, containersOf: (pod) => containersIn(pod, release, marks) };
  });
  return [...own, ...others];
}

function inOrder(containers: readonly LoggedContainer[]): readonly LoggedContainer[] {
  return [...containers].sort((one, other) => (`${one.pod} ${one.container}` < `${other.pod} ${other.container}` ? -1 : 1));
}

/** Those that have started once, so that there is a log: init containers too. */
function containersIn(pod: Pod, release: string, marks: Marks): readonly LoggedContainer[] {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.flatMap((status): readonly LoggedContainer[] => {
    const { containerID: id = '' } = status;
    if (id === '') return [];
    const artifact = marks[status.name]?.artifact ?? (status.name === release ? release : `${release}/${status.name}`);
    const running = status.state?.running !== undefined;
    return [{ id, service: release, artifact, namespace, pod: name, podUid: uid, container: status.name, running }];
  });
}

/** Which containers run which image of the workspace. */
type Marks = Readonly<Record<string, { readonly artifact?: string } | undefined>>;

/** As Slipway wrote it on the pod. */
function marksOf(pod: Pod): Marks {
  try {
    return JSON.parse(pod.metadata.annotations?.[annotations.artifacts] ?? '{}') as Marks;
  } catch {
    return {};
  }
}
