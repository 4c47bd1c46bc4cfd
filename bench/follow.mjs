import { existsSync, openSync, readSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/** Follows the lines of a file that grows. */
export function follow(file) {
  let handle;
  let rest = '';
  const events = [];
  const buffer = Buffer.alloc(1 << 16);
  return {
    events,
    read() {
      if (handle === undefined && existsSync(file)) handle = openSync(file, 'r');
      if (handle === undefined) return;
      for (let length = readSync(handle, buffer); length > 0; length = readSync(handle, buffer)) {
        const lines = (rest + buffer.toString('utf8', 0, length)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) events.push(JSON.parse(line));
      }
    },
  };
}

/** Asks until the answer is something. */
export async function until(what, ask, limitMs = 120_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`still not so after ${limitMs} ms: ${what}`);
    await pause(1);
  }
}
