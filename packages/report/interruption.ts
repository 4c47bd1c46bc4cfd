import type { Report } from '../model';

export interface InterruptionOptions {
  readonly now: () => number;
  /** A signal that comes so soon after another is the same Ctrl+C on another way: a terminal and `npm run` both send one. */
  readonly sameInterruptMs: number;
  /** Begins a new line where the terminal has shown `^C`. */
  readonly breakLine: () => void;
  readonly say: (text: string) => void;
  /** Ends the process. */
  readonly leave: (exitCode: number) => void;
}

/** What a process gives its signals to. */
export interface Signals {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  off(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
}

/** Sent by programs: a closed terminal, a supervisor, or a package manager that ends at Ctrl+C itself and then ends what it started. */
const programSignals = ['SIGTERM', 'SIGHUP'] as const;

/** Ctrl+C: at first the command is asked to clean up and end, which it tells itself; a second one leaves at once. */
export class Interruption {
  readonly #abort = new AbortController();
  readonly #deployed = new Set<string>();
  #removes = false;
  #firstAt: number | undefined;

  constructor(private readonly options: InterruptionOptions) {}

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** To be told what happens, so as to know what a second Ctrl+C leaves behind. */
  readonly report: Report = (event) => {
    if (event.kind === 'applied') this.#deployed.add(event.release);
    if (event.kind === 'removed') this.#deployed.delete(event.release);
    if (event.kind === 'stopping') this.#removes = event.removes;
  };

  readonly interrupt = (): void => {
    const { now, breakLine, say, leave, sameInterruptMs } = this.options;
    if (this.#firstAt === undefined) {
      this.#firstAt = now();
      breakLine();
      this.#abort.abort();
    } else if (now() - this.#firstAt > sameInterruptMs) {
      breakLine();
      say(`left at once${this.#whatIsLeft()}`);
      leave(130);
    }
  };

  #whatIsLeft(): string {
    const left = [...this.#deployed].sort();
    if (left.length === 0) return '';
    return this.#removes
      ? `; the rest goes on being removed: ${left.join(', ')}`
      : `; still deployed: ${left.join(', ')} (remove with: slipway delete ${left.join(' ')})`;
  }

  /** Nobody is there who presses Ctrl+C, or reads what is said: the command is asked to end, however often this is called. */
  readonly abandon = (): void => {
    this.#firstAt ??= this.options.now();
    this.#abort.abort();
  };

  /** Takes the signals that end a process, until what it gives back is called. */
  listenTo(signals: Signals): () => void {
    signals.on('SIGINT', this.interrupt);
    for (const signal of programSignals) signals.on(signal, this.abandon);
    return () => {
      signals.off('SIGINT', this.interrupt);
      for (const signal of programSignals) signals.off(signal, this.abandon);
    };
  }
}
