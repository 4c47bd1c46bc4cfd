import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** How long a connection to a pod stays open after the local side has said that it sends no more. */
const patienceMs = { awaitingAnswer: 60_000, answered: 1_000 };

/** A request that is longer is not kept to be sent again: memory would grow with every upload. */
const keptBytes = 8 * 1024 * 1024;

/**
 * Passes bytes both ways until both are done. A pod cannot be told that the local side sends no more, and the local side may
 * have closed for good or still be waiting for its answer: so it is waited for while the last bytes were a request, and soon
 * given up when they were an answer. Answers the error of the pod's side when not one byte came from it, with what was sent.
 */
export function relay(
  local: Socket,
  remote: Duplex,
  sentBefore: readonly Buffer[],
): Promise<{ readonly refused: Error; readonly sent: readonly Buffer[] } | undefined> {
  return new Promise((resolve) => {
    let sent: Buffer[] | undefined = [...sentBefore];
    let sentBytes = sent.reduce((sum, { length }) => sum + length, 0);
    let answeredLast = false;
    let idle: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (refused?: Error): void => {
      if (ended) return;
      ended = true;
      clearTimeout(idle);
      local.off('data', toRemote);
      local.off('end', localEnded);
      local.off('error', localGone);
      local.off('close', localGone);
      remote.destroy();
      resolve(refused && sent ? { refused, sent } : undefined);
    };
    const waitFor = (): void => {
      if (!local.readableEnded) return;
      clearTimeout(idle);
      idle = setTimeout(() => localGone(), answeredLast ? patienceMs.answered : patienceMs.awaitingAnswer);
    };
    const toRemote = (chunk: Buffer): void => {
      answeredLast = false;
      sentBytes += chunk.length;
      if (sentBytes > keptBytes) sent = undefined;
      sent?.push(chunk);
      if (!remote.write(chunk)) {
        local.pause();
        remote.once('drain', () => local.resume());
      }
    };
    const localEnded = (): void => waitFor();
    const localGone = (): void => {
      local.destroy();
      end();
    };
    local.on('data', toRemote);
    local.on('end', localEnded);
    local.on('error', localGone);
    local.on('close', localGone);
    remote.on('data', (chunk: Buffer) => {
      sent = undefined;
      answeredLast = true;
      waitFor();
      if (!local.write(chunk)) {
        remote.pause();
        local.once('drain', () => remote.resume());
      }
    });
    remote.on('end', () => {
      local.end();
      end();
    });
    remote.on('error', (error) => {
      // A process that does not listen yet refuses before it has read anything, so the request can be sent again.
      if (sent && /refused/.test(error.message) && !local.destroyed) {
        end(error);
        return;
      }
      local.destroy();
      end();
    });
    remote.on('close', () => {
      if (!ended) local.destroy();
      end();
    });
    for (const chunk of sentBefore) remote.write(chunk);
    if (local.readableEnded) waitFor();
  });
}
