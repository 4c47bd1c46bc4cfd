import type { Layout } from './layout';
import { freeIndexes, networksOf, rangesInUse, type Networks } from './network';
import { ClusterProblem } from './problem';
import { run } from './run';

interface Link {
  readonly ifname: string;
  readonly address?: string;
}

/** The blocks of addresses that nothing on this machine uses, best first. */
export async function freeNetworks(): Promise<Networks[]> {
  const [routes, links] = await Promise.all([run(['ip', '-json', 'route', 'show', 'table', 'all']), run(['ip', '-json', 'address'])]);
  if (routes.status !== 0 || links.status !== 0)
    throw new ClusterProblem(`the machine's addresses could not be read: ${routes.stderr || links.stderr}`);
  const inUse = rangesInUse(JSON.parse(routes.stdout || '[]') as { dst?: string }[], JSON.parse(links.stdout || '[]') as object[]);
  return freeIndexes(inUse).map(networksOf);
}

/**
 * Ties the host to the first process's network. The name is taken from the block of addresses, so of two clusters that chose the same block the
 * kernel refuses one; the hardware address says whose it is. It vanishes with the namespace at its other end.
 */
export async function makeLink(layout: Layout, networks: Networks, firstProcess: number): Promise<'made' | 'taken'> {
  const { linkName, hostAddress, linkPrefix } = networks;
  const peer = ['peer', 'name', 'eth0', 'netns', String(firstProcess)];
  const made = await run(['ip', 'link', 'add', linkName, 'address', layout.linkAddress, 'type', 'veth', ...peer]);
  if (made.status !== 0) {
    if (/exists/i.test(made.stderr)) return 'taken';
    if (/no such process|invalid "netns"/i.test(made.stderr))
      throw new ClusterProblem('the first process of the namespaces ended at once', undefined, { log: 'first-process' });
    throw new ClusterProblem(`the network interface ${linkName} could not be made: ${made.stderr.trim()}`);
  }
  await mustRun(['ip', 'address', 'add', `${hostAddress}/${linkPrefix}`, 'dev', linkName]);
  await mustRun(['ip', 'link', 'set', linkName, 'up']);
  return 'made';
}

async function mustRun(command: readonly [string, ...string[]]): Promise<void> {
  const { status, stderr } = await run(command);
  if (status !== 0) throw new ClusterProblem(`\`${command.join(' ')}\` failed: ${stderr.trim()}`);
}

/** The names of the interfaces on the host that belong to this cluster. */
export async function linksOf(layout: Layout): Promise<string[]> {
  const { stdout } = await run(['ip', '-json', 'link']);
  const links = JSON.parse(stdout || '[]') as Link[];
  return links.filter(({ ifname, address }) => ifname.startsWith('slipway') && address === layout.linkAddress).map(({ ifname }) => ifname);
}

export async function removeLinks(layout: Layout): Promise<string[]> {
  const names = await linksOf(layout);
  // The namespace's end removes it too, a moment later than asked here; that it is gone by then is as good.
  for (const name of names) await run(['ip', 'link', 'delete', name]);
  return names;
}
