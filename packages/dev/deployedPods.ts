import type { Kube } from '../clients';
import { annotations, labels, labelValue, selectorOf } from '../deploy';
import type { LoggedContainer } from '../logs';
import { failed, succeeded, type Release, type Result } from '../model';
import type { Pod } from '../status';

const podKind = { apiVersion: 'v1', kind: 'Pod' };

export interface DeployedPodsRequest {
  readonly kube: Pick<Kube, 'list' | 'watch'>;
  readonly workspaceId: string;
  readonly releases: readonly { readonly release: Release; readonly namespace: string }[];
}

/** The containers in the pods of releases, whichever image they run, in the order of their names. Failures: those of a list. */
export async function deployedContainers(request: DeployedPodsRequest): Promise<Result<readonly LoggedContainer[]>> {
  const { kube, workspaceId } = request;
  const lists = await Promise.all(
    namespacesOf(request).map((namespace) => kube.list(podKind, { namespace, labelSelector: ofWorkspace(workspaceId) })),
  );
  const [refused] = lists.flatMap((list) => (list.ok ? [] : [list.problem]));
  if (refused) return failed(refused);
  return succeeded(
    containersOf(
      request,
      lists.flatMap((list) => (list.ok ? (list.value as readonly Pod[]) : [])),
    ),
  );
}

/** Calls back with the same whenever it changes. */
export function watchDeployedContainers(
  request: DeployedPodsRequest,
  onContainers: (containers: readonly LoggedContainer[]) => void,
): { stop(): void } {
  const { kube, workspaceId } = request;
  const present = new Map<string, Pod>();
  const unlisted = new Set(namespacesOf(request));
  const tell = (): void => {
    if (unlisted.size === 0) onContainers(containersOf(request, [...present.values()]));
  };
  const watches = namespacesOf(request).map((namespace) => {
    const keyOf = (pod: Pod): string => `${namespace}/${pod.metadata.name ?? ''}`;
    const options = { namespace, labelSelector: ofWorkspace(workspaceId) };
    return kube.watch(podKind, options, {
      onList: (pods) => {
        unlisted.delete(namespace);
        for (const key of [...present.keys()]) if (key.startsWith(`${namespace}/`)) present.delete(key);
        for (const pod of pods as readonly Pod[]) present.set(keyOf(pod), pod);
        tell();
      },
      onChange: (change, pod) => {
        if (change === 'deleted') present.delete(keyOf(pod));
        else present.set(keyOf(pod), pod);
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

function namespacesOf({ releases }: DeployedPodsRequest): readonly string[] {
  return [...new Set(releases.map(({ namespace }) => namespace))];
}

function ofWorkspace(workspaceId: string): string {
  return selectorOf({ [labels.workspace]: workspaceId });
}

function containersOf({ releases }: DeployedPodsRequest, pods: readonly Pod[]): readonly LoggedContainer[] {
  const byPlace = new Map(releases.map(({ release, namespace }) => [`${namespace} ${labelValue(release.name)}`, release.name] as const));
  return pods
    .flatMap((pod) => {
      const { namespace = '', labels: own = {} } = pod.metadata;
      const release = byPlace.get(`${namespace} ${own[labels.release] ?? ''}`);
      return release === undefined ? [] : containersIn(pod, release);
    })
    .sort((one, other) => (`${one.pod} ${one.container}` < `${other.pod} ${other.container}` ? -1 : 1));
}

/** Those that have started once, so that there is a log: init containers too. */
function containersIn(pod: Pod, release: string): readonly LoggedContainer[] {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const marks = marksOf(pod);
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.flatMap((status): readonly LoggedContainer[] => {
    const { containerID: id = '' } = status;
    if (id === '') return [];
    const artifact = marks[status.name]?.artifact ?? (status.name === release ? release : `${release}/${status.name}`);
    const running = status.state?.running !== undefined;
    return [{ id, service: release, artifact, namespace, pod: name, podUid: uid, container: status.name, running }];
  });
}

/** Which containers run which image of the workspace, as Slipway wrote it on the pod. */
function marksOf(pod: Pod): Readonly<Record<string, { readonly artifact?: string } | undefined>> {
  try {
    return JSON.parse(pod.metadata.annotations?.[annotations.artifacts] ?? '{}') as Readonly<
      Record<string, { readonly artifact?: string }>
    >;
  } catch {
    return {};
  }
}
