import { underRepo } from '.';

describe('the name of an image under a repository', () => {
  it.each<[string, string, string, boolean | undefined, string]>([
    ['has one level where nothing else is known', 'shop/api.v2', 'registry.example/team/', undefined, 'registry.example/team/shop_api_v2'],
    ['keeps its slashes where that is asked for', 'shop/api', 'registry.example/team', true, 'registry.example/team/shop/api'],
    ['keeps its slashes in a registry of this machine', 'shop/api', 'localhost:5000', undefined, 'localhost:5000/shop/api'],
    ['loses its slashes where that is asked for', 'shop/api', 'localhost:5000', false, 'localhost:5000/shop_api'],
    ['keeps its slashes in a registry of Google', 'shop/api', 'europe-docker.pkg.dev/p/r', false, 'europe-docker.pkg.dev/p/r/shop/api'],
    ['does not double a project of Google', 'gcr.io/p/a/api', 'gcr.io/p/b', undefined, 'gcr.io/p/b/a/api'],
    ['keeps another project of Google', 'gcr.io/other/api', 'gcr.io/p', undefined, 'gcr.io/p/gcr.io/other/api'],
    [
      'is what it is when it is there already',
      'registry.example/team/api',
      'registry.example/team',
      undefined,
      'registry.example/team/api',
    ],
    ['is what it is without a repository', 'shop/api', '', undefined, 'shop/api'],
  ])('%s', (_, image, repo, multiLevel, expected) => {
    expect(underRepo(image, { repo, multiLevel })).toBe(expected);
  });

  it('that is too long is cut, and two of them stay two', () => {
    const names = ['x', 'y'].map((end) => underRepo(`${'long/'.repeat(60)}${end}`, { repo: 'registry.example' }));
    expect(new Set(names).size).toBe(2);
    for (const name of names) {
      expect(name.length).toBeLessThanOrEqual(255);
      expect(name).toMatch(/^registry\.example\/(long_)+.*_[0-9a-f]{10}$/);
    }
  });
});
