import { plain, paintFor } from './paint';
import { cutTo, inItsLine, visibleWidth, wrapped } from './visible';

const red = (text: string) => `\u001b[31m${text}\u001b[39m`;

describe('text in a terminal', () => {
  it.each([
    ['abc', 3],
    [red('abc'), 3],
    ['日本', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['\u001b]8;;http://a\u0007link\u001b]8;;\u0007', 4],
  ])('%j takes its columns', (text, columns) => {
    expect(visibleWidth(text)).toBe(columns);
  });

  it.each([
    ['what clears the screen or moves the cursor is left out', '\u001bc\u001b[2J\u001b[1;1Hdone\u0007\b', 'done'],
    ['of what was written over itself the last is left', ' 10 %\r100 %\r', '100 %'],
    ['a tab goes to the next column of four', '\tat a\tb', '    at a    b'],
    ['a link is its text', '\u001b]8;;http://a\u0007link\u001b]8;;\u0007', 'link'],
  ])('of others stays in its line: %s', (_what, text, line) => {
    expect(inItsLine(text, plain)).toBe(line);
  });

  it('of others keeps its colours where there are any, and they end with it', () => {
    const coloured = paintFor({ isTTY: true, env: {} });
    expect(inItsLine(`${red('a')} b`, coloured)).toBe(`${red('a')} b\u001b[0m`);
    expect(inItsLine('\u001b[1;31ma\u001b[0m', coloured)).toBe('\u001b[1;31ma\u001b[0m');
    expect(inItsLine(red('a'), plain)).toBe('a');
  });

  it('is cut with an ellipsis, and its colour ends there', () => {
    expect(cutTo('abcdef', 6)).toBe('abcdef');
    expect(cutTo('abcdef', 4)).toBe('abc…');
    expect(cutTo(red('abcdef'), 4)).toBe('\u001b[31mabc…\u001b[0m');
  });

  it('is broken between words, and a word only when it is longer than a line', () => {
    expect(wrapped('one two three four', 12)).toEqual(['one two', 'three four']);
    expect(wrapped(`see ${'x'.repeat(25)} there`, 12)).toEqual(['see', 'x'.repeat(12), 'x'.repeat(12), 'x there']);
    expect(wrapped('short', 12)).toEqual(['short']);
    expect(wrapped('too narrow to read anyway', 5)).toEqual(['too narrow to read anyway']);
  });
});
