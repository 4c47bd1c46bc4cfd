import type { OwnedRelease } from '../deploy';
import { unsaidOf } from './leftBehind';
import { orphansOf } from './pruneCommand';

const owned = (release: string): OwnedRelease => ({ release, namespaces: ['shop'], objects: [] });
const project = (name: string) => [name, { name, root: name, dependencies: [] }] as const;

describe('what is pruned', () => {
  const projects = new Map([project('api'), project('@shop/web')]);

  test('is what no project has the name of', () => {
    const left = orphansOf({ projects, releases: new Map() }, ['api', 'old', 'shop-web-1'].map(owned));
    expect(left.map(({ release }) => release)).toEqual(['old', 'shop-web-1']);
  });

  test('is never what a project is deployed as, whether it has manifests now or not, and however its name reads as a label', () => {
    const release = { name: 'charts', project: 'api', sources: [], inputs: [], artifacts: [] } as const;
    const left = orphansOf({ projects, releases: new Map([['charts', release]]) }, ['api', 'charts', 'shop-web-382dfe823f'].map(owned));
    expect(left).toEqual([]);
  });
});

describe('what is left of a project that deploys nothing any more', () => {
  const projects = new Map([project('api'), project('@shop/web'), project('charts')]);
  const release = { name: 'charts', project: 'charts', sources: [], inputs: [], artifacts: [] } as const;

  test('is what carries its name, and nothing of those that deploy, or that are gone', () => {
    const left = unsaidOf(
      { projects, releases: new Map([['charts', release]]), problems: [] },
      ['api', 'charts', 'shop-web-382dfe823f', 'old'].map(owned),
    );
    expect(left.map((each) => each.release)).toEqual(['api', 'shop-web-382dfe823f']);
  });

  test('is not known of a project with a mistake, as one that runs an image which cannot be made', () => {
    const mistake = { code: 'configInvalid', message: 'wrong', retry: 'whenInputChanges', exitCode: 2, project: 'api' } as const;
    const lacking = { ...mistake, code: 'usedImageBroken', project: 'charts' } as const;
    const deployed = ['api', 'charts', 'shop-web-382dfe823f'].map(owned);
    const left = unsaidOf({ projects, releases: new Map(), problems: [mistake, lacking] }, deployed);
    expect(left.map((each) => each.release)).toEqual(['shop-web-382dfe823f']);
  });
});
