import type { KubeObject } from '../clients';
import { leavesOf, type ContainerPath, type DirEntry } from '../model';
import type { LedgerEntry } from '../sync';

interface PodSpec {
  readonly containers?: readonly MountingContainer[];
  readonly volumes?: readonly Readonly<Record<string, unknown>>[];
}

interface MountingContainer {
  readonly name: string;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: ContainerPath; readonly readOnly?: boolean }[];
}

/** Volumes whose files Kubernetes brings itself: nothing is written there. */
const broughtByKubernetes = ['configMap', 'secret', 'projected', 'downwardAPI'];

/** Where a container has volumes that it can write to: what its image has there is not seen. */
export function writableMounts(pod: KubeObject | undefined, container: string): readonly ContainerPath[] {
  const { containers = [], volumes = [] } = (pod?.['spec'] ?? {}) as PodSpec;
  const writable = new Set(volumes.filter((volume) => !broughtByKubernetes.some((kind) => kind in volume)).map(({ name }) => name));
  const mounts = containers.find(({ name }) => name === container)?.volumeMounts ?? [];
  return mounts.flatMap(({ name, mountPath, readOnly }) =>
    readOnly !== true && writable.has(name) ? [mountPath.replace(/\/+$/, '')] : [],
  );
}

/**
 * What is known of a container below the volumes that it has: of what its image has there nothing, of what a ledger tells all. A volume may
 * outlive containers, or be empty when one begins.
 */
export function behindMounts(image: DirEntry, mounts: readonly ContainerPath[], ledger: readonly LedgerEntry[]): readonly LedgerEntry[] {
  if (mounts.length === 0) return [];
  const told = new Set(ledger.map(([path]) => path));
  return [...leavesOf(image)].flatMap(([at]): readonly LedgerEntry[] => {
    const path = `/${at}`;
    return mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)) && !told.has(path) ? [[path, null]] : [];
  });
}
