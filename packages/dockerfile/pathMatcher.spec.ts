import { readIgnore } from '.';

/** Each row was answered by github.com/moby/patternmatcher v0.6.0 too. */
const table: readonly (readonly [string, string, boolean])[] = [
  ['node_modules', 'node_modules/a/b', true],
  ['node_modules', 'apps/node_modules/a', false],
  ['**/node_modules', 'apps/node_modules/a', true],
  ['**/node_modules', 'node_modules', true],
  ['*.md', 'a.md', true],
  ['*.md', 'docs/a.md', false],
  ['**/*.md', 'docs/x/a.md', true],
  ['/dist', 'dist/a', true],
  ['./dist/', 'dist/a', true],
  ['dist/**', 'dist', false],
  ['dist/**', 'dist/a', true],
  ['a.b', 'aXb', false],
  ['a+b', 'a+b', true],
  ['(a)', '(a)', true],
  ['?onf', 'conf', true],
  ['[^c]onf', 'conf', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['\\a.txt', 'a.txt', false],
  ['\\d.txt', '7.txt', true],
  ['README.md', 'readme.md', false],
  ['**\n!docs', 'docs/a', false],
  ['docs\n!docs/keep.md', 'docs/keep.md', false],
  ['docs\n!docs/keep.md', 'docs/other.md', true],
  ['!docs/keep.md\ndocs', 'docs/keep.md', true],
  ['# docs\n\n', 'docs', false],
  [' docs ', 'docs', true],
  ['a/b\n!a', 'a/b', true],
  ['.', 'a', false],
  ['!../../*', 'a', true],
  ['!../../*\n!a', 'a', false],
  ['a\n!../a', 'a', true],
];

it.each(table)('%j and %s: %s', (text, path, expected) => {
  expect(readIgnore(text).matcher.matches(path)).toBe(expected);
});

it('tells patterns that are not valid, with their lines', () => {
  expect(readIgnore('a\n!\n[b').mistakes).toEqual([
    { message: '! is not a valid pattern', line: 2 },
    { message: '[b is not a valid pattern', line: 3 },
  ]);
});
