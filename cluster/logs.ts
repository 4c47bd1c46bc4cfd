import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterProblem } from './problem';

const LINES_PER_LOG = 5;

/** The same problem with the last lines of the logs that tell more: those of components that died, and of the one it is about. */
export function withLog(thrown: unknown, logFolder: string): unknown {
  if (!(thrown instanceof ClusterProblem) || thrown.exitCode !== 3 || !existsSync(logFolder)) return thrown;
  const logs = readdirSync(logFolder)
    .map((file) => ({ name: file.replace(/\.log$/, ''), lines: readFileSync(join(logFolder, file), 'utf8').split('\n').filter(Boolean) }))
    .filter(({ name, lines }) => lines.length > 0 && (name === thrown.log || lines.some(isDeath)))
    .map(({ name, lines }) => `${name} said last:\n${lastWords(lines)}`);
  if (logs.length === 0) return thrown;
  return new ClusterProblem(
    [thrown.message, ...logs].join('\n'),
    thrown.hint ?? 'Run it again with --keep-failed to look around in what it leaves.',
    { cause: thrown },
  );
}

function lastWords(lines: readonly string[]): string {
  return lines
    .slice(-LINES_PER_LOG)
    .map((line) => `  ${line.slice(0, 300)}`)
    .join('\n');
}

/** The line that the first process writes when a component ended. */
function isDeath(line: string): boolean {
  return / ended with status \d+, starting it again$/.test(line);
}
