import { candidateCount, freeIndexes, networksOf, rangeOf, rangesInUse } from './network';

describe('the choice of addresses', () => {
  test.each([
    ['10.200.0.1', { first: 0x0ac80001, last: 0x0ac80001 }],
    ['10.200.3.7/16', { first: 0x0ac80000, last: 0x0ac8ffff }],
    ['0.0.0.0/0', { first: 0, last: 0xffffffff }],
    ['255.255.255.255/32', { first: 0xffffffff, last: 0xffffffff }],
    ['default', undefined],
    ['fd00::/64', undefined],
    ['10.0.0.300', undefined],
    ['10.0.0.0/33', undefined],
  ])('%s is the range it stands for', (network, range) => {
    expect(rangeOf(network)).toEqual(range);
  });

  const free = (routes: string[], addresses: [string, number][] = []) =>
    freeIndexes(
      rangesInUse(
        routes.map((dst) => ({ dst })),
        [{ addr_info: addresses.map(([local, prefixlen]) => ({ local, prefixlen })) }],
      ),
    );

  test('takes the first block on a machine with nothing but a default route', () => {
    expect(
      free(
        ['default', '192.168.1.0/24'],
        [
          ['192.168.1.7', 24],
          ['fe80::1', 64],
        ],
      )[0],
    ).toBe(0);
  });

  test('passes over a block of which a route or an address uses only a part', () => {
    expect(free(['10.200.0.0/30'])[0]).toBe(1);
    expect(free([], [['10.200.255.1', 24]])[0]).toBe(1);
  });

  test('does not take the halves of a default route, as VPNs set them, for use of every block', () => {
    expect(free(['0.0.0.0/1', '128.0.0.0/1'])).toHaveLength(candidateCount);
  });

  test('finds a block where a VPN claims all of 10.0.0.0/8 and 172.16.0.0/12', () => {
    const [index] = free(['10.0.0.0/8', '172.16.0.0/12']);
    expect(index === undefined ? undefined : networksOf(index).nodeAddress).toBe('198.18.0.2');
  });

  test('finds none where all are taken', () => {
    expect(free(['10.0.0.0/8', '172.16.0.0/12', '198.18.0.0/15'])).toEqual([]);
  });

  test('the networks of one cluster lie in its block, do not overlap and have room for 150 pods', () => {
    for (let index = 0; index < candidateCount; index++) {
      const { block, hostAddress, linkPrefix, pods, services, engineBridge, engineNetworks, outside } = networksOf(index);
      const parts = [`${hostAddress}/${String(linkPrefix)}`, pods, services, engineBridge, outside, engineNetworks].map(mustRange);
      const whole = mustRange(block);
      expect(parts.every(({ first, last }) => first >= whole.first && last <= whole.last)).toBe(true);
      const sorted = [...parts].sort((a, b) => a.first - b.first);
      expect(sorted.every((part, at) => at === 0 || part.first > (sorted[at - 1]?.last ?? 0))).toBe(true);
      const podRange = mustRange(pods);
      expect(podRange.last - podRange.first).toBeGreaterThan(2 * 150);
    }
  });

  test('an interface name is short enough for the kernel', () => {
    expect(networksOf(candidateCount - 1).linkName.length).toBeLessThanOrEqual(15);
  });
});

function mustRange(network: string) {
  const range = rangeOf(network);
  if (range === undefined) throw new Error(`${network} is no network`);
  return range;
}
