import { resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import type { CommandOptions, CommandResult } from '../../dev';
import type { Report } from '../../model';
import { openTerminal, paintFor, problemLines, watchProblems, type Verbosity } from '../../report';
import { nxGraph } from '../nxGraph';
import { tasksBefore } from './tasksBefore';

/** What all executors take, as schema.json describes it. */
export interface ExecutorOptions {
  readonly context?: string;
  readonly acceptContext?: boolean;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly defaultRepo?: string;
  /** Names, with commas when they are one text. */
  readonly profiles?: string | readonly string[];
  readonly verbosity?: Verbosity;
  /** Of those that apply. */
  readonly force?: boolean;
  /** Of those that remove. */
  readonly keepVolumes?: boolean;
}

/** Where an executor runs, in the words of this machine. */
export interface Surroundings {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** Told all that happens, beside what is written. */
  readonly report: Report;
}

/** What of Nx's context is read. */
type StartedFor = Pick<
  ExecutorContext,
  'root' | 'projectName' | 'targetName' | 'configurationName' | 'projectGraph' | 'taskGraph' | 'isVerbose'
>;

interface Told {
  readonly alsoReport?: Report;
  readonly readableLogs?: boolean;
}

/** Runs a command for the project of an executor. What it reads of Nx's context is the same from Nx 22 to 24. */
export async function execute<Document>(
  options: ExecutorOptions,
  context: StartedFor,
  { stdout, env, signal, report: tell }: Surroundings,
  command: (options: CommandOptions) => Promise<CommandResult<Document>>,
  { alsoReport, readableLogs = false }: Told = {},
): Promise<{ readonly success: boolean; readonly document: Document }> {
  const isTTY = stdout.isTTY === true;
  const verbosity = verbosityOf(options, context);
  const terminal = openTerminal({ stream: stdout, verbosity, isTTY, env, readableLogs });
  const { report, unsaid } = watchProblems((event) => {
    terminal(event);
    tell(event);
    alsoReport?.(event);
  });
  const result = await command({
    root: context.root,
    graph: nxGraph(context.root, { projectGraph: context.projectGraph, hasRun: tasksBefore(context) }),
    projects: context.projectName === undefined ? [] : [context.projectName],
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: resolve(context.root, options.kubeconfig) }),
    ...(options.context === undefined ? {} : { context: options.context }),
    ...(options.acceptContext === true && { acceptContext: true }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.defaultRepo === undefined ? {} : { defaultRepo: options.defaultRepo }),
    ...(options.profiles !== undefined && { profiles: [options.profiles].flat().join(',') }),
    ...(options.force === true && { force: true }),
    ...(options.keepVolumes === true && { keepVolumes: true }),
    env,
    report,
    signal,
  });
  for (const problem of unsaid(result.problems)) stdout.write(`${problemLines(problem, paintFor({ isTTY, env })).join('\n')}\n`);
  return { success: result.exitCode === 0, document: result.document };
}

/** As much as was asked for, of the executor or of Nx. */
export function verbosityOf({ verbosity }: ExecutorOptions, { isVerbose }: Pick<ExecutorContext, 'isVerbose'>): Verbosity {
  return verbosity ?? (isVerbose ? 'debug' : 'normal');
}
