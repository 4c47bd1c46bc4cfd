import type { Config } from './config';
import { activeProfiles, withProfiles, type ProfileChoice } from './profiles';

const nothing: ProfileChoice = { asked: [], env: {}, mode: 'deploy', context: () => undefined };

const config: Config = {
  version: 1,
  namespace: 'shop',
  image: { name: 'shop/api', docker: { args: { MODE: 'plain', LEVEL: 1 }, cacheFrom: ['a', 'b'] } },
  profiles: {
    local: { activation: [{ mode: 'dev' }] },
    ci: { activation: [{ env: 'CI' }, { env: 'STAGE=test', mode: 'deploy' }], image: { docker: { args: { LEVEL: 2 } } } },
    staging: { activation: [{ context: 'staging-*' }], namespace: 'staging', image: { docker: { cacheFrom: ['c'] } } },
    empty: null,
  },
};

test.each<[string, Partial<ProfileChoice>, readonly string[]]>([
  ['none', {}, []],
  ['one that was asked for', { asked: ['staging'] }, ['staging']],
  ['those that were asked for, as they were', { asked: ['staging', 'ci'] }, ['staging', 'ci']],
  ['no other config’s', { asked: ['other'] }, []],
  ['one of dev', { mode: 'dev' }, ['local']],
  ['one of a variable that is there', { env: { CI: 'true' } }, ['ci']],
  ['none of a variable that is empty', { env: { CI: '' } }, []],
  ['one of all that an entry says', { env: { STAGE: 'test' } }, ['ci']],
  ['none of half of what an entry says', { env: { STAGE: 'test' }, mode: 'dev' }, ['local']],
  ['none of another value', { env: { STAGE: 'production' } }, []],
  ['one of a context', { context: () => 'staging-1' }, ['staging']],
  ['none that is kept out', { context: () => 'staging-1', asked: ['-staging'] }, []],
  ['those of themselves before those asked for', { env: { CI: '1' }, asked: ['local'] }, ['ci', 'local']],
  ['one that says nothing', { asked: ['empty'] }, ['empty']],
])('active is %s', (_, choice, expected) => {
  expect(activeProfiles(config, { ...nothing, ...choice })).toEqual(expected);
});

test('the context is asked only when a profile wants to know', () => {
  const context = () => {
    throw new Error('asked');
  };
  expect(activeProfiles({ profiles: { ci: { activation: [{ env: 'CI' }] } } }, { ...nothing, context })).toEqual([]);
});

test('maps are merged key by key, all else is replaced, and the later profile wins', () => {
  expect(withProfiles(config, ['ci', 'staging'])).toMatchObject({
    namespace: 'staging',
    image: { name: 'shop/api', docker: { args: { MODE: 'plain', LEVEL: 2 }, cacheFrom: ['c'] } },
  });
  expect(withProfiles(config, [])).toEqual(config);
});

describe('of keys that may not stand together the profile’s replaces the other', () => {
  const custom = { template: '${GIT}-${OTHER}', components: { OTHER: { envTemplate: 'x' } } };
  const dependencies = { paths: ['src'], ignore: ['src/made'] };
  const base: Config = {
    version: 1,
    image: { tag: { custom }, custom: { command: 'make', dependencies } },
    images: { web: { tag: { gitCommit: { variant: 'TreeSha', prefix: 'a-' } } } },
  };

  it.each<[string, Partial<Config>, Partial<Config>]>([
    ['a tagger', { image: { tag: { envTemplate: '${V}' } } }, { image: { ...base.image, tag: { envTemplate: '${V}' } } }],
    ['a tagger by its name', { image: { tag: 'sha256' } }, { image: { ...base.image, tag: 'sha256' } }],
    [
      'a component of a tagger',
      { image: { tag: { custom: { template: '${OTHER}', components: { OTHER: { dateTime: {} } } } } } },
      { image: { ...base.image, tag: { custom: { template: '${OTHER}', components: { OTHER: { dateTime: {} } } } } } },
    ],
    [
      'what a command reads',
      { image: { custom: { command: 'make', dependencies: { dockerfile: 'Dockerfile' } } } },
      { image: { ...base.image, custom: { command: 'make', dependencies: { dockerfile: 'Dockerfile', ignore: ['src/made'] } } } },
    ],
    [
      'none that may',
      { image: { custom: { command: 'make', dependencies: { go: './cmd' } } } },
      { image: { ...base.image, custom: { command: 'make', dependencies: { ...dependencies, go: './cmd' } } } },
    ],
    ['a tagger of one of several images', { images: { web: { tag: { dateTime: {} } } } }, { images: { web: { tag: { dateTime: {} } } } }],
    [
      'none where it says more of the same',
      { images: { web: { tag: { gitCommit: { prefix: 'b-' } } } } },
      { images: { web: { tag: { gitCommit: { variant: 'TreeSha', prefix: 'b-' } } } } },
    ],
  ])('%s', (_, says, expected) => {
    const all: Config = { ...base, profiles: { some: says } };
    expect(withProfiles(all, ['some'])).toEqual({ ...all, ...expected });
  });
});
