import { expandPatterns, isPattern } from './projectPatterns';

const project = (name: string, root: string, ...tags: string[]) => ({ name, root, dependencies: [], targets: new Map(), tags });
const projects = [
  project('@shop/api', 'apps/api', 'scope:shop', 'backend'),
  project('@shop/pricing', 'apps/pricing', 'backend'),
  project('web', 'apps/web', 'frontend'),
  project('cache', 'infra/cache'),
  project('money', 'libs/money', 'backend'),
];
const deployable = new Set(['@shop/api', '@shop/pricing', 'web', 'cache']);

test.each<[string, readonly string[], readonly string[]]>([
  ['a tag, of what is deployed', ['tag:backend'], ['@shop/api', '@shop/pricing']],
  ['a pattern of tags', ['tag:scope:*'], ['@shop/api']],
  ['a pattern of names', ['@shop/*'], ['@shop/api', '@shop/pricing']],
  ['a pattern of names without their scope', ['{api,web}'], ['@shop/api', 'web']],
  ['a pattern of folders', ['apps/*'], ['@shop/api', '@shop/pricing', 'web']],
  ['names beside patterns, as they are', ['money', 'tag:frontend', 'nothing'], ['money', 'web', 'nothing']],
  ['all but one', ['!web'], ['@shop/api', '@shop/pricing', 'cache']],
  ['all but some', ['!tag:backend', '!infra/*'], ['web']],
  ['some but one of them', ['apps/*', '!pricing'], ['@shop/api', 'web']],
  ['a pattern that fits nothing, as it is', ['tag:backen', 'x*'], ['tag:backen', 'x*']],
])('stands for %s: %j', (_, named, expected) => {
  expect(expandPatterns(named, { projects, deployable })).toEqual(expected);
});

test.each([
  ['api', false],
  ['@shop/api', false],
  ['apps/api', false],
  ['tag:x', true],
  ['api*', true],
  ['!api', true],
])('%s is a pattern: %s', (name, expected) => {
  expect(isPattern(name)).toBe(expected);
});
