import type { Problem } from '../model';
import type { ContainerStatus, Pod } from './shapes';

/** Why a pod will not become ready by itself, as far as it shows. */
export interface PodTrouble {
  readonly problem: Problem;
  /** From when on it counts, milliseconds since 1970: some troubles often pass within seconds. */
  readonly certainAt: number;
  /** Something was busy and tries again: worth telling while it lasts. */
  readonly passes?: true;
  /** Where the reason may be written: the log of a container that ended, or of the one before it. */
  readonly log: { readonly container: string; readonly previous: boolean } | undefined;
  /** Where the manifest says what is to be mended: `spec.containers[name="web"].image`, as a pod has it. */
  readonly field: string | undefined;
}

export interface TroubleText {
  /** One of those in DIAGNOSES.md. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** See `Problem`. */
  readonly sharedCause?: string;
}

export function trouble(text: TroubleText, more: Partial<Omit<PodTrouble, 'problem'>> = {}): PodTrouble {
  return { problem: { ...text, retry: 'whenInputChanges', exitCode: 1 }, certainAt: 0, log: undefined, field: undefined, ...more };
}

export function nameOfPod(pod: Pod): string {
  return `pod ${pod.metadata.name ?? ''}`;
}

/** What tells more of a pod, or of what it has in its namespace: `kubectl describe pod web-1 --namespace shop`. */
export function describeCommand({ metadata: { name = '', namespace } }: Pod, what = `pod ${name}`): string {
  return `kubectl describe ${what}${namespace === undefined ? '' : ` --namespace ${namespace}`}`;
}

/** `pod web-1, container web` */
export function nameOfContainer(pod: Pod, { name }: Pick<ContainerStatus, 'name'>): string {
  return `${nameOfPod(pod)}, container ${name}`;
}

export function specOf(pod: Pod, { name }: Pick<ContainerStatus, 'name'>) {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((container) => container.name === name);
}

/** The path of a container's field in its pod. */
export function fieldOf(pod: Pod, { name }: Pick<ContainerStatus, 'name'>, below: string): string {
  const list = pod.spec?.initContainers?.some((container) => container.name === name) === true ? 'initContainers' : 'containers';
  return `spec.${list}[name="${name}"].${below}`;
}

export function sentence(text: string): string {
  return text.trim().replace(/\.$/, '');
}
