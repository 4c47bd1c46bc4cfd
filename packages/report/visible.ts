import type { Paint } from './paint';

/** Colours and other sequences that take no room: CSI, OSC, and those of one character. */
const sequence = /\u001b(?:\[[0-9:;<=>?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-OQ-Z\\^-~])/y;

/** Each part of a text: a sequence that takes no room, or one character with the columns it takes. */
function* parts(text: string): Generator<{ readonly text: string; readonly columns: number }> {
  for (let at = 0; at < text.length;) {
    sequence.lastIndex = at;
    const [found] = sequence.exec(text) ?? [];
    const part = found ?? String.fromCodePoint(text.codePointAt(at) ?? 0);
    yield { text: part, columns: found === undefined ? columnsOf(part) : 0 };
    at += part.length;
  }
}

/** East Asian and emoji characters take two columns, marks that join another none. */
function columnsOf(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (/^\p{M}$/u.test(character) || code === 0x200d || (code >= 0xfe00 && code <= 0xfe0f)) return 0;
  return /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u.test(
    character,
  )
    ? 2
    : 1;
}

const colour = /^\u001b\[[\d;:]*m$/;
const tabColumns = 4;

/**
 * A line that somebody else printed, so that it stays in its line: colours are kept where there are any, what would move the cursor or
 * clear the screen is not, and of what was written over itself the last is left.
 */
export function inItsLine(text: string, { isColorSupported }: Pick<Paint, 'isColorSupported'>): string {
  const last = text.trimEnd().replace(/^.*\r/s, '');
  let line = '';
  let isColoured = false;
  for (const { text: part } of parts(last)) {
    if (colour.test(part)) {
      if (isColorSupported) line += part;
      isColoured ||= isColorSupported;
    } else if (part === '\t') line += ' '.repeat(tabColumns - (visibleWidth(line) % tabColumns));
    else if (!part.startsWith('\u001b') && !/\p{Cc}/u.test(part)) line += part;
  }
  return isColoured && !/\u001b\[0?m$/.test(line) ? `${line}\u001b[0m` : line;
}

/** How many columns of a terminal a text takes. */
export function visibleWidth(text: string): number {
  let width = 0;
  for (const { columns } of parts(text)) width += columns;
  return width;
}

/** As much of a text as fits, with an ellipsis where something is left out. Colours end with it. */
export function cutTo(text: string, width: number): string {
  if (visibleWidth(text) <= width) return text;
  let cut = '';
  let used = 0;
  for (const { text: part, columns } of parts(text)) {
    if (used + columns > width - 1) break;
    cut += part;
    used += columns;
  }
  return `${cut}…${text.includes('\u001b') ? '\u001b[0m' : ''}`;
}

/** A text in lines of at most so many columns, broken between words where it can be; only a word that is longer than a line is broken. */
export function wrapped(text: string, width: number): readonly string[] {
  if (width < 10 || visibleWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  const turn = (): void => {
    lines.push(line.trimEnd());
    line = '';
    used = 0;
  };
  for (const word of text.split(/(?<= )/)) {
    const columns = visibleWidth(word.trimEnd());
    if (used > 0 && used + columns > width) turn();
    if (columns <= width) {
      line += word;
      used += visibleWidth(word);
      continue;
    }
    for (const { text: part, columns: wide } of parts(word)) {
      if (used + wide > width) turn();
      line += part;
      used += wide;
    }
  }
  if (line !== '') turn();
  return lines;
}
