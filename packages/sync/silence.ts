const firstSilenceMs = 6_000;
const longestSilenceMs = 60_000;

/**
 * How long a process that was started in a container may say nothing, after so many tries that came to nothing. A stream that leads nowhere (its process was killed as it started, its node
 * went away) is given up in seconds; a machine that is merely busy gets twice the time at each further try. Milliseconds.
 */
export function silenceMs(failedTries: number): number {
  return Math.min(firstSilenceMs * 2 ** failedTries, longestSilenceMs);
}
