import type { RequiredService, Workspace } from '../model';
import { chosenWithRequired, comesAlong, namedImages, requiredBy } from './required';

function workspace(requires: Readonly<Record<string, readonly (string | RequiredService)[]>>): Workspace {
  const names = Object.keys(requires);
  return {
    root: '/w',
    projects: new Map(
      names.map((name) => [
        name,
        {
          name,
          root: name,
          dependencies: [],
          requires: (requires[name] ?? []).map((each) => (typeof each === 'string' ? { project: each } : each)),
        },
      ]),
    ),
    artifacts: new Map(),
    releases: new Map(names.map((name) => [name, { name, project: name, sources: [], inputs: [], artifacts: [] }])),
    targets: new Map(),
    forwards: [],
    problems: [],
  };
}

const shop = workspace({
  api: ['cache', { project: 'pricing', image: 'r/pricing:1' }],
  reports: ['cache', 'api'],
  pricing: ['store'],
  cache: [],
  store: ['cache'],
  web: [],
});

it.each([
  ['nothing, of one that requires nothing', ['web'], []],
  ['nothing, of all', [], []],
  ['what it requires, and what that requires', ['api'], ['cache for api', 'pricing for api', 'store for pricing']],
  ['nothing twice, and nothing that is named', ['reports', 'pricing'], ['cache for reports', 'api for reports', 'store for pricing']],
])('is %s', (_, named, expected) => {
  expect(requiredBy(shop, named).map(({ project, by }) => `${project} for ${by}`)).toEqual(expected);
});

it('has the images that are named, which count only for what is not asked for itself', () => {
  expect(namedImages(requiredBy(shop, ['api']))).toEqual(new Map([['pricing', 'r/pricing:1']]));
  expect(namedImages(requiredBy(shop, ['api', 'pricing']))).toEqual(new Map());
});

it('is deployed with what requires it, unless it is used as it runs', () => {
  expect(chosenWithRequired(shop, 'live', ['api'])).toMatchObject({
    ok: true,
    goal: { releases: new Set(['api', 'cache', 'pricing', 'store']) },
  });
  expect(chosenWithRequired(shop, 'live', ['api'], new Set(['pricing', 'store']))).toMatchObject({
    ok: true,
    goal: { releases: new Set(['api', 'cache']) },
  });
});

it('is told in one sentence', () => {
  const required = requiredBy(shop, ['api']);
  expect(comesAlong(required, new Set(['store']))).toBe(
    'comes along: cache (api requires it), pricing (api requires it, with r/pricing:1); runs already and is used as it is: store (pricing requires it)',
  );
  expect(comesAlong([], new Set())).toBeUndefined();
});
