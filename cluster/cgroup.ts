import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from './run';

/** A mounted control group hierarchy: one for each controller with version 1, a single one with version 2. */
export interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
}

/** The hierarchies that containers are put into, from `/proc/mounts`. */
export function hierarchiesOf(mounts: string): Hierarchy[] {
  const all = mounts.split('\n').flatMap((line): Hierarchy[] => {
    const [, path, type] = line.split(' ');
    if (path === undefined || (type !== 'cgroup' && type !== 'cgroup2')) return [];
    return [{ path, version: type === 'cgroup' ? 1 : 2 }];
  });
  // Beside version 1, a mounted version 2 has no controllers and no container is put into it.
  const first = all.filter(({ version }) => version === 1);
  return first.length > 0 ? first : all.slice(0, 1);
}

export function hierarchies(): Hierarchy[] {
  return hierarchiesOf(readFileSync('/proc/mounts', 'utf8'));
}

/** The group that the cluster's own processes are in. A group of version 2 holds either processes or further groups, so the root cannot take them. */
const SYSTEM = 'system';

/** Makes the cluster's root group everywhere, and gives the files to write a process number to so that it joins. */
export function makeCgroups(name: string): string[] {
  return hierarchies().map((hierarchy) => {
    if (hierarchy.version === 2) delegate(hierarchy.path);
    const root = join(hierarchy.path, name);
    makeCgroup(hierarchy, root);
    if (hierarchy.version === 2) delegate(root);
    const system = join(root, SYSTEM);
    makeCgroup(hierarchy, system);
    return join(system, 'cgroup.procs');
  });
}

function makeCgroup(hierarchy: Hierarchy, path: string): void {
  mkdirSync(path, { recursive: true });
  if (hierarchy.version === 2) return;
  // A new group of version 1 has no processors and no memory, and refuses every process until it is given some.
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = join(path, file);
    if (existsSync(own) && readFileSync(own, 'utf8').trim() === '') writeFileSync(own, readFileSync(join(path, '..', file)));
  }
}

function delegate(path: string): void {
  for (const controller of readFileSync(join(path, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean)) {
    try {
      writeFileSync(join(path, 'cgroup.subtree_control'), `+${controller}`);
    } catch {
      // A controller that cannot be handed down here is one that pods cannot be limited by; the kubelet says which it needs.
    }
  }
}

/** Removes the cluster's groups; false when some still hold a process after the time given. */
export async function removeCgroups(name: string, timeoutMs = 10_000): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const left = remainingCgroups(name);
    if (left.length === 0) return true;
    for (const path of left) removeTree(path);
    if (remainingCgroups(name).length === 0) return true;
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
}

export function remainingCgroups(name: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path]) => join(path ?? '', name))
    .filter((path) => existsSync(path));
}

function removeTree(path: string): void {
  try {
    for (const entry of readdirSync(path)) {
      const child = join(path, entry);
      if (statSync(child).isDirectory()) removeTree(child);
    }
    rmdirSync(path);
  } catch {
    // Still in use, or already gone: the caller looks again.
  }
}
