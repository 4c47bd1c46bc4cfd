import type { Problem } from './problem';

/** Several mistakes as one problem, so that all of them can be mended in one go: the first in full, every one of them in the detail. */
export function together(problems: readonly [Problem, ...Problem[]]): Problem {
  const [first, ...others] = problems;
  if (others.length === 0) return first;
  const codes = new Set(problems.map((problem) => problem.code));
  // A cluster out of reach, or a namespace that is not there, fails every call in the same way; saying it once is enough.
  if (
    codes.size === 1 &&
    (first.code === 'clusterUnreachable' ||
      first.code === 'namespaceNotFound' ||
      new Set(problems.map((problem) => problem.message)).size === 1)
  )
    return first;
  return {
    ...first,
    message: `${first.message}, and ${problems.length - 1} more`,
    retry: problems.every((problem) => problem.retry === 'afterDelay') ? 'afterDelay' : first.retry,
    detail: problems.map(lineOf).join('\n'),
  };
}

function lineOf(problem: Problem): string {
  const { file, line, column } = problem.location ?? {};
  const place =
    file === undefined || problem.message.startsWith(`${file}:`)
      ? ''
      : `${[file, line, column].filter((part) => part !== undefined).join(':')}: `;
  return `${place}${problem.message}${problem.hint === undefined ? '' : ` (${problem.hint})`}`;
}
