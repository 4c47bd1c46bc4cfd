import { leftTags } from './pruneImages';

const [first, second, third] = ['1', '2', '3'].map((digit) => digit.repeat(24)) as [string, string, string];

describe('images that are left behind', () => {
  it.each([
    ['all that nothing keeps', [], [first, second, third]],
    ['not those whose tag is used', [first], [second, third]],
    ['not those whose digest is used', ['sha256:b'], [first, third]],
  ])('are %s', (_, keep, left) => {
    const tagged = new Map([
      [first, 'sha256:a'],
      [second, 'sha256:b'],
      [third, 'sha256:c'],
    ]);
    expect(leftTags(tagged, new Set(keep))).toEqual(left);
  });

  it('are not those that have a tag of people, or that the next build begins with', () => {
    const tagged = new Map([
      [first, 'sha256:a'],
      ['v1.0.0', 'sha256:a'],
      [`head-${second}`, 'sha256:b'],
      [second, 'sha256:c'],
      [third, 'sha256:c'],
    ]);
    expect(leftTags(tagged, new Set())).toEqual([second, third]);
    expect(leftTags(tagged, new Set([third]))).toEqual([]);
  });
});
