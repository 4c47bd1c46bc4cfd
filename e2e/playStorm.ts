import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../testkit/simulator/random';
import { CuttableApi } from './cuttableApi';
import { FileStorm, leftOut } from './fileStorm';
import { valueOf } from './localRegistry';
import { Shop } from './shop';
import { disturb } from './stormDisturbances';
import { differencesOf, fileLine, listingInTar, listingOf, type TreeListing } from './treeListing';
import { until } from './until';

export interface Storm {
  /** Where the environment names no other. */
  readonly seed: number;
  readonly operations: number;
  /** After so many of them everything must be equal everywhere. */
  readonly checkEvery: number;
  readonly restartsApi: boolean;
}

const app = 'storm';
const touchEveryMs = 60_000;
const [folder, aside] = ['storm/tree', 'storm/aside'];
/** In the containers; with a folder beside the one that is synced, and in it what only they have. */
const place = '/tmp/storm';
const prepared = [
  `mkdir -p ${place}/tree ${place}/canary/deep`,
  `cd ${place}`,
  'for each in canary/file canary/deep/file tree/their.own; do echo theirs >$each; done',
  'ln -s ../canary tree/their.link',
  'trap exit TERM',
  'while true; do sleep 1000 & wait $!; done',
].join('\n');
const theirs: TreeListing = new Map([
  ['canary', 'directory'],
  ['canary/deep', 'directory'],
  ...['canary/file', 'canary/deep/file', 'tree/their.own'].map((path) => [path, fileLine(0o644, Buffer.from('theirs\n'))] as const),
  ['tree', 'directory'],
  ['tree/their.link', 'link ../canary'],
]);

/** A storm of file operations, while pods die, streams are cut and the API server goes: at the end every container holds what the folder does, and nothing else was touched. */
export function playStorm({ seed: usual, operations, checkEvery, restartsApi }: Storm): void {
  const seed = Number(process.env['SLIPWAY_SEED'] ?? usual);
  const shop = new Shop();
  let api: CuttableApi;
  beforeAll(async () => {
    await shop.open();
    await shop.slipway(['deploy', 'worker', 'web', ...shop.where]);
    await scaleAll();
    api = await CuttableApi.open();
  });
  afterAll(async () => {
    await shop.close();
    await api.close();
  });

  let [replicas, touched] = [1, 0];
  const scale = async (of: string): Promise<void> => {
    const image = await imageOf(shop, of);
    const labels = { app, of };
    const containers = [{ name: app, image, command: ['sh', '-c', prepared] }];
    valueOf(
      await shop.kube.apply({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: `${app}-${of}`, namespace: shop.namespace, annotations: { touched: String(touched) } },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } },
        },
      }),
    );
  };

  const scaleAll = async (): Promise<void> => {
    for (const image of ['worker', 'web']) await scale(image);
  };
  /**
   * A ReplicaSet waits five minutes for a pod that it made and that was killed before its controller, whose API server went, has seen it; and looks
   * again only when something of it changes.
   */
  const touch = async (): Promise<string> => {
    const asked = { namespace: shop.namespace, labelSelector: `app=${app}` };
    const sets = valueOf(await shop.kube.list({ apiVersion: 'apps/v1', kind: 'ReplicaSet' }, asked));
    const pods = valueOf(await shop.kube.list({ apiVersion: 'v1', kind: 'Pod' }, asked));
    touched += 1;
    await scaleAll();
    return [...sets, ...pods].map(({ kind, metadata: { name }, status }) => `${kind} ${name ?? ''} ${JSON.stringify(status)}`).join('\n');
  };

  const heldIn = async (pod: string): Promise<TreeListing> => {
    const command = ['tar', '-cf', '-', '-C', place, '.'];
    const exec = valueOf(await shop.kube.exec({ namespace: shop.namespace, pod, container: app, command }));
    exec.stdin.end();
    exec.stderr.resume();
    return listingInTar(exec.stdout);
  };

  const differencesIn = (pod: string, should: TreeListing): Promise<readonly string[]> =>
    heldIn(pod).then(
      (held) => differencesOf(should, held),
      (error: unknown) => [String(error)],
    );

  const wanted = (): TreeListing => {
    const own = [...listingOf(shop.path(folder), (name) => !name.endsWith(leftOut))].map(([path, held]) => [`tree/${path}`, held] as const);
    return new Map([...theirs, ...own]);
  };

  it(`after ${String(operations)} operations of seed ${String(seed)} every container holds what the folder holds`, async () => {
    const storm = new FileStorm(shop.path(folder), shop.path(aside), seed);
    const random = new Random(seed + 1);
    const sync = shop.sync(
      ...[`--selector=app=${app}`, `--local-path=${folder}`, `--remote-path=${place}/tree`, `--exclude=*${leftOut}`],
      ...['--wait', `--kubeconfig=${api.kubeconfig}`],
    );
    const disturbances: string[] = [];
    let disturbing: Promise<unknown> = Promise.resolve();
    const scaleTo = (count: number): Promise<void> => {
      replicas = count;
      return scaleAll();
    };
    const untilEqual = async (): Promise<void> => {
      await disturbing;
      const [held, should] = [new Map<string, readonly string[]>(), wanted()];
      let [missing, touchAt] = ['', performance.now() + touchEveryMs];
      await until(
        'every container holds what the folder holds',
        async () => {
          held.clear();
          // The API server may be just starting.
          const running = await shop.running(app).catch(() => []);
          for (const { pod } of running) held.set(pod, await differencesIn(pod, should));
          if (held.size < 2 && performance.now() > touchAt) {
            missing = await touch().catch(String);
            touchAt = performance.now() + touchEveryMs;
          }
          return held.size > 1 && [...held.values()].every((differences) => differences.length === 0) ? true : undefined;
        },
        () =>
          [
            `replay it with SLIPWAY_SEED=${String(seed)} SLIPWAY_OPERATIONS=${String(operations)}`,
            ...[...held].flatMap(([pod, differences]) => [
              `--- ${pod}: ${String(differences.length)} differences`,
              ...differences.slice(0, 15),
            ]),
            ...(held.size < 2 ? ['--- what the cluster has', missing] : []),
            ...['--- the last disturbances', ...disturbances.slice(-10), '--- the last operations', ...storm.told.slice(-checkEvery)],
            sync.told(),
          ].join('\n'),
        restartsApi ? 900_000 : undefined,
      );
    };
    try {
      await sync.until('ready');
      for (let done = 1; done <= operations; done += 1) {
        await storm.step();
        if (random.chance(0.04)) {
          const at = storm.told.length;
          disturbing = Promise.all([
            disturbing,
            disturb({ shop, app, api, random, scale: scaleTo, restartsApi })
              .catch((error: unknown) => `could not be done: ${String(error)}`)
              .then((what) => disturbances.push(`${String(at)} ${what}`)),
          ]);
        }
        if (random.chance(0.5)) await pause(random.between(0, 25));
        if (done % checkEvery === 0 || done === operations) await untilEqual();
      }
      expect(await sync.interrupt()).toBe(0);
    } finally {
      storm.close();
    }
  }, 3_600_000);
}

async function imageOf(shop: Shop, of: string): Promise<string> {
  const deployment = valueOf(await shop.kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: shop.namespace, name: of }));
  const spec = deployment?.['spec'] as {
    readonly template: { readonly spec: { readonly containers: readonly [{ readonly image: string }] } };
  };
  return spec.template.spec.containers[0].image;
}
