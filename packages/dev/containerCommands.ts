import type { AfterCommand, Problem, Report } from '../model';
import type { Agent } from '../sync';

export interface EndedCommand {
  readonly run: readonly string[];
  readonly exitCode: number;
  readonly output: string;
}

/** How commands in a container ended, where not all of them ended with 0. `late` is still running; what it does from now on is nobody's. */
export type CommandsStopped =
  | { readonly kind: 'failed'; readonly command: EndedCommand }
  | { readonly kind: 'late'; readonly problem: Problem }
  | { readonly kind: 'lost'; readonly problem: Problem };

export interface RunCommands {
  readonly commands: readonly Pick<AfterCommand, 'run' | 'timeoutMs'>[];
  readonly when: 'before' | 'after';
  /** What they are told to be about. */
  readonly subject: string;
  readonly report: Report;
}

/** Runs commands of `sync.before` or `sync.after`, each only when the one before ended with 0, and shows what they print. Of one that fails the answer has it. */
export async function runCommands(
  agent: Pick<Agent, 'run'>,
  { commands, when, subject, report }: RunCommands,
): Promise<CommandsStopped | undefined> {
  for (const { run, timeoutMs } of commands) {
    const text = run.join(' ');
    if (when === 'before') report({ kind: 'started', what: 'runHooks', subject, because: `before sync, ${text}` });
    else report({ kind: 'started', what: 'reload', subject, because: text });
    const answer = await withinTime(agent.run(run), timeoutMs);
    if (answer === 'late') return { kind: 'late', problem: commandTooSlow(text, timeoutMs, when) };
    if (!answer.ok) return { kind: 'lost', problem: answer.problem };
    const { exitCode, output } = answer.value;
    if (exitCode !== 0) return { kind: 'failed', command: { run, exitCode, output } };
    for (const line of linesOf(output)) report({ kind: 'output', subject, line, asked: true });
  }
  return undefined;
}

export function linesOf(output: string): readonly string[] {
  return output.split('\n').filter((line) => line !== '');
}

function commandTooSlow(text: string, timeoutMs: number, when: 'before' | 'after'): Problem {
  return {
    code: 'commandTooSlow',
    message: `${text} did not end within ${timeoutMs / 1000} s in the container`,
    hint: `give it more with sync.${when}[].timeout in slipway.yaml; a command that goes on for ever must be started in the background`,
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

async function withinTime<T>(promise: Promise<T>, limitMs: number): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => (timer = setTimeout(() => resolve('late'), limitMs)));
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
