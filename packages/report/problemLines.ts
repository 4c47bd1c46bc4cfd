import type { Problem } from '../model';
import { plain, type Paint } from './paint';
import { inItsLine } from './visible';

/** How much of what a tool said is shown: its end, where the reason usually stands. */
const detailLines = 15;

/** A problem for people: what failed and why, where, what the tool said, and the next thing to do. The first line has no subject. */
export function problemLines(problem: Problem, paint: Paint = plain): readonly string[] {
  return [`${paint.red('failed:')} ${problem.message} ${paint.dim(`[${problem.code}]`)}`, ...problemDetails(problem, paint)];
}

/** All of it but the sentence itself, and what the sentence has said. `shown` stands just above: what the tool said may be all there. */
export function problemDetails(
  problem: Pick<Problem, 'message' | 'detail' | 'hint' | 'location'>,
  paint: Paint,
  shown: readonly string[] = [],
): readonly string[] {
  const { location, detail, hint, message } = problem;
  const place = location && [location.file, location.line].filter((part) => part !== undefined).join(':');
  const said = (detail ?? '').split('\n').map((line) => inItsLine(line, paint));
  while (said.at(-1) === '') said.pop();
  const isShown = said.every((line) => line.trim() === '' || shown.some((text) => text.includes(line.trim())));
  const told = isShown ? [] : said.slice(-detailLines);
  const left = isShown ? 0 : said.length - detailLines;
  return [
    ...(place !== undefined && !message.includes(place)
      ? [`at ${place}${location?.column === undefined ? '' : `:${location.column}`}`]
      : []),
    ...(left > 0 ? [paint.dim(`│ … ${left} lines before`)] : []),
    ...told.map((line) => `${paint.dim('│')} ${line}`),
    ...(hint === undefined ? [] : [`${paint.bold('→')} ${hint}`]),
  ];
}
