import { nearest } from '.';

it.each([
  ['taget', ['file', 'target', 'args'], 'target'],
  ['cpoy', ['COPY', 'CMD'], 'COPY'],
  ['nmae', ['name', 'context'], 'name'],
  ['hooks', ['image', 'sync'], undefined],
  ['x', [], undefined],
] as const)('%s', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
