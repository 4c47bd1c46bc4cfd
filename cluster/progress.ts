/** Where sentences for a person go, one at a time and without a line end. */
export type Say = (line: string) => void;

/** What `up` and `down` tell while they work: one line for each step that ended, with the seconds since the first. */
export interface Progress {
  /** Tells a fact that took no time of its own. */
  note(line: string): void;
  /** Runs a step and tells its outcome; while it lasts longer than `everyMs`, says so now and then. */
  step<T>(what: StepWords<T>, work: () => Promise<T>): Promise<T>;
  /** The step that was running when something was thrown. */
  readonly current: string | undefined;
}

export interface StepWords<T> {
  readonly doing: string;
  /** Nothing is said when it gives nothing: a step that had nothing to do. */
  readonly done: (result: T) => string | undefined;
}

const EVERY_MS = 20_000;

export function progressTo(say: Say, now: () => number = Date.now): Progress {
  const startedAt = now();
  const tell = (line: string) => say(`${secondsBetween(startedAt, now())}  ${line}`);
  // Steps run side by side; the one that failed is the one to name.
  let failed: string | undefined;
  return {
    note: tell,
    get current() {
      return failed;
    },
    async step(what, work) {
      const stepStartedAt = now();
      const timer = setInterval(() => tell(`still ${what.doing}: ${clock(now() - stepStartedAt)}`), EVERY_MS);
      try {
        const result = await work();
        const line = what.done(result);
        if (line !== undefined) tell(line);
        return result;
      } catch (thrown) {
        failed ??= what.doing;
        throw thrown;
      } finally {
        clearInterval(timer);
      }
    },
  };
}

function secondsBetween(startMs: number, endMs: number): string {
  return `${((endMs - startMs) / 1000).toFixed(1)}s`.padStart(7);
}

/** 80,000 ms is `1m20s`. */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

/** `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
