import { stripVTControlCharacters } from 'node:util';
import type { TargetEnd } from '../graph';
import type { TargetId } from '../model';

/** A task's own block begins with the first of these; the second says, in a line, how a task ended of which nothing else is shown. */
const blockStart = /^> nx run (\S+?)(?:\s{2,}\[.*\])?$/;
const ended = /^\s*(✔|✖)\s+(?:nx run )?(\S+:\S+?)(?:\s{2,}[[(].*[\])])?(?:\s{2,}\S+)?$/;
const heading = /^\s*(?:NX|❯?\s*NX)\s{2,}\S/;
const failedHeading = /^Failed tasks:$/;
const failedTask = /^- (\S+:\S+)$/;

const own: readonly RegExp[] = [
  /^> /,
  ended,
  heading,
  failedHeading,
  failedTask,
  /^\s*(Run duration|Cache|Critical path|Recoverable time):\s/,
  /^Hint: run the command with --verbose/,
  /^Warning: (run-commands )?command ".*" exited with non-zero status code/i,
  /^Warning: run-commands command .* exited with non-zero status code$/i,
  /^(Nx read the output from the cache|Output of \d+ successful tasks? w(as|ere) not shown)/,
  /^View (logs|structured)/,
  /^npm warn Unknown (user|env|project|builtin|cli) config/i,
];

/** Whether Nx says a line about itself: what it runs, how long that took, what failed in the end. */
export function isOwnLine(line: string): boolean {
  const text = stripVTControlCharacters(line).trimEnd();
  return own.some((pattern) => pattern.test(text));
}

/**
 * How targets of `nx run-many --output-style=static` ended, where that is said beyond doubt: a mark says that one is done, the list at the
 * end which have failed. Those that were skipped because another failed are in neither.
 */
export function outcomesIn(lines: readonly string[]): ReadonlyMap<TargetId, TargetEnd> {
  const ends = new Map<TargetId, TargetEnd>();
  const blocks = new Map<TargetId, string[]>();
  let block: string[] | undefined;
  let listing = false;
  for (const line of lines) {
    const text = stripVTControlCharacters(line).trimEnd();
    const started = blockStart.exec(text)?.[1];
    const end = ended.exec(text);
    if (started !== undefined) blocks.set(started, (block = []));
    else if (heading.test(text)) block = undefined;
    else if (end?.[2] !== undefined) {
      block = undefined;
      if (end[1] === '✔') ends.set(end[2], { ok: true });
    } else if (failedHeading.test(text)) listing = true;
    else if (listing) {
      const id = failedTask.exec(text)?.[1];
      if (id !== undefined) ends.set(id, { ok: false, lines: blocks.get(id) ?? [] });
      else if (text !== '') listing = false;
    } else if (!isOwnLine(line)) block?.push(line);
  }
  return ends;
}
