import { createHash } from 'node:crypto';
import type { KindRef, KubeObject } from '../clients';
import type { ReleaseName } from '../model';

/** Whose an object is: a workspace (a short hash of its own choosing) and a release in it. Never a session: restarting Slipway must change nothing. */
export interface Owner {
  readonly workspaceId: string;
  readonly release: ReleaseName;
}

export const labels = {
  managedBy: 'app.kubernetes.io/managed-by',
  workspace: 'slipway.dev/workspace',
  release: 'slipway.dev/release',
} as const;

export const annotations = {
  /** What the object was applied from. */
  fingerprint: 'slipway.dev/fingerprint',
  /** On what helm installs, where `fingerprint` is a stamp that helm knows nothing of: what its chart and the images in its values were. */
  chart: 'slipway.dev/chart-fingerprint',
  /** When, and how many objects came with it: `AppliedStamp` as JSON. */
  applied: 'slipway.dev/applied',
  /** On workloads: artifact → `{ref, inputsHash}` as JSON, so that a later session knows what runs. */
  images: 'slipway.dev/images',
  /** On pod templates: container → `{artifact, inputs}` as JSON. */
  artifacts: 'slipway.dev/artifacts',
  /** On pod templates: a hash of the ConfigMaps and Secrets of the release that the pod reads, so that a changed one rolls the pods. */
  config: 'slipway.dev/config-hash',
} as const;

/** One apply of a release. Without the count a half-applied release would look whole; without the time a left-over object would look current. */
export interface AppliedStamp {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** How many objects of `trackedKinds` the apply had. */
  readonly objects: number;
  /** Where it had objects that would not be looked for: the record by which they are found again. Absent: nowhere. */
  readonly also?: AppliedPlaces;
}

export interface AppliedPlaces {
  /** The namespace of the release: one that is deployed to two has other objects in each. */
  readonly home: string;
  /** Besides `home`. */
  readonly namespaces: readonly string[];
  /** Besides `removableKinds`. */
  readonly kinds: readonly KindRef[];
}

/** What an object carries of the apply that brought it; undefined for what was not applied, or by somebody who writes in another way. */
export function stampOf({ metadata }: KubeObject): AppliedStamp | undefined {
  try {
    return JSON.parse(metadata.annotations?.[annotations.applied] ?? '') as AppliedStamp;
  } catch {
    return undefined;
  }
}

/** As another tool installs it: what the whole release was applied from is none of its business, and is stamped on afterwards. */
export function withoutFingerprint(object: KubeObject): KubeObject {
  const kept = { ...object.metadata.annotations };
  Reflect.deleteProperty(kept, annotations.fingerprint);
  return { ...object, metadata: { ...object.metadata, annotations: kept } };
}

/** Whether an object was applied with those of a namespace, and not by the same release as it is deployed to another one. */
export function isOfHome(object: KubeObject, home: string): boolean {
  const also = stampOf(object)?.also;
  return also === undefined || also.home === home;
}

/** A name as a label's value: itself where it may be one, else its legal characters and a short hash of it. */
export function labelValue(name: string): string {
  if (/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(name)) return name;
  const legal = name.replace(/[^\w.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return `${legal.slice(0, 50)}-${createHash('sha256').update(name).digest('hex').slice(0, 10)}`.replace(/^-/, '');
}

/** The labels of pod templates. They are the same for ever, so they never roll a pod. */
export function templateLabels(owner: Owner): Readonly<Record<string, string>> {
  return { [labels.workspace]: owner.workspaceId, [labels.release]: labelValue(owner.release) };
}

export function ownerLabels(owner: Owner): Readonly<Record<string, string>> {
  return { [labels.managedBy]: 'slipway', ...templateLabels(owner) };
}

/** What helm writes on every object of its releases; nobody else's `managed-by` counts. */
const helmRelease = { name: 'meta.helm.sh/release-name', namespace: 'meta.helm.sh/release-namespace' } as const;

/** The release of helm that an object belongs to; undefined when Slipway itself applied it. */
export function helmReleaseOf({ metadata }: KubeObject): { readonly name: string; readonly namespace: string } | undefined {
  const name = metadata.annotations?.[helmRelease.name];
  if (name === undefined || metadata.labels?.[labels.managedBy] !== 'Helm') return undefined;
  return { name, namespace: metadata.annotations?.[helmRelease.namespace] ?? metadata.namespace ?? '' };
}

/** Whether an object was applied by Slipway, or by helm for it, for any release of a workspace. */
export function isOfWorkspace(object: KubeObject, workspaceId: string): boolean {
  const { [labels.workspace]: workspace, [labels.managedBy]: manager } = object.metadata.labels ?? {};
  return workspace === workspaceId && (manager === 'slipway' || helmReleaseOf(object) !== undefined);
}

export function isOwned(object: KubeObject, owner: Owner): boolean {
  return isOfWorkspace(object, owner.workspaceId) && object.metadata.labels?.[labels.release] === labelValue(owner.release);
}

/** Selects at the API server what a release owns, and the pods that come of it. */
export function ownerSelector(owner: Owner): string {
  return selectorOf(templateLabels(owner));
}

/** helm leaves it when its release is uninstalled, so it says nothing of whether there is one. */
export function isKept({ metadata }: KubeObject): boolean {
  return metadata.annotations?.['helm.sh/resource-policy'] === 'keep';
}

export function selectorOf(wanted: Readonly<Record<string, string>>): string {
  return Object.entries(wanted)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
