import { setTimeout as pause } from 'node:timers/promises';

/** Generous: it ends a test that would never end, and measures nothing. */
const usualLimitMs = 120_000;
const askAgainMs = 20;

/** Asks until there is an answer. Rejects with what was waited for, and with what there was instead, when there is none in time. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | Promise<T | undefined>,
  instead: () => string = () => '',
  limitMs = usualLimitMs,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1000} s: ${what}\n${instead()}`);
    await pause(askAgainMs);
  }
}
