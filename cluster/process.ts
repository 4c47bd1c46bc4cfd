import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readdirSync } from 'node:fs';
import type { Layout } from './layout';
import { HOST_MOUNTS_FD, HOST_NETWORK_FD } from './script';
import { until } from './run';

/** The processes that hold a cluster's namespaces, as the host numbers them. */
export interface FirstProcesses {
  /** Number 1 of the namespaces: when it ends, the kernel ends all that is in them. */
  readonly first: readonly number[];
  /** Those that are about to start it, or wait for its end. */
  readonly launchers: readonly number[];
}

/**
 * Finds them by their exact command lines, which end in the path of the cluster's script. No pid file is kept: a number on disk may by now be
 * another process, and is missing when whoever started the cluster was killed before writing it.
 */
export function findFirstProcesses(layout: Layout): FirstProcesses {
  const first: number[] = [];
  const launchers: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = commandLineOf(entry);
    if (words.at(-1) !== layout.script || (words[0] !== 'sh' && words[0] !== 'unshare')) continue;
    if (words.length > 2) launchers.push(Number(entry));
    // The script's own children run under the same command line until they start something else.
    else if (isFirstOfNamespace(entry)) first.push(Number(entry));
  }
  return { first, launchers };
}

/** Whether the cluster's namespaces are there, or about to be. */
export function runs(layout: Layout): boolean {
  const { first, launchers } = findFirstProcesses(layout);
  return first.length + launchers.length > 0;
}

function commandLineOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

function isFirstOfNamespace(pid: string): boolean {
  try {
    return /^NSpid:.*\s1$/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Starts the script as the first process of new namespaces, cut loose from this one, and gives its number. */
export async function startFirstProcess(layout: Layout, groupFiles: readonly string[]): Promise<number | undefined> {
  const log = openSync(`${layout.log}/first-process.log`, 'a');
  const network = openSync('/proc/self/ns/net', 'r');
  const mounts = openSync('/proc/self/ns/mnt', 'r');
  // Everything that runs in the cluster is counted in its control groups from the first moment on. The script is named last from the first
  // moment on too, so that whoever looks for a launcher finds it.
  const launch = `while test $# -gt 1; do echo $$ >"$1"; shift; done
exec unshare --net --mount --pid --ipc --uts --fork --kill-child sh "$1"`;
  const stdio: (number | 'ignore')[] = ['ignore', log, log];
  while (stdio.length < HOST_MOUNTS_FD) stdio.push('ignore');
  stdio[HOST_MOUNTS_FD] = mounts;
  stdio[HOST_NETWORK_FD] = network;
  const child = spawn('sh', ['-c', launch, 'launch', ...groupFiles, layout.script], {
    cwd: '/',
    detached: true,
    stdio,
    env: { PATH: process.env['PATH'] },
  });
  child.on('error', () => undefined);
  child.unref();
  for (const fd of [log, network, mounts]) closeSync(fd);
  return until(() => findFirstProcesses(layout).first[0], { timeoutMs: 5_000, everyMs: 10 });
}

/** Ends the cluster's processes, all of them, and tells whether they are gone. */
export async function endFirstProcess(layout: Layout): Promise<'none' | 'ended' | 'still there'> {
  if (!runs(layout)) return 'none';
  const gone = await until(
    () => {
      // Looking again each time: between two looks, a launcher may have made a first process.
      const { first, launchers } = findFirstProcesses(layout);
      if (first.length + launchers.length === 0) return true;
      for (const pid of [...launchers, ...first]) kill(pid);
      return undefined;
    },
    { timeoutMs: 20_000 },
  );
  return gone === true ? 'ended' : 'still there';
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended on its own.
  }
}
