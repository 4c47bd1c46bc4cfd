import type { Report } from '../model';
import type { Verbosity } from './terminalState';

export interface JsonLinesOptions {
  readonly stream: { write(text: string): unknown };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly verbosity: Verbosity;
  /** Containers' log lines are what was asked for. */
  readonly logs?: boolean;
  /** The projects of the `dev` that tells them, where several may tell the same reader. */
  readonly part?: readonly string[];
}

/**
 * Events for programs: one JSON object a line, `{"v":1,"at":<ms since 1970>,"kind":…}`. Containers' log lines are among
 * them only when they are asked for, and what tools print with verbosity `debug`: both may hold anything, and would drown the rest.
 */
export function jsonLines({ stream, now, verbosity, logs = false, part }: JsonLinesOptions): Report {
  return (event) => {
    if ((event.kind === 'log' && !logs) || (event.kind === 'output' && verbosity !== 'debug')) return;
    stream.write(`${JSON.stringify({ v: 1, at: now(), ...(part && { part }), ...event })}\n`);
  };
}
