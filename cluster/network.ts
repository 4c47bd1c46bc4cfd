/** An IPv4 network as its first and last address. */
export interface Range {
  readonly first: number;
  readonly last: number;
}

/** The addresses of one embedded cluster, all out of one block of 65,536, so that a single look tells whether they are free. */
export interface Networks {
  /** 0 is the first candidate; the host's interface is named after it, which makes the kernel the judge of who has which block. */
  readonly index: number;
  readonly linkName: string;
  readonly block: string;
  readonly hostAddress: string;
  /** Where API, registry, DNS and node ports answer, for the host, the engine and pods alike. */
  readonly nodeAddress: string;
  readonly linkPrefix: number;
  readonly pods: string;
  readonly podGateway: string;
  readonly podPrefix: number;
  readonly services: string;
  /** The first address of `services`: the API server, as pods know it. */
  readonly apiServiceAddress: string;
  readonly engineBridge: string;
  readonly engineNetworks: string;
  /** The network of the way out to where the host can go. */
  readonly outside: string;
  readonly outsideDns: string;
}

// The private ranges that routers, Docker, VPNs and other cluster tools hand out least, and the range for benchmarks last: a machine
// whose VPN claims all of 10.0.0.0/8 and 172.16.0.0/12 still gets a cluster.
const BLOCKS: readonly string[] = [
  ...Array.from({ length: 32 }, (_, index) => `10.${200 + index}`),
  ...Array.from({ length: 8 }, (_, index) => `172.${22 + index}`),
  '198.18',
  '198.19',
];

export const candidateCount = BLOCKS.length;

export function networksOf(index: number): Networks {
  const block = BLOCKS[index];
  if (block === undefined) throw new RangeError(`there are ${BLOCKS.length} blocks of addresses, asked for number ${index}`);
  return {
    index,
    linkName: `slipway${index}`,
    block: `${block}.0.0/16`,
    hostAddress: `${block}.0.1`,
    nodeAddress: `${block}.0.2`,
    linkPrefix: 30,
    // 1,022 addresses for at most 150 pods: an address of a pod that went is not handed to the next one while something still knows it.
    pods: `${block}.4.0/22`,
    podGateway: `${block}.4.1`,
    podPrefix: 22,
    services: `${block}.8.0/22`,
    apiServiceAddress: `${block}.8.1`,
    engineBridge: `${block}.12.1/24`,
    engineNetworks: `${block}.16.0/20`,
    outside: `${block}.13.0/24`,
    outsideDns: `${block}.13.3`,
  };
}

/** The candidates that overlap nothing in use, best first. */
export function freeIndexes(inUse: readonly Range[]): number[] {
  return BLOCKS.map((block, index) => ({ index, range: rangeOf(`${block}.0.0/16`) }))
    .filter(({ range }) => range !== undefined && !inUse.some((used) => used.first <= range.last && range.first <= used.last))
    .map(({ index }) => index);
}

/** `10.1.2.3/16` is the range of 65,536 that it lies in; a bare address is a range of one; what is no IPv4 network (`default`, IPv6) is nothing. */
export function rangeOf(network: string): Range | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(network);
  if (match === null) return undefined;
  const [a, b, c, d] = match.slice(1, 5).map(Number) as [number, number, number, number];
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if ([a, b, c, d].some((part) => part > 255) || prefix > 32) return undefined;
  const address = ((a * 256 + b) * 256 + c) * 256 + d;
  const size = 2 ** (32 - prefix);
  const first = address - (address % size);
  return { first, last: first + size - 1 };
}

/**
 * What a host uses, from `ip -json route show table all` and `ip -json address`. A default route, and routes as wide as one (a VPN's
 * 0.0.0.0/1), lead everywhere and so say nothing about a block.
 */
export function rangesInUse(
  routes: readonly { readonly dst?: string }[],
  links: readonly { readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[] }[],
): Range[] {
  const fromRoutes = routes.map((route) => route.dst ?? 'default').filter((dst) => !/\/[0-4]$/.test(dst));
  const fromLinks = links.flatMap((link) => (link.addr_info ?? []).map((address) => `${address.local ?? ''}/${address.prefixlen ?? 32}`));
  return [...fromRoutes, ...fromLinks].map(rangeOf).filter((range) => range !== undefined);
}
