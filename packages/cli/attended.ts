/** What a process has to do with a terminal. */
export interface Surroundings {
  readonly stdin: { readonly isTTY?: boolean };
  readonly stdout: { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Whether somebody sits at a terminal that is ours alone. A task of turbo has one of its own, but what it writes there is put behind a prefix line by
 * line, and beside what other tasks write: nothing in it can be redrawn. Only its tasks have a `TURBO_HASH`.
 */
export function isAttended({ stdin, stdout, env }: Surroundings): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && !env['CI'] && env['TURBO_HASH'] === undefined;
}
