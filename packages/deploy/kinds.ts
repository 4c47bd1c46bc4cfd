import type { KindRef, KubeObject, ObjectRef } from '../clients';
import { isKept } from './ownership';

/** `deployment/worker`, as people type it. */
export function nameOf(object: { readonly kind: string; readonly metadata: { readonly name?: string } }): string {
  return `${object.kind.toLowerCase()}/${object.metadata.name ?? ''}`;
}

export function groupOf(kind: KindRef): string {
  const slash = kind.apiVersion.indexOf('/');
  return slash < 0 ? '' : kind.apiVersion.slice(0, slash);
}

const builtInGroups = new Set([
  '',
  'apps',
  'batch',
  'autoscaling',
  'policy',
  'networking.k8s.io',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'scheduling.k8s.io',
  'apiextensions.k8s.io',
  'admissionregistration.k8s.io',
  'apiregistration.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'node.k8s.io',
]);

const clusterScoped = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
  'StorageClass',
  'CSIDriver',
  'CSINode',
  'VolumeAttachment',
  'PriorityClass',
  'IngressClass',
  'RuntimeClass',
  'APIService',
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

/** Whether objects of a kind live in namespaces, as far as it is known without asking a cluster. */
export function isNamespaced(kind: KindRef): boolean | undefined {
  if (!builtInGroups.has(groupOf(kind))) return undefined;
  return !clusterScoped.has(kind.kind);
}

/** What must be there before what. Objects of one wave do not wait for one another. */
export const waves = ['namespaces', 'definitions', 'config', 'workloads'] as const;
export type Wave = (typeof waves)[number];

const workloadKinds = new Set(['Pod', 'Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']);

/** What others name: a claim that comes before its storage class is told that there is none. */
const definitionKinds = new Set([
  'CustomResourceDefinition',
  'StorageClass',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'IngressClass',
]);

export function waveOf(kind: KindRef): Wave {
  if (kind.kind === 'Namespace' && groupOf(kind) === '') return 'namespaces';
  if (isNamespaced(kind) === false && definitionKinds.has(kind.kind)) return 'definitions';
  // A custom resource may start pods and may need config; nothing of the release can be told to need it.
  if (workloadKinds.has(kind.kind) || isNamespaced(kind) === undefined) return 'workloads';
  return 'config';
}

/** Whose live objects tell what a release was applied from. Secrets are left out, so that no watch carries their values. */
export const trackedKinds: readonly KindRef[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
];

export function isTracked(object: KubeObject): boolean {
  return !isKept(object) && trackedKinds.some((kind) => kind.kind === object.kind && kind.apiVersion === object.apiVersion);
}

/** What may go by itself once it has done its work: that it is not there any more says nothing of the release. */
export const transientKinds: readonly KindRef[] = [
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'Pod' },
];

/** Whose removal would take along what others made. */
export const holdsOthers: ReadonlySet<string> = new Set(['Namespace', 'CustomResourceDefinition']);

/** A claim that stays is of no use without the volume that it has. */
export const holdsData: ReadonlySet<string> = new Set(['PersistentVolumeClaim', 'PersistentVolume']);

/** What is looked through when a release is removed, besides the kinds its manifests name. Workloads first: they use the rest. */
export const removableKinds: readonly KindRef[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'batch/v1', kind: 'Job' },
  { apiVersion: 'v1', kind: 'Pod' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
  { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role' },
  { apiVersion: 'v1', kind: 'ServiceAccount' },
];

export function kindOf(object: KubeObject): KindRef {
  return { apiVersion: object.apiVersion, kind: object.kind };
}

export function refOf(object: KubeObject): ObjectRef {
  const { name, namespace } = object.metadata;
  return { ...kindOf(object), name: name ?? '', ...(namespace === undefined ? {} : { namespace }) };
}

/** Each kind once, whatever its version. */
export function distinctKinds(kinds: readonly KindRef[]): readonly KindRef[] {
  return kinds.filter((kind, index) => kinds.findIndex((other) => sameKind(other, kind)) === index);
}

export function sameKind(a: KindRef, b: KindRef): boolean {
  return a.kind === b.kind && groupOf(a) === groupOf(b);
}
