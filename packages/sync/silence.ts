import type { Exec } from '../clients';

const firstSilenceMs = 6_000;
const longestSilenceMs = 60_000;

/**
 * How long a process that was started in a container may say nothing, after so many tries that came to nothing. A stream that leads nowhere (its process was killed as it started, its node
 * went away) is given up in seconds; a machine that is merely busy gets twice the time at each further try. Milliseconds.
 */
export function silenceMs(failedTries: number): number {
  return Math.min(firstSilenceMs * 2 ** failedTries, longestSilenceMs);
}

export interface Heard<Answer> {
  readonly answer: Answer;
  /** It was closed because it said nothing for so long. */
  readonly wasSilent: boolean;
}

/** Hears what was started out, and closes it when it says nothing for so long; default: as long as at the first try. */
export async function unlessSilent<Answer>(exec: Exec, limitMs: number | undefined, hear: () => Promise<Answer>): Promise<Heard<Answer>> {
  let wasSilent = false;
  const timer = setTimeout(
    () => {
      wasSilent = true;
      exec.close();
    },
    limitMs ?? silenceMs(0),
  );
  const onData = (): void => void timer.refresh();
  try {
    // Whoever hears takes the first word too: what nobody listens to yet would be lost to them.
    const hearing = hear();
    exec.stdout.on('data', onData);
    const answer = await hearing;
    return { answer, wasSilent };
  } finally {
    // A timer that is cleared and then refreshed runs again.
    exec.stdout.off('data', onData);
    clearTimeout(timer);
  }
}
