import { setImmediate } from 'node:timers/promises';

/**
 * Lets long synchronous work give way. Synchronous file calls are several times faster than asynchronous ones for small files
 * (10,000 of 2 KB: 76 ms against 160 to 550), as long as the loop gets its turn between slices.
 */
export interface Pace {
  /** Whether a slice is used up: then `rest` is to be awaited before going on. */
  due(): boolean;
  rest(): Promise<void>;
}

export function paceOf(sliceMs: number): Pace {
  let end = performance.now() + sliceMs;
  return {
    due: () => performance.now() >= end,
    async rest() {
      await setImmediate();
      end = performance.now() + sliceMs;
    },
  };
}
