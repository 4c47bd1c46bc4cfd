import { cacheFolderOf, layoutOf, refusalOfState, stateFolderOf } from './layout';

describe('where a cluster lies', () => {
  test('two state folders share no name on the machine', () => {
    const one = layoutOf('/var/lib/slipway/cluster');
    const two = layoutOf('/var/lib/slipway/two');
    for (const key of ['id', 'cgroup', 'linkAddress', 'lock', 'script'] as const) expect(one[key]).not.toBe(two[key]);
  });

  test('one state folder, however written, is one cluster', () => {
    expect(layoutOf('/var/lib/slipway/./two/')).toEqual(layoutOf('/var/lib/slipway/two'));
  });

  test('the hardware address is a local one of a single station', () => {
    expect(layoutOf('/var/lib/slipway/cluster').linkAddress).toMatch(/^02(:[0-9a-f]{2}){5}$/);
  });

  test.each([
    ['/var/lib/slipway/cluster', undefined],
    ['/home/me/a b', 'letters, digits'],
    ['/home/me/$(x)', 'letters, digits'],
    [`/${'long/'.repeat(20)}`, 'longer than'],
    ['/', 'letters, digits'],
    ['/var', 'too near the root'],
  ])('%s as a state folder: %s', (state, words) => {
    if (words === undefined) expect(refusalOfState(state)).toBeUndefined();
    else expect(refusalOfState(state)).toContain(words);
  });

  test('the environment names other folders', () => {
    expect(stateFolderOf({})).toBe('/var/lib/slipway/cluster');
    expect(stateFolderOf({ SLIPWAY_CLUSTER_STATE: '/tmp/x' })).toBe('/tmp/x');
    expect(cacheFolderOf({ XDG_CACHE_HOME: '/tmp/cache' })).toBe('/tmp/cache/slipway');
  });
});
