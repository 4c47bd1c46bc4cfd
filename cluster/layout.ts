import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export const CONTEXT_NAME = 'slipway';
export const NODE_NAME = 'slipway';
/** The marker by which the guard knows this cluster as a local one. */
export const MARKER_LABEL = 'slipway.dev/cluster';
export const MARKER_VALUE = 'embedded';
export const PROVIDER_ID = 'slipway://embedded/slipway';
export const PAUSE_IMAGE = 'slipway.dev/pause:1';
export const REGISTRY_PORT = 5000;
export const API_PORT = 6443;
export const MAX_PODS = 150;

const DEFAULT_STATE = '/var/lib/slipway/cluster';
// A Unix socket's address has room for 107 bytes.
const LONGEST_STATE = 90;

/** Where everything of one embedded cluster lies. Two clusters differ by their state folder; all other names follow from it. */
export interface Layout {
  readonly state: string;
  /** Eight hex digits that stand for the state folder. */
  readonly id: string;
  readonly etc: string;
  readonly pki: string;
  readonly log: string;
  readonly kubeconfig: string;
  /** The script that is the first process of the cluster's namespaces. */
  readonly script: string;
  readonly planFile: string;
  /** The first file there and the last to go: a folder without it is not ours to empty. */
  readonly markerFile: string;
  /** Written when a first `up` came to its end: without it what is here is half made. */
  readonly readyFile: string;
  readonly dockerSocket: string;
  readonly cgroup: string;
  /** The hardware address of the host's interface: it tells whose interface it is from the moment it is made. */
  readonly linkAddress: string;
  /** The address of an abstract socket that one `up` or `down` at a time listens on. */
  readonly lock: string;
}

export function layoutOf(stateFolder: string): Layout {
  const state = resolve(stateFolder);
  const digest = createHash('sha256').update(state).digest('hex');
  const id = digest.slice(0, 8);
  return {
    state,
    id,
    etc: join(state, 'etc'),
    pki: join(state, 'pki'),
    log: join(state, 'log'),
    kubeconfig: join(state, 'kubeconfig'),
    script: join(state, 'first-process.sh'),
    planFile: join(state, 'plan.json'),
    markerFile: join(state, '.slipway-cluster'),
    readyFile: join(state, 'ready'),
    dockerSocket: join(state, 'docker.sock'),
    cgroup: `slipway-${id}`,
    linkAddress: `02:${(digest.slice(0, 10).match(/../g) ?? []).join(':')}`,
    lock: `\0slipway-cluster-${id}`,
  };
}

/** Why a folder cannot hold a cluster, if so. */
export function refusalOfState(stateFolder: string): string | undefined {
  const state = resolve(stateFolder);
  if (state.length > LONGEST_STATE)
    return `the state folder's path is longer than ${LONGEST_STATE} characters, and the sockets in it would not fit into an address: ${state}`;
  // The path goes into scripts and config files as it is.
  if (!/^\/[\w./+@-]+$/.test(state)) return `the state folder's path may hold letters, digits and . _ - + @ only: ${state}`;
  if (state.split('/').length < 3)
    return `the state folder is removed with all it holds when the cluster ends; ${state} is too near the root for that`;
  return undefined;
}

export function stateFolderOf(env: NodeJS.ProcessEnv): string {
  return env['SLIPWAY_CLUSTER_STATE'] || DEFAULT_STATE;
}

export function cacheFolderOf(env: NodeJS.ProcessEnv): string {
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'slipway');
}
