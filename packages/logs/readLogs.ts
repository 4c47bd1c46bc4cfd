import type { Kube } from '../clients';
import type { Problem } from '../model';
import { readStamp } from './logCursor';
import type { LoggedContainer, LogLine } from './loggedContainer';
import { eachWholeLine, isKubelets } from './logText';

export interface ReadLogsRequest {
  readonly kube: Pick<Kube, 'logs'>;
  readonly containers: readonly LoggedContainer[];
  readonly since?: Date;
  /** Only so many of the last lines of each container. */
  readonly tail?: number;
  readonly signal: AbortSignal;
}

/** What containers have logged so far, in the order of time. A log that cannot be read is a problem, and the others are read all the same. */
export async function readLogs({ kube, containers, since, tail, signal }: ReadLogsRequest): Promise<{
  readonly lines: readonly LogLine[];
  readonly problems: readonly Problem[];
}> {
  const problems: Problem[] = [];
  const stamped: { readonly at: string; readonly line: LogLine }[] = [];
  await Promise.all(
    containers.map(async ({ service, artifact, namespace, pod, container }) => {
      const answer = await kube.logs({
        namespace,
        pod,
        container,
        timestamps: true,
        signal,
        ...(since === undefined ? {} : { sinceTime: since.toISOString() }),
        ...(tail === undefined ? {} : { tailLines: tail }),
      });
      if (!answer.ok) {
        problems.push(answer.problem);
        return;
      }
      // A line without a time stays behind the one before it.
      let last = '';
      const take = (text: string): void => {
        const read = readStamp(text);
        if (isKubelets(read)) return;
        if (read.at !== '') last = read.at;
        stamped.push({ at: last, line: { service, artifact, pod, container, time: read.stamp, line: read.line } });
      };
      const rest = await eachWholeLine(answer.value, take);
      if (rest !== '') take(rest);
    }),
  );
  stamped.sort((one, other) => (one.at < other.at ? -1 : one.at > other.at ? 1 : 0));
  return { lines: stamped.map(({ line }) => line), problems };
}
