import type { SeenContainer } from '../model';

/** A container whose log is read. */
export interface LoggedContainer extends Pick<SeenContainer, 'id' | 'namespace' | 'pod' | 'podUid' | 'container' | 'running'> {
  /** What its lines are told of: its image, or, where it runs one of somebody else, its release and its name. */
  readonly artifact: string;
  /** The release that its pod belongs to. */
  readonly service: string;
}

export interface LogLine {
  readonly service: string;
  readonly artifact: string;
  readonly pod: string;
  readonly container: string;
  /** As the node wrote it, with the offset of its zone; '' when it is not known. */
  readonly time: string;
  /** Without its time and line break. */
  readonly line: string;
}

/** How many pods of its kind each pod is one of: those of one ReplicaSet or StatefulSet share all of their name but its end. */
export function replicasOf(containers: readonly { readonly pod: string }[]): ReadonlyMap<string, number> {
  const kinOf = (pod: string): string => pod.slice(0, pod.lastIndexOf('-') + 1);
  const pods = new Set(containers.map(({ pod }) => pod));
  const counts = new Map<string, number>();
  for (const pod of pods) counts.set(kinOf(pod), (counts.get(kinOf(pod)) ?? 0) + 1);
  return new Map([...pods].map((pod) => [pod, counts.get(kinOf(pod)) ?? 1] as const));
}
