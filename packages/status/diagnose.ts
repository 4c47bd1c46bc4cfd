import { text } from 'node:stream/consumers';
import type { PodTrouble } from './podTrouble';
import type { KubeEvent, Pod } from './shapes';
import type { WatchedKube } from './shareWatches';

/** What the cluster could still tell about a pod in trouble. */
export interface Diagnosis {
  /** The last lines of the log of the container that failed. */
  readonly lines: readonly string[];
  readonly events: readonly KubeEvent[];
}

/** The kubelet answers with a sentence of its own where a log is gone, or not there yet. */
const kubelets = /^(unable to retrieve container logs for|failed to try resolving symlinks|failed to open log file) /;

const lineCount = 10;
/** A failure is not held back for its details for longer than this. */
const patienceMs = 2_000;

/** Reads the log and the events of a pod. What cannot be read is left out. */
export async function diagnose(kube: WatchedKube, pod: Pod, log: PodTrouble['log']): Promise<Diagnosis> {
  const signal = AbortSignal.timeout(patienceMs);
  const [lines, events] = await Promise.all([log ? lastLines(kube, pod, log, signal) : [], eventsOf(kube, pod)]);
  return { lines, events };
}

async function lastLines(
  kube: WatchedKube,
  pod: Pod,
  { container, previous }: NonNullable<PodTrouble['log']>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { name = '', namespace = '' } = pod.metadata;
  const answer = await kube.logs({ namespace, pod: name, container, previous, tailLines: lineCount, signal });
  if (!answer.ok) return [];
  try {
    const lines = (await text(answer.value)).split(/\r?\n/);
    return lines.filter((line) => line.trim() !== '' && !kubelets.test(line)).slice(-lineCount);
  } catch {
    return [];
  }
}

/** The events of a pod; none when they cannot be read. */
export async function eventsOf(kube: WatchedKube, pod: Pod): Promise<readonly KubeEvent[]> {
  const { namespace = '', uid = '' } = pod.metadata;
  const answer = await kube.list({ apiVersion: 'v1', kind: 'Event' }, { namespace, fieldSelector: `involvedObject.uid=${uid}` });
  return answer.ok ? answer.value : [];
}
