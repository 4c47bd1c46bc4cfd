import type { Kube, KubeObject } from '../clients';
import { valueOf } from './localRegistry';

const appliedKinds = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
];

/** Everything in a namespace but what every namespace has, as `Kind/name`. */
export async function objectsIn(kube: Kube, namespace: string): Promise<readonly string[]> {
  const kinds = [...appliedKinds, { apiVersion: 'apps/v1', kind: 'ReplicaSet' }, { apiVersion: 'v1', kind: 'Pod' }];
  const lists = await Promise.all(kinds.map((kind) => kube.list(kind, { namespace })));
  return lists
    .flatMap((list) => valueOf(list))
    .map(({ kind, metadata }) => `${kind}/${metadata.name ?? ''}`)
    .filter((name) => name !== 'ConfigMap/kube-root-ca.crt');
}

/** What was wanted of the objects that are applied, as text by `Kind/name`. What controllers and Slipway write for themselves is no part of it. */
export async function objectStates(kube: Kube, namespace: string): Promise<ReadonlyMap<string, string>> {
  const lists = await Promise.all(appliedKinds.map((kind) => kube.list(kind, { namespace })));
  const objects = lists.flatMap((list) => valueOf(list)).filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
  return new Map(
    objects.map(({ kind, metadata, spec, data }: KubeObject & { readonly spec?: unknown; readonly data?: unknown }) => {
      const { uid, labels = {}, annotations = {} } = metadata;
      const own = Object.entries(annotations).filter(([name]) => !/^(slipway\.dev|deployment\.kubernetes\.io)\//.test(name));
      return [`${kind}/${metadata.name ?? ''}`, JSON.stringify([uid, labels, own, spec, data])];
    }),
  );
}
