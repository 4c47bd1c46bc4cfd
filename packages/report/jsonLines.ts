import type { Report } from '../model';
import type { Verbosity } from './terminalState';

export interface JsonLinesOptions {
  readonly stream: { write(text: string): unknown };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly verbosity: Verbosity;
}

/**
 * Events for programs: one JSON object a line, `{"v":1,"at":<ms since 1970>,"kind":…}`. Containers' log lines are not among them,
 * and what tools print only with verbosity `debug`: both may hold anything, and would drown the rest.
 */
export function jsonLines({ stream, now, verbosity }: JsonLinesOptions): Report {
  return (event) => {
    if (event.kind === 'log' || (event.kind === 'output' && verbosity !== 'debug')) return;
    stream.write(`${JSON.stringify({ v: 1, at: now(), ...event })}\n`);
  };
}
