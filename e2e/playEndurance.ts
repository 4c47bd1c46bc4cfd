import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../testkit/simulator/random';
import { CuttableApi } from './cuttableApi';
import { type CuttableEngine, openCuttableEngine } from './cuttableEngine';
import { faultsAround, faultsOfCluster, type Act } from './enduranceFaults';
import type { RunningDev } from './runningDev';
import { ShortLogin } from './shortLogin';
import { Shop } from './shop';
import { SmallDisk } from './smallDisk';
import { until } from './until';

export interface Endurance {
  /** Where the environment names no other. */
  readonly seed: number;
  /** How often everything happens, each time in another order. */
  readonly rounds: number;
  /** How long the network is gone each time, and the laptop closed. */
  readonly awayMs: number;
  /** The API server and the engine of an embedded cluster are restarted too, its node is drained, and the login is one whose tokens expire. */
  readonly restarts?: boolean;
}

/** A day at one `dev`: edits of every kind, cut connections, no network, killed pods and processes; at the end everything is in step. */
export function playEndurance({ seed: usual, rounds, awayMs, restarts = false }: Endurance): void {
  const seed = Number(process.env['SLIPWAY_SEED'] ?? usual);
  const shop = new Shop();
  let api: CuttableApi;
  let login: ShortLogin | undefined;
  let engine: CuttableEngine;
  let disk: SmallDisk | undefined;
  beforeAll(async () => {
    await shop.open();
    disk = SmallDisk.at(shop.path('.slipway'));
    engine = await openCuttableEngine(shop.path('engine.sock'));
    process.env['DOCKER_HOST'] = engine.host;
    api = await CuttableApi.open();
    if (restarts) login = await ShortLogin.open(shop.kube, shop.namespace, api.kubeconfig);
  });
  afterAll(async () => {
    await login?.close();
    await api.close();
    disk?.close();
    await shop.close();
    process.env['DOCKER_HOST'] = engine.behind;
    await engine.close();
  });

  it(`one dev goes through ${String(rounds)} rounds of seed ${String(seed)}, and every container is in step at the end`, async () => {
    const random = new Random(seed);
    const done: string[] = [];
    let count = 0;
    const wanted = { word: 'w0', round: 'r0', name: 'n0', page: 'p0' };
    // Nobody has made an image of it before, in another run of the same seed.
    const next = (letter: string): string => `${letter}${String((count += 1))}-${shop.namespace}`;
    const saveWord = (): void => shop.write('apps/worker/src/word.js', `exports.word = '${(wanted.word = next('w'))}';\n`);
    const savePage = (): void => shop.write('apps/web/site/page.txt', (wanted.page = next('p')));
    const saveDockerfile = (): void => {
      const before = wanted.round;
      wanted.round = next('r');
      shop.edit('apps/worker/Dockerfile', `ROUND=${before}\n`, `ROUND=${wanted.round}\n`);
    };

    saveWord();
    savePage();
    shop.edit(
      'apps/worker/src/server.js',
      'total: formatPrice',
      `word: require('./word').word, round: process.env.ROUND, total: formatPrice`,
    );
    shop.edit('apps/worker/Dockerfile', 'EXPOSE 3000', 'ENV ROUND=r0\nEXPOSE 3000');
    let built = next('b');
    shop.edit('apps/worker/Dockerfile', 'RUN chown', `RUN BUILT=${built} && chown`);
    shop.edit('apps/worker/k8s/worker.yaml', 'SHOP_NAME: the harbour shop', 'SHOP_NAME: n0');
    const edits: Readonly<Record<string, Act>> = {
      'a source is saved': saveWord,
      'a page is saved': savePage,
      'a Dockerfile is saved': saveDockerfile,
      'a manifest is saved': () => {
        const before = wanted.name;
        wanted.name = next('n');
        shop.edit('apps/worker/k8s/worker.yaml', `SHOP_NAME: ${before}\n`, `SHOP_NAME: ${wanted.name}\n`);
      },
    };

    const dev = shop.dev('worker', 'web', `--kubeconfig=${(login ?? api).kubeconfig}`);
    const around = {
      shop,
      dev,
      api,
      disk,
      engine,
      random,
      awayMs,
      save: () => {
        saveWord();
        savePage();
      },
      rebuild: () => {
        saveWord();
        saveDockerfile();
      },
      rebuildByEngine: () => {
        saveDockerfile();
        const before = built;
        built = next('b');
        shop.edit('apps/worker/Dockerfile', `BUILT=${before} `, `BUILT=${built} `);
      },
    };
    const acts = { ...edits, ...faultsAround(around), ...(restarts && faultsOfCluster(around, login)) };
    await dev.until('ready');
    for (let round = 0; round < rounds; round += 1) {
      for (const [what, act] of shuffled(Object.entries(acts), random)) {
        done.push(what);
        await act();
        await pause(random.between(0, 600));
      }
      await inStep({ shop, dev, wanted, done: () => [`replay it with SLIPWAY_SEED=${String(seed)}`, ...done].join('\n') });
    }
    // Once at the start, and once for each time that what it said was refused.
    if (login) expect(login.count).toBeGreaterThan(rounds);
    expect(await dev.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);
  }, 3_600_000);
}

interface InStep {
  readonly shop: Shop;
  readonly dev: RunningDev;
  readonly wanted: { readonly word: string; readonly round: string; readonly name: string; readonly page: string };
  readonly done: () => string;
}

/** Over HTTP, and in every container there is. */
async function inStep({ shop, dev, wanted, done }: InStep): Promise<void> {
  for (const text of [`"word":"${wanted.word}"`, `"round":"${wanted.round}"`, wanted.name]) await dev.answer('worker', '/', text);
  await dev.answer('web', '/page.txt', wanted.page);
  const holds = async (app: string, at: string, text: string): Promise<boolean> => {
    const running = await shop.running(app);
    const texts = await Promise.all(running.map(({ pod }) => shop.inside(app, pod, ['cat', at]).catch(String)));
    return texts.length > 0 && texts.every((each) => each.includes(text));
  };
  await until(
    'every container holds what was saved',
    async () =>
      (await holds('worker', '/app/src/word.js', wanted.word)) && (await holds('web', '/www/page.txt', wanted.page)) ? true : undefined,
    () => `${done()}\n${dev.told()}`,
  );
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
