import type { Problem, Report } from '../model';

/**
 * Watches what is reported, so that a problem which ends a command is told once, whether or not an event told it before.
 * `unsaid` gives those of the problems that no event told.
 */
export function watchProblems(report: Report): {
  readonly report: Report;
  readonly unsaid: (problems: readonly Problem[]) => readonly Problem[];
} {
  const said = new Set<string>();
  const identity = ({ code, message }: { readonly code: string; readonly message: string }) => `${code}\0${message}`;
  return {
    report(event) {
      if (event.kind === 'failed') said.add(identity(event));
      report(event);
    },
    unsaid: (problems) => problems.filter((problem) => !said.has(identity(problem))),
  };
}
