import { text } from 'node:stream/consumers';
import type { Pod } from './shapes';
import type { WatchedKube } from './shareWatches';
import type { PodTrouble } from './trouble';

/** The kubelet answers with a sentence of its own where a log is gone, or not there yet. */
const kubelets = /^(unable to retrieve container logs for|failed to try resolving symlinks|failed to open log file) /;

const lineCount = 20;

/** The last lines of the log of a pod's container; none when it cannot be read. */
export async function lastLines(
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
