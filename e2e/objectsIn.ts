import type { Kube } from '../clients';
import { valueOf } from './localRegistry';

/** Everything in a namespace but what every namespace has, as `Kind/name`. */
export async function objectsIn(kube: Kube, namespace: string): Promise<readonly string[]> {
  const kinds = [
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
    { apiVersion: 'v1', kind: 'Service' },
    { apiVersion: 'v1', kind: 'ConfigMap' },
    { apiVersion: 'v1', kind: 'Pod' },
  ];
  const lists = await Promise.all(kinds.map((kind) => kube.list(kind, { namespace })));
  return lists
    .flatMap((list) => valueOf(list))
    .map(({ kind, metadata }) => `${kind}/${metadata.name ?? ''}`)
    .filter((name) => name !== 'ConfigMap/kube-root-ca.crt');
}
