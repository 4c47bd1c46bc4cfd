import { readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { connectEngine } from '../clients';
import type { Random } from '../testkit/simulator/random';
import type { CuttableApi } from './cuttableApi';
import { valueOf } from './localRegistry';
import type { Running, Shop } from './shop';
import { until } from './until';

export interface Disturbed {
  readonly shop: Shop;
  /** The application whose pods are disturbed. */
  readonly app: string;
  readonly api: CuttableApi;
  readonly random: Random;
  /** Changes how many pods each Deployment has. */
  readonly scale: (replicas: number) => Promise<void>;
  /** Whether the API server itself may be restarted, where that is possible. */
  readonly restartsApi: boolean;
}

const kinds = ['kill a pod', 'crash', 'kill agents', 'cut one', 'cut all', 'cut all', 'no API', 'scale'] as const;

/** Does one bad thing to containers, streams or the API server. Says what; resolves when it is done, not when it is got over. */
export async function disturb({ shop, app, api, random, scale, restartsApi }: Disturbed): Promise<string> {
  const kind = random.pick(restartsApi ? [...kinds, 'restart the API' as const] : kinds) ?? 'cut all';
  const running = await shop.running(app);
  const one = random.pick(running);
  const replicas = random.between(1, 4);
  const forMs = random.between(50, 2000);
  const number = random.between(0, Math.max(api.connections, 1));
  switch (kind) {
    case 'kill a pod':
      return one ? killPod(shop, one) : 'nobody to kill';
    case 'crash':
      // One that crashes again and again is started later and later.
      if (one && one.restarts > 0) return killPod(shop, one);
      return one ? inside({ shop, app, one }, 'kill -TERM 1') : 'nobody to crash';
    case 'kill agents':
      return one ? inside({ shop, app, one }, killAgents) : 'no agents';
    case 'cut one':
      api.cut(number);
      return `cut connection ${String(number)}`;
    case 'scale':
      await scale(replicas);
      return `scaled to ${String(replicas)}`;
    case 'no API':
      await api.closedWhile(pause(forMs));
      return `no API for ${String(forMs)} ms`;
    case 'restart the API':
      return restartApi(shop, api.host);
    case 'cut all':
      api.cut();
      return 'cut all connections';
  }
}

interface Inside {
  readonly shop: Shop;
  readonly app: string;
  readonly one: Running;
}

// Not the shell that looks for them: its own command line has the word otherwise.
const killAgents =
  'for each in /proc/[0-9]*; do if grep -q "sli[p]way" $each/cmdline; then kill -KILL ${each#/proc/}; fi; done 2>/dev/null; true';

/** Whether it comes back with an answer does not matter: what it ran in may be gone. */
async function inside({ shop, app, one }: Inside, script: string): Promise<string> {
  await shop.inside(app, one.pod, ['sh', '-c', script]).catch(() => undefined);
  return `${script} in ${one.pod}`;
}

async function killPod(shop: Shop, { pod }: Running): Promise<string> {
  valueOf(await shop.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: shop.namespace, name: pod }, { gracePeriodSeconds: 0 }));
  return `killed ${pod}`;
}

/** Of an embedded cluster on this machine, where it is started again by what keeps it. */
export async function restartApi(shop: Shop, host: string): Promise<string> {
  const servers = killed((words) => words.includes('kube-apiserver') && words.includes(`--advertise-address=${host}`));
  await until('the API server answers again', async () => ((await shop.kube.version()).ok ? true : undefined));
  return `restarted ${String(servers)} API servers`;
}

/** The Docker engine of an embedded cluster, likewise. Another one is left alone. */
export async function restartEngine(host = process.env['DOCKER_HOST'] ?? ''): Promise<string> {
  const socket = host.replace(/^unix:\/\//, '');
  const engines = killed((words) => /(^|\/)dockerd$/.test(words[0] ?? '') && words.some((word) => word.startsWith(`${dirname(socket)}/`)));
  const engine = connectEngine({ env: { ...process.env, DOCKER_HOST: host } });
  await until('the engine answers again', async () => ((await engine.ping()).ok ? true : undefined));
  return `restarted ${String(engines)} engines`;
}

/** Kills the processes of this machine whose words are those of one of them; gives how many there were. */
function killed(isIt: (words: readonly string[]) => boolean): number {
  const ids = readdirSync('/proc').filter((id) => /^\d+$/.test(id) && isIt(wordsOf(id)));
  for (const id of ids) process.kill(Number(id), 'SIGKILL');
  return ids.length;
}

function wordsOf(id: string): readonly string[] {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
