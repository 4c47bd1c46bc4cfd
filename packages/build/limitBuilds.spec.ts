import { failed, type Problem } from '../model';
import type { Builder, BuildJob } from './builder';
import { limitBuilds } from './limitBuilds';

const problem: Problem = { code: 'aborted', message: 'stopped', retry: 'never', exitCode: 1 };

/** Builds that run until they are told to end, by reference. */
function openBuilds(limit: number) {
  const running = new Map<string, () => void>();
  let most = 0;
  const builder: Builder = {
    build: ({ ref, signal }) =>
      new Promise((resolve) => {
        const end = (): void => {
          running.delete(ref);
          resolve(failed(problem));
        };
        if (signal.aborted) {
          end();
          return;
        }
        running.set(ref, end);
        most = Math.max(most, running.size);
      }),
  };
  const limited = limitBuilds(builder, limit);
  const start = (ref: string, signal = new AbortController().signal) => limited.build({ ref, signal } as BuildJob);
  return { running, start, most: () => most };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('limitBuilds', () => {
  it('runs so many at a time, in the order they came', async () => {
    const { running, start, most } = openBuilds(2);
    const started = ['a', 'b', 'c', 'd', 'e'].map((ref) => start(ref));
    const seen: string[] = [];
    while (running.size > 0 || seen.length < 7) {
      await turn();
      const [ref, end] = [...running][0] ?? [];
      if (ref === undefined) continue;
      seen.push(ref);
      end?.();
      // One that comes just as another ends does not slip in before those that wait.
      if (ref === 'a') started.push(start('f'));
      if (ref !== 'b') continue;
      await turn();
      started.push(start('g'));
    }
    await Promise.all(started);
    expect([...seen]).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    expect(most()).toBe(2);
  });

  it('lets one that was aborted while it waited end at once, and the others as before', async () => {
    const { running, start, most } = openBuilds(1);
    const stop = new AbortController();
    const first = start('a');
    const aborted = start('b', stop.signal);
    const last = start('c');
    stop.abort();
    expect((await aborted).ok).toBe(false);
    expect([...running.keys()]).toEqual(['a']);
    running.get('a')?.();
    await first;
    await turn();
    expect([...running.keys()]).toEqual(['c']);
    running.get('c')?.();
    await last;
    expect(most()).toBe(1);
  });
});
