import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { CuttableApi } from './cuttableApi';
import { valueOf } from './localRegistry';
import { objectStates } from './objectsIn';
import { Shop } from './shop';
import { until } from './until';

describe('one session after another', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  it('after kill -9 the next session finds the same pods, sends only the difference, and builds nothing', async () => {
    const word = randomUUID();
    const first = shop.dev('worker', 'web');
    await first.until('ready');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', 'first: basket.items[0].name, total: formatPrice');
    shop.write('libs/greeting/src/index.js', `'use strict';\nexports.greeting = () => '${word}';\n`);
    await first.answer('worker', '/', '"first":"rope"');
    await first.answer('worker', '/', word);
    const before = [await shop.onlyOne('worker'), await shop.onlyOne('web')];
    await first.kill9();
    shop.edit('apps/worker/src/basket.js', "'rope'", "'chain'");

    const second = shop.dev('worker', 'web');
    await second.until('ready');
    await second.answer('worker', '/', '"first":"chain"');
    expect([await shop.onlyOne('worker'), await shop.onlyOne('web')]).toEqual(before);
    expect(second.since(0, 'synced')).toMatchObject([{ artifact: 'worker', files: 1, paths: ['/app/src/basket.js'] }]);
    expect(second.since(0, 'built')).toEqual([]);
    expect(second.since(0, 'applied').flatMap(({ changed }) => changed)).toEqual([]);

    // Ctrl+C: what either session has deployed is gone.
    expect(await second.interrupt()).toBe(0);
    await shop.nothingIsLeft();
  });

  it('SIGTERM deletes everything that was deployed', async () => {
    const dev = shop.dev('web');
    await dev.until('ready');
    expect(await shop.objects()).not.toEqual([]);
    expect(await dev.terminate()).toBe(0);
    expect(dev.since(0, 'stopped')).toMatchObject([{ kept: false }]);
    expect(await shop.objects()).toEqual([]);
  });

  it('dev that is killed while it cleans up leaves nothing either', async () => {
    const dev = shop.dev('web');
    await dev.until('ready');
    await dev.killWhileStopping();
    expect(dev.since(0, 'stopped')).toEqual([]);
    let left: readonly string[] = [];
    const nothingLeft = async () => ((left = await shop.objects()).length === 0 ? true : undefined);
    await until('nothing is left', nothingLeft, () => left.join(', '));
  });

  it('--exit-when-ready ends when all runs, --attach copies into it, shows its logs and forwards its ports, and neither deletes anything', async () => {
    const word = randomUUID();
    const ready = shop.dev('worker', '--exit-when-ready', '--timeout=3m');
    expect(await ready.ends()).toBe(0);
    expect(ready.since(0, 'stopped')).toMatchObject([{ reason: 'everything is ready', kept: true }]);
    const before = await shop.onlyOne('worker');

    const attached = shop.dev('worker', '--attach');
    await attached.until('ready');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `word: '${word}', total: formatPrice`);
    await attached.answer('worker', '/', word);
    await attached.prints('a line of its log', (printed) => printed.includes('│ GET /'));
    expect(await attached.interrupt()).toBe(0);
    expect(attached.since(0, 'applied')).toEqual([]);
    expect(await shop.onlyOne('worker')).toEqual(before);
    await shop.slipway(['delete', 'worker', '--json', ...shop.where]);
    expect(await shop.objects()).toEqual([]);
  });

  it('a clean-up that the cluster does not answer fails with the command that removes what is left', async () => {
    const api = await CuttableApi.open();
    try {
      const dev = shop.dev('web', `--kubeconfig=${api.kubeconfig}`);
      await dev.until('ready');
      await api.closedWhile(dev.interrupt().then((exitCode) => expect(exitCode).toBe(3)));
      expect(dev.printed).toContain('web is still deployed: the cluster does not answer [cleanUpUnanswered]');
      expect(dev.printed).toContain(`slipway delete web --kubeconfig=${api.kubeconfig}`);
      expect(await shop.onlyOne('web')).toMatchObject({ ready: true });
    } finally {
      await api.close();
    }
    await shop.slipway(['delete', 'web', ...shop.where]);
    expect(await shop.objects()).toEqual([]);
    expect(await shop.leases()).toEqual([]);
  });

  it('--attach follows what only kubectl has applied, and neither deletes nor changes anything of it', async () => {
    const { stdout } = await shop.slipway(['build', 'worker', '--json', ...shop.where]);
    const { images } = JSON.parse(stdout) as { readonly images: readonly { readonly ref: string }[] };
    await applyWorker(shop, images[0]?.ref ?? '');
    await until('worker is there', async () => ((await shop.running('worker'))[0]?.ready === true ? true : undefined));
    const before = await objectStates(shop.kube, shop.namespace);

    const word = randomUUID();
    const attached = shop.dev('worker', '--attach');
    await attached.until('ready');
    shop.write('libs/greeting/src/index.js', `'use strict';\nexports.greeting = () => '${word}';\n`);
    await attached.answer('worker', '/', word);
    await attached.prints('a line of its log', (printed) => printed.includes('│ GET /'));
    expect(await attached.interrupt()).toBe(0);
    expect(attached.since(0, 'notice').map(({ message }) => message)).toContainEqual(expect.stringMatching(/^deployment\/worker was not /));
    expect(await objectStates(shop.kube, shop.namespace)).toEqual(before);

    for (const kind of workerKinds) valueOf(await shop.kube.delete({ ...kind, namespace: shop.namespace, name: 'worker' }));
    const nothingLeft = async () => ((await shop.objects()).length === 0 ? true : undefined);
    await until('nothing is left', nothingLeft);
  });

  it('--keep leaves what was deployed, dev of a clone that knows nothing of it goes on with it, and `slipway delete` removes it', async () => {
    const dev = shop.dev('web', '--keep');
    await dev.until('ready');
    const before = await shop.onlyOne('web');
    expect(await dev.interrupt()).toBe(0);
    expect(dev.since(0, 'stopped')).toMatchObject([{ kept: true }]);
    expect(await shop.onlyOne('web')).toEqual(before);

    rmSync(shop.path('.slipway'), { recursive: true });
    const other = shop.dev('web', '--keep');
    await other.until('ready');
    shop.write('apps/web/site/page.txt', 'of the other clone');
    await other.answer('web', '/page.txt', 'of the other clone');
    expect(await other.interrupt()).toBe(0);
    expect(other.since(0, 'built')).toEqual([]);
    expect(await shop.onlyOne('web')).toEqual(before);

    const deleted = await shop.slipway(['delete', 'web', '--json', ...shop.where]);
    expect(JSON.parse(deleted.stdout)).toEqual({ releases: [{ release: 'web', objects: ['deployment/web', 'service/web'] }] });
    expect(await shop.objects()).toEqual([]);
  });

  it('what a service requires comes along: with its own image, with one that is named, or as it runs; what ran before stays', async () => {
    const build = await shop.slipway(['build', 'worker', '--json', ...shop.where]);
    const { images } = JSON.parse(build.stdout) as { readonly images: readonly { readonly ref: string }[] };
    shop.write('apps/web/slipway.yaml', `version: 1\nrequires: [cache, {project: worker, image: "${images[0]?.ref ?? ''}"}]\n`);
    const first = shop.dev('web');
    await first.until('notice', ({ message }) =>
      message.startsWith('comes along: cache (web requires it), worker (web requires it, with '),
    );
    await first.until('ready');
    await first.answer('worker', '/', '"total"');
    await first.until('service', ({ service, state }) => service === 'worker' && state === 'ready');
    expect(
      first
        .since(0, 'applied')
        .map(({ release }) => release)
        .sort(),
    ).toEqual(['cache', 'web', 'worker']);
    expect(first.since(0, 'built').filter(({ artifact }) => artifact === 'worker')).toEqual([]);
    expect(await first.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);

    await shop.slipway(['deploy', 'cache', ...shop.where]);
    const before = await shop.onlyOne('cache');
    const second = shop.dev('web');
    await second.until('notice', ({ message }) => message.endsWith('runs already and is used as it is: cache (web requires it)'));
    await second.until('ready');
    expect(await second.interrupt()).toBe(0);
    expect(await shop.onlyOne('cache')).toEqual(before);
    await shop.slipway(['delete', 'cache', ...shop.where]);
    shop.remove('apps/web/slipway.yaml');
  });

  it('a service that somebody else works on is refused, can be taken over, and is left alone when it was taken back', async () => {
    const ann = () => ({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'slipway-dev-web', namespace: shop.namespace },
      spec: { holderIdentity: 'ann@elsewhere/shop', leaseDurationSeconds: 30, renewTime: new Date().toISOString().replace('Z', '000Z') },
    });
    valueOf(await shop.kube.apply(ann(), { force: true }));
    const refused = await shop.slipway(['dev', 'web', ...shop.where], { exitCode: 1 });
    expect(refused.stderr + refused.stdout).toContain('web in namespace');
    expect(refused.stderr + refused.stdout).toContain('is in the hands of the dev of ann@elsewhere/shop');
    expect(await shop.objects()).toEqual([]);

    const dev = shop.dev('web', '--takeover');
    await dev.until('ready');
    valueOf(await shop.kube.apply(ann(), { force: true }));
    await dev.until('failed', ({ code }) => code === 'releaseLost');
    expect(await dev.ends()).toBe(1);
    expect(await shop.onlyOne('web')).toBeDefined();
    await shop.slipway(['delete', 'web', ...shop.where]);
  });
});

const workerKinds = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'Service' },
];

/** As somebody without Slipway has it: under the names of its manifest, and with fields of their own. */
async function applyWorker({ kube, namespace }: Shop, image: string): Promise<void> {
  const container = {
    name: 'worker',
    image,
    command: ['node', '--watch', 'src/server.js'],
    ports: [{ name: 'http', containerPort: 3000 }],
  };
  const readinessProbe = { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 };
  const labels = { app: 'worker' };
  const template = { metadata: { labels }, spec: { containers: [{ ...container, readinessProbe }] } };
  const specs = [
    { replicas: 1, selector: { matchLabels: labels }, template },
    { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  ];
  for (const [index, kind] of workerKinds.entries()) {
    const object = { ...kind, metadata: { name: 'worker', namespace }, spec: specs[index] };
    valueOf(await kube.apply(object, { fieldManager: 'kubectl' }));
  }
}
