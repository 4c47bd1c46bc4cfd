import { cutTo, visibleWidth, wrapped } from './visible';

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
