import type { Rollout, SeenContainer, SeenRelease, Snapshot } from '../../model';

/** What an image holds: the syncable files by container path, and all that only a build brings in. */
export interface SimImage {
  readonly inputsHash: string;
  readonly files: ReadonlyMap<string, string>;
  readonly built: string;
}

export type LedgerLine = { readonly known: true; readonly content: string | undefined } | { readonly known: false };

/** A pod with its one container. A restart in place gives the container a new id and the image's files again. */
export interface SimPod {
  readonly name: string;
  readonly artifact: string;
  readonly image: SimImage;
  readonly fingerprint: string;
  containerId: string;
  running: boolean;
  restarts: number;
  files: Map<string, string>;
  ledger: Map<string, LedgerLine>;
  /** What was compiled last, by the files it was made from. */
  binary: ReadonlyMap<string, string>;
  /** The files that its process has read, or was compiled from. */
  loaded: ReadonlyMap<string, string>;
  /** When its reloader begins to notice what is written. */
  watchesFrom: number;
}

export interface SimRelease {
  fingerprint: string;
  appliedAt: number;
  images: SeenRelease['images'];
  readonly pods: SimPod[];
  /** Manifest text that was applied, apart from the workload: an apply can stop between the two. */
  config: string;
  rollout: Rollout;
}

export function seenContainers(release: SimRelease, snapshots: ReadonlyMap<string, Snapshot>): readonly SeenContainer[] {
  return release.pods.map((pod) => ({
    id: pod.containerId,
    artifact: pod.artifact,
    namespace: 'default',
    pod: pod.name,
    podUid: pod.name,
    container: 'main',
    running: pod.running,
    inputsHash: pod.image.inputsHash,
    restarts: pod.restarts,
    snapshot: snapshots.get(pod.image.inputsHash),
  }));
}
