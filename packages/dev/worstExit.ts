import type { ExitCode, Problem } from '../model';

/** What is out of reach weighs most: nothing else can be judged then. */
export function worstExit(problems: readonly Problem[]): ExitCode {
  return problems.some(({ exitCode }) => exitCode === 3) ? 3 : problems.some(({ exitCode }) => exitCode === 2) ? 2 : 1;
}

/** How a command ends that went as far as it could. */
export function withProblems(problems: readonly Problem[]): { readonly exitCode: 0 | ExitCode; readonly problems: readonly Problem[] } {
  return { exitCode: problems.length === 0 ? 0 : worstExit(problems), problems };
}
