/** Of what a service writes beyond so many lines within a window, only the last ones are shown: nobody reads the rest. */
export const linesInWindow = 100;
export const windowMs = 1000;
/** What a process says last is often why it ends. */
const lastLines = 20;

/** What one service writes in the present window. */
export interface Flood {
  readonly since: number;
  readonly lines: number;
  /** The last of those that are not shown as they come. */
  readonly last: readonly string[];
}

/** The window with a line in it, and whether the line is shown as it comes. A window that is over has told of the rest. */
export function counted(before: Flood | undefined, line: string, now: number): { readonly flood: Flood; readonly isShown: boolean } {
  if (!before || now - before.since >= windowMs) return { flood: { since: now, lines: 1, last: [] }, isShown: true };
  const lines = before.lines + 1;
  if (lines <= linesInWindow) return { flood: { ...before, lines }, isShown: true };
  return { flood: { ...before, lines, last: [...before.last.slice(1 - lastLines), line] }, isShown: false };
}

/** How much is left out between what was shown and the last lines; undefined when nothing is. */
export function leftOut({ lines, last }: Flood): string | undefined {
  const count = lines - linesInWindow - last.length;
  return count === 0 ? undefined : `… ${count.toLocaleString('en-US')} lines left out, too many to read`;
}
