import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { valueOf } from './localRegistry';
import { Shop } from './shop';
import { until } from './until';

const place = '/tmp/large';
const files = 10_000;
const largeMb = 500;

describe('much at once', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    await shop.slipway(['deploy', 'worker', 'web', ...shop.where]);
    for (const name of ['worker', 'web']) await run(name);
  });
  afterAll(() => shop.close());

  /** A container of an image: that of worker has Node, that of web has busybox. */
  const run = async (name: string): Promise<void> => {
    const deployment = valueOf(await shop.kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: shop.namespace, name }));
    const { template } = deployment?.['spec'] as {
      readonly template: { readonly spec: { readonly containers: readonly [{ readonly image: string }] } };
    };
    const containers = [
      { name: 'large', image: template.spec.containers[0].image, command: ['sh', '-c', `mkdir -p ${place}; exec sleep 100000`] },
    ];
    const metadata = { name: `large-${name}`, namespace: shop.namespace, labels: { app: 'large' } };
    valueOf(await shop.kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { terminationGracePeriodSeconds: 0, containers } }));
  };

  it(`${String(files)} files, one of ${String(largeMb)} MB and a small edit arrive, whichever agent brings them`, async () => {
    await until('both run', async () => ((await shop.running('large')).length === 2 ? true : undefined));
    const folder = shop.path('large');
    mkdirSync(folder);
    writeFileSync(join(folder, 'small.txt'), 'one');
    const where = ['--selector=app=large', '--local-path=large', `--remote-path=${place}`];
    const sync = shop.sync(...where);
    await sync.until('ready');
    for (let at = 0; at < files; at += 1) {
      const below = join(folder, `d${String(at % 100)}`);
      if (at < 100) mkdirSync(below);
      writeFileSync(join(below, `f${String(at)}.txt`), `${String(at)} `.repeat(200));
    }
    writeFileSync(join(folder, 'large.bin'), 'begins');
    truncateSync(join(folder, 'large.bin'), largeMb * 1024 * 1024);
    writeFileSync(join(folder, 'small.txt'), 'two');
    const sizes = () =>
      shop
        .running('large')
        .then((running) =>
          Promise.all(
            running.map(({ pod }) =>
              shop
                .inside('large', pod, ['sh', '-c', `find ${place} -type f | wc -l; wc -c <${place}/large.bin; cat ${place}/small.txt`])
                .catch(String),
            ),
          ),
        );
    const wanted = `${String(files + 2)} ${String(largeMb * 1024 * 1024)} two`;
    await until(
      'all of it is in both',
      async () => ((await sizes()).every((each) => each.trim().split(/\s+/).join(' ') === wanted) ? true : undefined),
      () => sync.told(),
      280_000,
    );
    // What is large comes last, whatever was saved after it.
    const last = new Map(sync.since(0, 'synced').map(({ pod, paths }) => [pod, paths]));
    expect([...last.values()]).toEqual([[`${place}/large.bin`], [`${place}/large.bin`]]);
    expect(await sync.interrupt()).toBe(0);
    const { stdout } = await shop.slipway(['sync', ...where, '--verify', ...shop.where]);
    expect(stdout.match(/holds what it should/g)).toHaveLength(2);
  }, 600_000);
});
