import { readConfig } from '../config';
import { dockerignoreLines, harmlessLines, unignored, withLines } from './ignoreFiles';
import { withAllowedContext } from './rootConfig';

describe('lines of ignore files', () => {
  it.each([
    ['nothing', undefined, 'a\nb\n'],
    ['a text without a last newline', 'x', 'x\na\nb\n'],
    ['one of them', 'b\n', 'b\na\n'],
    ['them in another way', '/a/\n**/b\n', '/a/\n**/b\n'],
    ['the line ends of Windows', 'x\r\n', 'x\r\na\r\nb\r\n'],
  ])('come to %s once', (_, before, after) => {
    expect(withLines(before, ['a', 'b'])).toBe(after);
    expect(withLines(after, ['a', 'b'])).toBe(after);
  });

  it('are left out where a Dockerfile copies what they name, and never name what targets make', () => {
    expect(harmlessLines(dockerignoreLines, ['apps/api/node_modules', 'dist/apps/api'])).toEqual(['.git', '.nx', '.slipway']);
    expect(dockerignoreLines.join()).not.toContain('dist');
  });
});

it.each([
  [undefined, ['apps/api/dist']],
  ['# dist\n!dist\n/dist\n', ['apps/api/dist']],
  ['dist/\n', []],
  ['**/dist\n', []],
  ['/apps/*/dist\n', []],
  ['apps/api\r\n', []],
])('what a build writes is to be ignored, unless it is: %j', (text, left) => {
  expect(unignored(text, ['apps/api/dist'])).toEqual(left);
});

describe('a context allowed in the config of the root', () => {
  const allowed = (text: string | undefined) =>
    readConfig({ path: 'slipway.yaml', text: withAllowedContext(text, 'staging') ?? '', isRoot: true });
  it.each([
    ['no file', undefined, ['staging']],
    ['a file without the key', 'version: 1\nnamespace: shop # ours\n', ['staging']],
    ['a list', 'version: 1\nallowContexts: [qa]\n', ['qa', 'staging']],
    ['an empty key', 'version: 1\nallowContexts:\n', ['staging']],
  ])('goes into %s', (_, text, contexts) => {
    const { config, problems } = allowed(text);
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ version: 1, allowContexts: contexts });
  });

  it('changes nothing else, and nothing at all when it is there', () => {
    expect(withAllowedContext('# hello\nversion: 1\nnamespace: shop # ours\n', 'staging')).toMatch(
      /^# hello\nversion: 1\nnamespace: shop # ours\n/,
    );
    const there = 'version:   1\nallowContexts: [staging,   qa]\n';
    expect(withAllowedContext(there, 'staging')).toBe(there);
    expect(withAllowedContext('a: [', 'staging')).toBeUndefined();
  });
});
