import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../testkit/simulator/random';
import type { CuttableApi } from './cuttableApi';
import type { CuttableEngine } from './cuttableEngine';
import { valueOf } from './localRegistry';
import type { RunningDev } from './runningDev';
import type { ShortLogin } from './shortLogin';
import type { Shop } from './shop';
import type { SmallDisk } from './smallDisk';
import { restartApi, restartEngine } from './stormDisturbances';

export type Act = () => void | Promise<void>;

export interface Surroundings {
  readonly shop: Shop;
  readonly dev: RunningDev;
  readonly api: CuttableApi;
  /** That of `.slipway`. Absent: it cannot be filled here. */
  readonly disk: SmallDisk | undefined;
  readonly engine: CuttableEngine;
  readonly random: Random;
  /** How long the network is gone each time, and the laptop closed. */
  readonly awayMs: number;
  /** Saves a source and a page. */
  readonly save: () => void;
  /** Saves what needs a new image, with other files in it. */
  readonly rebuild: () => void;
  /** Saves what needs an image that the engine has a part in. */
  readonly rebuildByEngine: () => void;
}

/** API servers believe a token for so long after it was checked. */
const tokenCacheMs = 11_000;

/** What happens to one who works at a `dev`, and to what it works with. */
export function faultsAround(around: Surroundings): Readonly<Record<string, Act>> {
  const { shop, dev, api, disk, engine, random, awayMs, save, rebuild, rebuildByEngine } = around;
  const whileAway = async (): Promise<void> => {
    await pause(awayMs / 2);
    save();
    await pause(awayMs / 2);
  };
  const toldAsFull = async (change: () => void): Promise<void> => {
    const mark = dev.mark();
    change();
    await dev.until('failed', ({ code }) => code === 'diskFull', mark);
  };
  const kill = async (app: string): Promise<void> => {
    const one = random.pick(await shop.running(app));
    if (one) await deletePod(shop, one.pod, 0);
  };
  return {
    'every connection is cut': () => api.cut(),
    'there is no network, and a source and a page are saved': async () => {
      const mark = dev.mark();
      await api.closedWhile(whileAway());
      await dev.until('notice', ({ message }) => message === 'the cluster answers again', mark);
      // Not once for each thing that is watched, and at each of its tries. A connection that comes and goes again meanwhile counts anew.
      const told = dev.since(mark, 'notice').filter(({ message }) => message.includes('does not answer'));
      expect(told.length).toBeLessThanOrEqual(3);
    },
    'nothing gets through the network, and a source and a page are saved': () => api.frozenWhile(whileAway()),
    'the laptop sleeps, the cluster closes its connections, and a source and a page are saved': () =>
      dev.asleepWhile(whileAway().then(() => api.cut())),
    ...(disk && {
      'the disk is full, and new images are needed': () => disk.fullWhile(() => toldAsFull(rebuild)),
    }),
    'the disk of the engine is full, and an image is needed that it has to build': () =>
      engine.failingBuildsWhile('write /var/lib/docker/layer.tar: no space left on device', () => toldAsFull(rebuildByEngine)),
    'a pod of worker is killed': () => kill('worker'),
    'a pod of web is killed': () => kill('web'),
    'the process of web ends': async () => {
      const [one] = await shop.running('web');
      // Whether an answer comes back does not matter: what it ran in is gone.
      if (one) await shop.endInside('web', one.pod);
    },
  };
}

/** What can only be done to a cluster of one's own. */
export function faultsOfCluster(
  { shop, dev, api, engine, save }: Surroundings,
  login: ShortLogin | undefined,
): Readonly<Record<string, Act>> {
  return {
    'the API server is restarted': () => restartApi(shop, api.host).then(() => undefined),
    'the engine is restarted': () => restartEngine(engine.behind).then(() => undefined),
    'the token expires, and every connection is cut': async () => {
      await login?.expire();
      await pause(tokenCacheMs);
      api.cut();
    },
    'the node is drained, and a source and a page are saved before it comes back': async () => {
      const nodes = valueOf(await shop.kube.list({ apiVersion: 'v1', kind: 'Node' }));
      const setUnschedulable = async (unschedulable: boolean): Promise<void> => {
        for (const { apiVersion, kind, metadata } of nodes)
          valueOf(
            await shop.kube.apply(
              { apiVersion, kind, metadata: { name: metadata.name ?? '' }, spec: { unschedulable } },
              { force: true, fieldManager: 'e2e' },
            ),
          );
      };
      const mark = dev.mark();
      await setUnschedulable(true);
      try {
        for (const app of ['worker', 'web']) for (const { pod } of await shop.running(app)) await deletePod(shop, pod);
        await dev.until('failed', ({ code }) => code === 'podUnschedulable', mark);
        save();
      } finally {
        await setUnschedulable(false);
      }
    },
  };
}

async function deletePod(shop: Shop, name: string, gracePeriodSeconds?: number): Promise<void> {
  const options = gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds };
  valueOf(await shop.kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace: shop.namespace, name }, options));
}
