import { readFileSync, rmSync } from 'node:fs';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';
import { until } from './until';

describe('the shop as a Turborepo', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    await shop.becomeTurborepo();
    // Tells whether the bundler ran, or turbo's cache had what it makes.
    shop.edit('apps/api/package.json', '"build": "', '"build": "echo bundled >> ../../builds.log && ');
    shop.write('.gitignore', `${shop.read('.gitignore')}builds.log\n`);
    await shop.slipway(['init']);
  });
  afterAll(() => shop.close());

  const bundled = () => readFileSync(shop.path('builds.log'), 'utf8').match(/bundled/g)?.length ?? 0;
  const nothingIsLeft = (dev: RunningDev) =>
    until(
      'nothing is left in the namespace',
      async () => ((await shop.objects()).length === 0 ? true : undefined),
      () => dev.told(),
    );

  it('`slipway init` a second time changes nothing, and says the next command', async () => {
    const again = await shop.slipway(['init', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      kind: 'turbo',
      changes: [],
      notes: [],
      survey: expect.arrayContaining(['Next:', '  npx turbo run dev --filter=@shop/api']) as unknown,
    });
    expect(shop.read('turbo.json')).toContain('// The shop, without Nx.');
  });

  it('`turbo run k8s:deploy` builds what the image is made of and deploys it, and the second time builds nothing', async () => {
    const deploy = () => shop.turbo(['run', 'k8s:deploy', '--filter=@shop/api', '--', ...shop.where]);
    shop.edit('apps/api/src/main.ts', 'not counted', `not counted in ${shop.namespace}`);
    const first = await deploy();
    expect(first.stdout).toMatch(/@shop\/api +built /);
    const [before, builds] = [await shop.onlyOne('api'), bundled()];
    expect(before).toMatchObject({ ready: true });
    const second = await deploy();
    expect(second.stdout).not.toMatch(/@shop\/api +built /);
    expect([await shop.onlyOne('api'), bundled()]).toEqual([before, builds]);
    await shop.slipway(['delete', 'api', ...shop.where]);
  });

  it('`slipway dev` of several: a bundled edit, one of a library and a static one are answered by the containers that run', async () => {
    const dev = shop.dev('api', 'worker', 'web');
    await dev.until('ready');
    const running = () => Promise.all(['api', 'worker', 'web'].map((app) => shop.onlyOne(app)));
    const [before, mark, builds] = [await running(), dev.mark(), bundled()];

    shop.edit('apps/api/src/main.ts', 'return { items,', "return { note: 'ask us', items,");
    await dev.answer('@shop/api', '/', 'ask us');
    expect(dev.since(mark, 'targetRan')).toMatchObject([{ target: '@shop/api:build' }]);
    expect(bundled()).toBe(builds + 1);

    const undo = shop.edit('libs/catalog/src/index.ts', 'Burns all night', 'Burns all day');
    await dev.answer('@shop/api', '/', 'Burns all day');
    expect(bundled()).toBe(builds + 2);

    // What was bundled before comes from turbo's cache.
    undo();
    await dev.answer('@shop/api', '/', 'Burns all night');
    expect(bundled()).toBe(builds + 2);

    // worker's image copies this one, and api's build bundles it.
    const both = dev.mark();
    shop.edit('libs/money/src/index.js', 'format(cents / 100)', "format(cents / 100) + ' in all'");
    await dev.answer('@shop/worker', '/', ' in all');
    for (const name of ['@shop/api', '@shop/worker']) await dev.until('synced', ({ artifact }) => artifact === name, both);

    shop.edit('apps/web/site/index.html', '</body>', '<p>Closed on Sundays</p></body>');
    await dev.answer('@shop/web', '/', 'Closed on Sundays');

    expect(await running()).toEqual(before);
    expect(dev.since(mark, 'built')).toEqual([]);
    await dev.interrupt();
    await nothingIsLeft(dev);
  });

  it('`turbo run dev` of a package is the same loop, and Ctrl+C leaves nothing', async () => {
    const dev = shop.turboDev('@shop/worker');
    await dev.until('ready');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: 'by turbo', total: formatPrice`);
    await dev.answer('@shop/worker', '/', 'by turbo');
    await dev.interrupt();
    await nothingIsLeft(dev);
  });

  it('without turbo, `npm run dev` of a package is it too, also when npm alone is asked to end', async () => {
    rmSync(shop.path('turbo.json'));
    const dev = shop.npmDev('@shop/worker');
    await dev.until('ready');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `with: 'npm', total: formatPrice`);
    await dev.answer('@shop/worker', '/', `"with":"npm"`);
    void dev.terminate();
    await nothingIsLeft(dev);
  });
});
