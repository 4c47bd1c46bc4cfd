import type { Event, LogChoice, Report, Wish } from '../model';
import { footerLines, isMoving, withService, type FooterState } from './footer';
import { idle, keysIn, pressed } from './keys';
import { paintFor, type Paint } from './paint';
import { Screen } from './screen';
import { terminalLines, type Moment } from './terminalLines';
import { progressLines, withProgress, type RolloutProgress } from './rolloutProgress';
import { atFirst, type Format, type Verbosity } from './terminalState';

/** Where a person sits who can press keys. */
export interface Keyboard {
  readonly columns: () => number;
  readonly onResize: (listener: () => void) => void;
  /** Takes the keys, one by one and unseen, until what it gives back is called. */
  readonly open: (listener: (text: string) => void) => () => void;
}

export interface TerminalOptions {
  readonly stream: { write(text: string): unknown };
  readonly verbosity: Verbosity;
  readonly isTTY: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; it only has to go forward. */
  readonly now?: () => number;
  /** Logs of a session are made readable; those that were asked for are as they were written. */
  readonly readableLogs?: boolean;
  /** What it tells of is no session: no word of being ready comes, below which addresses would stand. */
  readonly addressesAtOnce?: boolean;
  /** Columns of a terminal, so that lines are broken between words. */
  readonly columns?: () => number | undefined;
}

/** Tells people what happens, a line at a time: nothing is redrawn, so it reads the same in a terminal, in a log and inside of Nx or turbo. */
export function openTerminal(options: TerminalOptions): Report {
  const { stream } = options;
  return new Telling(options, (lines) => {
    if (lines.length > 0) stream.write(`${lines.join('\n')}\n`);
  }).tell;
}

export interface LiveTerminalOptions extends TerminalOptions {
  readonly keyboard: Keyboard;
  /** The services whose logs are shown at first. */
  readonly logs: LogChoice;
  /** To what runs: nothing is built or deleted. */
  readonly attached: boolean;
  readonly onWish: (wish: Wish) => void;
}

/** Lines that come so soon after each other are written at once. */
const frameMs = 16;
const secondMs = 1000;

/**
 * The same lines in a terminal that a person sits at, with two or three below them that are redrawn: how each service is, and what the
 * keys do. From the first word of a service until it stops; before and after, it is like any other.
 */
export function openLiveTerminal(options: LiveTerminalOptions): Report {
  const { stream, keyboard, isTTY, env, attached, onWish, now = () => performance.now() } = options;
  const paint = paintFor({ isTTY, env });
  const screen = new Screen(stream);
  let state: FooterState = { services: new Map(), mode: idle, logs: options.logs, attached };
  let pending: string[] = [];
  let frame: NodeJS.Timeout | undefined;
  let second: NodeJS.Timeout | undefined;
  let close: (() => void) | undefined;

  const draw = (): void => {
    clearTimeout(frame);
    frame = undefined;
    const lines = pending;
    pending = [];
    screen.write(lines, close ? footerLines(state, { now: now(), columns: keyboard.columns(), paint }) : []);
    clearTimeout(second);
    second = close && isMoving(state) ? setTimeout(draw, secondMs).unref() : undefined;
  };
  const drawSoon = (): void => {
    frame ??= setTimeout(draw, frameMs).unref();
  };
  const telling = new Telling({ ...options, columns: () => keyboard.columns() }, (lines) => {
    pending.push(...lines);
    if (close) drawSoon();
    else draw();
  });
  const take = (text: string): void => {
    for (const key of keysIn(text)) {
      const { mode, wish } = pressed(state.mode, key, { names: [...state.services.keys()], attached });
      state = { ...state, mode, ...(wish?.kind === 'showLogs' && { logs: wish.services }) };
      draw();
      if (wish) onWish(wish);
    }
  };
  keyboard.onResize(() => {
    screen.resized(keyboard.columns());
    if (close) draw();
  });
  return (event: Event) => {
    if (event.kind === 'stopping' || event.kind === 'stopped') {
      close?.();
      close = undefined;
      draw();
    }
    if (event.kind === 'service' && !telling.hasStopped) {
      close ??= keyboard.open(take);
      state = { ...state, services: withService(state.services, event, now()) };
      drawSoon();
    }
    telling.tell(event);
  };
}

export interface ProgressTerminalOptions extends TerminalOptions {
  readonly keyboard: Pick<Keyboard, 'columns' | 'onResize'>;
}

/**
 * The same lines at a terminal that shows a command which ends: below them one for each workload that is still rolling out, which changes
 * as that gets further. `close` takes those away, before anything else is written.
 */
export function openProgressTerminal(options: ProgressTerminalOptions): { readonly report: Report; readonly close: () => void } {
  const { stream, isTTY, env, keyboard, now = () => performance.now() } = options;
  const paint = paintFor({ isTTY, env });
  const screen = new Screen(stream);
  let progress: RolloutProgress = new Map();
  let second: NodeJS.Timeout | undefined;

  const draw = (lines: readonly string[] = []): void => {
    clearTimeout(second);
    screen.write(lines, progressLines(progress, { now: now(), columns: keyboard.columns(), paint }));
    second = progress.size === 0 ? undefined : setTimeout(draw, secondMs).unref();
  };
  const telling = new Telling({ ...options, showsRollouts: true }, draw);
  keyboard.onResize(() => {
    screen.resized(keyboard.columns());
    draw();
  });
  return {
    report(event) {
      progress = withProgress(progress, event, now());
      telling.tell(event);
    },
    close() {
      progress = new Map();
      draw();
    },
  };
}

/** Events to lines, with what has to be remembered between them, and the clock. */
class Telling {
  private state = atFirst;
  private timer: NodeJS.Timeout | undefined;
  private readonly paint: Paint;
  hasStopped = false;

  constructor(
    private readonly options: TerminalOptions & Pick<Format, 'showsRollouts'>,
    private readonly write: (lines: readonly string[]) => void,
  ) {
    this.paint = paintFor(options);
  }

  readonly tell = (moment: Moment): void => {
    const {
      verbosity,
      readableLogs = false,
      showsRollouts = false,
      addressesAtOnce = false,
      columns,
      now = () => performance.now(),
    } = this.options;
    if (moment.kind === 'stopping' || moment.kind === 'stopped') this.hasStopped = true;
    const width = columns?.();
    const told = terminalLines(moment, this.state, now(), {
      verbosity,
      paint: this.paint,
      readableLogs: readableLogs && verbosity !== 'debug',
      showsRollouts,
      addressesAtOnce,
      ...(width !== undefined && { columns: width }),
    });
    this.state = told.state;
    this.write(told.lines);
    clearTimeout(this.timer);
    // It must not keep a process alive that has nothing else to do.
    this.timer =
      told.wakeAt === undefined ? undefined : setTimeout(() => this.tell({ kind: 'timePassed' }), Math.max(0, told.wakeAt - now())).unref();
  };
}
