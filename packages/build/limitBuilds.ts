import { availableParallelism } from 'node:os';
import type { Builder } from './builder';

/** Lets so many builds run at a time; the others wait in the order they came. One that is aborted meanwhile goes through, to say so. */
export function limitBuilds(builder: Builder, limit = Math.min(availableParallelism(), 4)): Builder {
  let running = 0;
  const waiting = new Set<() => void>();

  /** A build that ends hands its place over, so that nobody can slip in between. */
  const place = async (signal: AbortSignal): Promise<void> => {
    if (running < limit) {
      running++;
      return;
    }
    await new Promise<void>((resolve) => {
      const take = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(take);
        running++;
        resolve();
      };
      waiting.add(take);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  };
  const leave = (): void => {
    const [next] = waiting;
    // Those that gave up run beside the limit: their places are not handed over.
    if (next && running <= limit) {
      waiting.delete(next);
      next();
    } else {
      running--;
    }
  };

  return {
    async build(job) {
      await place(job.signal);
      try {
        return await builder.build(job);
      } finally {
        leave();
      }
    },
  };
}
