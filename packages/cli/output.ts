import type { CommandResult } from '../dev';
import type { ExitCode, LogChoice, Problem, Report, Wish } from '../model';
import {
  combine,
  jsonLines,
  openLiveTerminal,
  openProgressTerminal,
  openTerminal,
  paintFor,
  problemLines,
  watchProblems,
  type Keyboard,
  type Paint,
  type Verbosity,
} from '../report';

export interface Stream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface OutputOptions {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly json: boolean;
  readonly verbosity: Verbosity;
  /** A command that runs long writes its events as JSON lines; the others one document at their end. */
  readonly long: boolean;
  /** Containers' log lines are what the command is for. */
  readonly logs?: boolean;
  /** A session: logs are among what it tells, made readable. */
  readonly isSession?: boolean;
  /** Where a person sits at the terminal of a session. */
  readonly keyboard?: Keyboard | undefined;
  /** Whose logs are shown at first. */
  readonly shownLogs?: LogChoice;
  /** To what runs: nothing is built or deleted. */
  readonly attached?: boolean;
  /** The command prints something that is read by another program: people's words go to stderr. */
  readonly isProduct?: boolean;
}

/** What is printed of a document. */
export interface Printing<Document> {
  readonly lines: (document: Document, paint: Paint) => readonly string[];
  /** With `--json`; the document itself when this is not given. */
  readonly json?: (document: Document) => unknown;
  /** Whether a document still says something when there are problems; not, when this is not given. */
  readonly saysMore?: (document: Document) => boolean;
  /** The lines tell the problems too, each in its place. */
  readonly tellsProblems?: boolean;
  /** Containers' log lines are what it is for. */
  readonly logs?: boolean;
  /** The lines are for another program, and nothing else is on stdout. */
  readonly isProduct?: boolean;
  /** It goes on, and tells logs among the rest; at first those of these services. */
  readonly sessionLogs?: LogChoice;
  /** Of it: it is attached to what runs. */
  readonly attached?: boolean;
  /** It does without a workspace where there is none; a text: what it needs for that. */
  readonly anywhere?: boolean | string;
  /** The command ends only when it is interrupted. */
  readonly endless?: boolean;
}

/** Where a command's words go: to people on stdout; with `--json` JSON alone on stdout, and people's words on stderr. */
export interface Output {
  readonly report: Report;
  readonly say: (text: string) => void;
  /** Calls back with what the person at the terminal asks for. */
  readonly onWishes: (listener: (wish: Wish) => void) => void;
  /** Begins a new line where the terminal has shown `^C`. */
  readonly breakLine: () => void;
  /** The end of a command: its document, and each problem that no event told. */
  readonly finish: <Document>(result: CommandResult<Document>, printing: Printing<Document>) => 0 | ExitCode;
  /** The end of a command that could not begin. */
  readonly refuse: (problem: Problem) => ExitCode;
}

export function openOutput(options: OutputOptions): Output {
  const { stdout, stderr, env, json, verbosity: wanted, long, logs = false, isProduct = false } = options;
  const { isSession = false, attached = false, keyboard } = options;
  const people = json || isProduct ? stderr : stdout;
  // Less than what was asked for would be nothing.
  const verbosity = wanted === 'quiet' && (logs || isProduct) ? 'normal' : wanted;
  const isTTY = people.isTTY === true;
  const paint = paintFor({ isTTY, env });
  let wishes: (wish: Wish) => void = () => undefined;
  const columns = (): number | undefined => (isTTY && isSession ? people.columns : undefined);
  const shown = { stream: people, verbosity, isTTY, env, readableLogs: isSession, addressesAtOnce: !isSession, columns };
  const progress =
    keyboard && isTTY && !isSession && people === stdout && !logs && verbosity === 'normal'
      ? openProgressTerminal({ ...shown, keyboard })
      : undefined;
  const terminal =
    keyboard && isSession && isTTY
      ? openLiveTerminal({ ...shown, keyboard, logs: options.shownLogs ?? 'all', attached, onWish: (wish) => wishes(wish) })
      : (progress?.report ?? openTerminal(shown));
  const { report, unsaid } = watchProblems(
    json && long ? combine([terminal, jsonLines({ stream: stdout, now: Date.now, verbosity, logs })]) : terminal,
  );
  const write = (stream: Stream, lines: readonly string[]) => {
    if (lines.length > 0) stream.write(`${lines.join('\n')}\n`);
  };
  // What stands below the lines is no part of what is left when the command has ended.
  const close = (): void => progress?.close();
  const writeJson = (document: object) => {
    const text = long ? JSON.stringify({ v: 1, at: Date.now(), kind: 'ended', ...document }) : JSON.stringify(document, null, 2);
    stdout.write(`${text}\n`);
  };
  return {
    report,
    onWishes: (listener) => (wishes = listener),
    say: (text) => report({ kind: 'notice', message: text }),
    breakLine() {
      close();
      if (isTTY) people.write('\n');
    },
    finish(result, { lines, json: shape, saysMore, tellsProblems = false }) {
      close();
      const problems = tellsProblems && !json ? [] : unsaid(result.problems);
      // Problems are no part of what a command gives, so they go where they are seen when its output is read by another program.
      for (const problem of problems) write(stderr, problemLines(problem, paintFor({ isTTY: stderr.isTTY === true, env })));
      if (json) writeJson(jsonResult({ ...result, document: shape ? shape(result.document) : result.document }, long));
      else if (verbosity !== 'quiet' && (result.exitCode === 0 || problems.length === 0 || saysMore?.(result.document) === true)) {
        write(stdout, lines(result.document, paint));
      }
      return result.exitCode;
    },
    refuse(problem) {
      close();
      write(stderr, problemLines(problem, paintFor({ isTTY: stderr.isTTY === true, env })));
      if (json) writeJson({ ...(long ? { exitCode: problem.exitCode } : {}), problems: [problem] });
      return problem.exitCode;
    },
  };
}

/** What `--json` prints: the document, with the problems beside what it holds. */
function jsonResult({ document, problems, exitCode }: CommandResult<unknown>, long: boolean): object {
  if (long) return { exitCode, document, ...(problems.length > 0 ? { problems } : {}) };
  // A list has no place for problems beside it: they are on stderr, and in the exit code.
  if (Array.isArray(document)) return document.length === 0 && problems.length > 0 ? { problems } : document;
  return { ...(document as object), ...(problems.length > 0 ? { problems } : {}) };
}
