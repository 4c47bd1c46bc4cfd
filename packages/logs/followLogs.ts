import type { Kube } from '../clients';
import { ContainerLog } from './containerLog';
import type { LoggedContainer, LogLine } from './loggedContainer';

export interface FollowLogsRequest {
  readonly kube: Pick<Kube, 'logs'>;
  readonly onLine: (line: LogLine) => void;
  /** Of containers that run already when following begins, only lines from this time on are wanted. */
  readonly since?: Date;
  /** Of those, only so many of the last lines of each. */
  readonly tail?: number;
}

export interface LogFollower {
  /** The containers there are now. The first call says which of them were there before. */
  update(containers: readonly LoggedContainer[]): void;
  stop(): void;
}

/**
 * Follows the logs of a set of containers: one stream each, from when it starts until it has ended and was read whole. Lines are
 * neither lost nor doubled when a connection breaks or a container restarts, and never held back.
 */
export function followLogs({ kube, onLine, since, tail }: FollowLogsRequest): LogFollower {
  const logs = new Map<string, ContainerLog>();
  let first = true;
  return {
    update(containers) {
      const listed = new Set<string>();
      for (const container of containers) {
        const key = `${container.podUid} ${container.container}`;
        listed.add(key);
        const log = logs.get(key);
        if (log) {
          log.update(container);
          continue;
        }
        const { service, artifact, pod, container: name } = container;
        const started: ContainerLog = new ContainerLog({
          kube,
          container,
          // A node's clock may differ from this one's; what starts later is read whole.
          since: first ? since?.toISOString() : undefined,
          tail: first ? tail : undefined,
          onLine: ({ line, stamp }) => onLine({ service, artifact, pod, container: name, time: stamp, line }),
          onEnd: () => {
            if (logs.get(key) === started) logs.delete(key);
          },
        });
        logs.set(key, started);
      }
      for (const [key, log] of logs) if (!listed.has(key)) log.leave();
      first = false;
    },
    stop() {
      for (const log of logs.values()) log.stop();
      logs.clear();
    },
  };
}
