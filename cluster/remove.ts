import { existsSync, readdirSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { remainingCgroups, removeCgroups } from './cgroup';
import { takeBackBaseImages } from './images';
import type { Layout } from './layout';
import { linksOf, removeLinks } from './link';
import { ClusterProblem } from './problem';
import { endFirstProcess, runs } from './process';
import { engineOf } from './ready';
import { readPlan } from './state';

/** Whether anything of a cluster is there, running or not. */
export async function anythingLeft(layout: Layout): Promise<boolean> {
  return runs(layout) || existsSync(layout.state) || remainingCgroups(layout.cgroup).length > 0 || (await linksOf(layout)).length > 0;
}

/** Refuses a state folder that holds somebody's files: it would be emptied. */
export function mustBeOurs({ state, markerFile }: Layout): void {
  if (!existsSync(state) || existsSync(markerFile) || (statSync(state).isDirectory() && readdirSync(state).length === 0)) return;
  throw new ClusterProblem(
    `the state folder ${state} holds files that are not a cluster's`,
    'Name another, or one that is not there, with SLIPWAY_CLUSTER_STATE.',
    { exitCode: 2 },
  );
}

/** Ends the cluster and removes all that it made, in the order in which things depend on each other; says what was there. */
export async function removeAll(layout: Layout): Promise<string[]> {
  const removed: string[] = [];
  const ended = await endFirstProcess(layout);
  if (ended === 'still there')
    throw new ClusterProblem(
      'the first process of the cluster does not end',
      'A process of it hangs in the kernel; only a restart of the machine ends such a one.',
    );
  if (ended === 'ended') removed.push('its processes and mounts');
  const taken = await takeBackFromHostEngine(layout);
  if (taken.length > 0) removed.push(`the stand-ins ${taken.join(' and ')} in your engine`);
  const links = await removeLinks(layout);
  if (links.length > 0) removed.push(`the interface ${links.join(', ')}`);
  else if (ended === 'ended') removed.push('its interface');
  if (remainingCgroups(layout.cgroup).length > 0) {
    if (!(await removeCgroups(layout.cgroup))) throw new ClusterProblem(`the control groups ${layout.cgroup} could not be removed`);
    removed.push(`the control groups ${layout.cgroup}`);
  }
  if (existsSync(layout.state)) {
    emptyState(layout);
    removed.push(layout.state);
    removeIfEmpty(dirname(layout.state));
  }
  return removed;
}

async function takeBackFromHostEngine(layout: Layout): Promise<string[]> {
  if (!existsSync(layout.planFile)) return [];
  const plan = readPlan(layout);
  if (plan.engine.kind === 'own') return [];
  try {
    return await takeBackBaseImages(engineOf(plan));
  } catch {
    // An engine that does not run keeps them; nothing else depends on it.
    return [];
  }
}

function emptyState({ state, markerFile }: Layout): void {
  for (const entry of readdirSync(state)) {
    const path = join(state, entry);
    if (path !== markerFile) rmSync(path, { recursive: true, force: true, maxRetries: 5 });
  }
  rmSync(markerFile, { force: true });
  rmdirSync(state);
}

/** The folder above the state folder is ours when it bears our name. */
function removeIfEmpty(folder: string): void {
  if (basename(folder) !== 'slipway') return;
  try {
    rmdirSync(folder);
  } catch {
    // Another cluster is in it.
  }
}
