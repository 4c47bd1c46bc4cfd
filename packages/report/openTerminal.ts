import type { Event, Report } from '../model';
import { paintFor } from './paint';
import { terminalLines, type Moment } from './terminalLines';
import { atFirst, type Verbosity } from './terminalState';

export interface TerminalOptions {
  readonly stream: { write(text: string): unknown };
  readonly verbosity: Verbosity;
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; it only has to go forward. */
  readonly now?: () => number;
}

/** Tells people what happens, a line at a time: nothing is redrawn, so it reads the same in a terminal, in a log and inside of Nx. */
export function openTerminal({ stream, verbosity, isTTY, env, now = () => performance.now() }: TerminalOptions): Report {
  const format = { verbosity, paint: paintFor({ isTTY, env }) };
  let state = atFirst;
  let timer: NodeJS.Timeout | undefined;
  const tell = (moment: Moment): void => {
    const told = terminalLines(moment, state, now(), format);
    state = told.state;
    if (told.lines.length > 0) stream.write(`${told.lines.join('\n')}\n`);
    clearTimeout(timer);
    // It must not keep a process alive that has nothing else to do.
    timer =
      told.wakeAt === undefined ? undefined : setTimeout(() => tell({ kind: 'timePassed' }), Math.max(0, told.wakeAt - now())).unref();
  };
  return (event: Event) => tell(event);
}
