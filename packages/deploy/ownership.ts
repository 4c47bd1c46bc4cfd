import { createHash } from 'node:crypto';
import type { KubeObject } from '../clients';
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

export function isOwned(object: KubeObject, owner: Owner): boolean {
  return Object.entries(ownerLabels(owner)).every(([name, value]) => object.metadata.labels?.[name] === value);
}

/** Selects what a release owns at the API server. */
export function ownerSelector(owner: Owner): string {
  return selectorOf(ownerLabels(owner));
}

export function selectorOf(wanted: Readonly<Record<string, string>>): string {
  return Object.entries(wanted)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
