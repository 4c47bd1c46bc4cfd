import { landingBy, pullFrom, type PullSource } from './pulls';

describe('what a pull names', () => {
  const source: Omit<PullSource, 'src'> = { workdir: '/app', dest: undefined, within: 'apps/api' };

  it.each<readonly [string, string | undefined, string, string | undefined]>([
    ['package-lock.json', undefined, '/app/package-lock.json', 'apps/api/package-lock.json'],
    ['package-lock.json', undefined, '/app/package.json', undefined],
    ['package-lock.json', 'locks', '/app/package-lock.json', 'apps/api/locks/package-lock.json'],
    ['/tmp/poetry.lock', '.', '/tmp/poetry.lock', 'apps/api/poetry.lock'],
    ['src/gen', undefined, '/app/src/gen/deep/a.ts', 'apps/api/src/gen/deep/a.ts'],
    ['/gen/api', 'src/gen', '/gen/api/deep/a.ts', 'apps/api/src/gen/deep/a.ts'],
    ['src/gen/*.ts', undefined, '/app/src/gen/a.ts', 'apps/api/src/gen/a.ts'],
    ['src/gen/*.ts', undefined, '/app/src/gen/deep/a.ts', undefined],
    ['src/gen/**/*.ts', 'made', '/app/src/gen/deep/.a.ts', 'apps/api/made/deep/.a.ts'],
    ['src/gen/**', 'made', '/app/src/genuine/a.ts', undefined],
    // What a container tells is not believed.
    ['src/gen/**', 'made', '/app/src/gen/../../../etc/passwd', undefined],
  ])('%s to %s: %s lands in %s', (src, dest, path, to) => expect(landingBy(pullFrom({ ...source, src, dest }))(path)).toBe(to));

  it.each([
    ['a.lock', '/app/a.lock', 32],
    ['*.lock', '/app', 1],
    ['gen/*/*.ts', '/app/gen', 2],
    ['gen/**/*.ts', '/app/gen', 32],
  ])('%s: %s is looked at, %d levels deep', (src, from, depth) =>
    expect(pullFrom({ ...source, src, dest: undefined })).toMatchObject({ from, depth }),
  );

  it('is below the folder that is synced, where no project stands for it', () => {
    const landing = landingBy(pullFrom({ src: 'made/a.ts', workdir: '/srv/www', dest: undefined, within: '' }));
    expect(landing('/srv/www/made/a.ts')).toBe('made/a.ts');
  });
});
