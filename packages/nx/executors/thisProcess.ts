import { Interruption } from '../../report';
import type { Surroundings } from './execute';

/**
 * The process that Nx made for an executor, for as long as `run` takes. From Nx 23 on it has 5 s after the first signal
 * (NX_PROCESS_KILL_GRACE_PERIOD). Nx 22 leaves at once, mostly without a word to it: the closed channel is the sign to clean up and end.
 */
export async function inThisProcess<T>(run: (surroundings: Surroundings) => Promise<T>): Promise<T> {
  const { stdout, env } = process;
  const interruption = new Interruption({
    now: () => performance.now(),
    // Nx passes on the signal that the terminal has sent already, and takes its time.
    sameInterruptMs: 1000,
    breakLine: () => undefined,
    say: (text) => stdout.write(`${text}\n`),
    leave: (exitCode) => process.exit(exitCode),
  });
  // When Nx has left, nobody reads what is said; cleaning up must not fail of that.
  const unheard = () => undefined;
  const stopListening = interruption.listenTo(process);
  process.on('disconnect', interruption.abandon);
  stdout.on('error', unheard);
  try {
    return await run({ stdout, env, signal: interruption.signal, report: interruption.report });
  } finally {
    stopListening();
    process.off('disconnect', interruption.abandon);
    stdout.off('error', unheard);
  }
}
