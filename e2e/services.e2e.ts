import type { RunningDev } from './runningDev';
import { Shop } from './shop';

const services = ['web', 'worker', 'api', 'pricing', 'reports'];

describe('one `slipway dev` of a static site, Node, bundled TypeScript, Go, Python, and a cache that is manifests only', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    dev = shop.dev();
    await dev.until('ready');
    for (const app of services) await dev.until('connected', ({ artifact }) => artifact === app);
  });
  afterAll(() => shop.close());

  it('they reach each other: api knows the prices of pricing, and reports what api has counted in the cache', async () => {
    const { items, visits } = JSON.parse(await dev.answer('api', '/', '€')) as {
      readonly items: readonly unknown[];
      readonly visits: number;
    };
    expect(items[0]).toEqual({ name: 'rope', description: 'Thirty metres of hemp', price: '€12.50' });
    expect(visits).toBeGreaterThan(0);
    await dev.answer('reports', '/', `${visits} visits so far`);
  });

  it.each([
    { of: 'the app', file: 'apps/api/src/main.ts', from: 'price: price ===', to: "note: 'bundled', price: price ===", answer: 'bundled' },
    { of: 'a library', file: 'libs/catalog/src/index.ts', from: 'of hemp', to: 'of tarred hemp', answer: 'of tarred hemp' },
  ])('TypeScript of $of is bundled by its build target, and the bundle is in the running container', async ({ file, from, to, answer }) => {
    const before = await shop.onlyOne('api');
    const mark = dev.mark();
    shop.edit(file, from, to);
    await dev.answer('api', '/', answer);
    expect(dev.since(mark, 'decision')[0]).toMatchObject({ artifact: 'api', action: 'target-then-sync', files: [file] });
    // Twice when a busy machine let it begin while the file was still being written.
    expect(new Set(dev.since(mark, 'targetRan').map(({ target }) => target))).toEqual(new Set(['api:build']));
    expect(dev.since(mark, 'synced').map(({ artifact, paths }) => [artifact, ...[...paths].sort()])).toEqual([
      ['api', '/app/main.js', '/app/main.js.map'],
    ]);
    expect(await shop.onlyOne('api')).toEqual(before);
  });

  it('a bundle that fails is told with its place, and the version that runs goes on until it is mended', async () => {
    const file = 'apps/api/src/counter.ts';
    const before = await shop.onlyOne('api');
    const mark = dev.mark();
    const mend = shop.edit(file, 'return {', 'const broken = ;\n  return {');
    const { problem } = await dev.until('failed', undefined, mark);
    const line = shop.read(file).split('\n').indexOf('  const broken = ;') + 1;
    expect(problem).toMatchObject({ code: 'targetFailed', location: { file, line } });
    // What was edited otherwise is held back with it.
    shop.edit('libs/money/src/index.js', "NumberFormat('en'", "NumberFormat('de'");
    await dev.answer('worker', '/', '124,00');
    expect(await dev.answer('api', '/', 'of tarred hemp')).toContain('€12.50');
    expect(dev.since(mark, 'synced').map(({ artifact }) => artifact)).toEqual(['worker']);
    mend();
    await dev.answer('api', '/', '12,50');
    expect(await shop.onlyOne('api')).toEqual(before);
  });

  it.each([
    { app: 'reports', file: 'apps/reports/src/server.py', from: 'visits so far', to: 'visits by now', path: '/', answer: 'visits by now' },
    { app: 'pricing', file: 'apps/pricing/main.go', from: '9900', to: '8800', path: '/prices', answer: '8800' },
    { app: 'web', file: 'apps/web/site/index.html', from: 'Ropes, anchors', to: 'Ropes, chains', path: '/', answer: 'Ropes, chains' },
  ])('an edit of $file is answered by the same container of $app', async ({ app, file, from, to, path, answer }) => {
    const before = await shop.onlyOne(app);
    const mark = dev.mark();
    shop.edit(file, from, to);
    await dev.answer(app, path, answer);
    expect(dev.since(mark, 'decision')).toMatchObject([{ artifact: app, action: 'sync', files: [file] }]);
    expect(dev.since(mark, 'built')).toEqual([]);
    expect(await shop.onlyOne(app)).toEqual(before);
  });

  // The first by its name, so the port of another one would be its own were they given anew.
  it.each([
    { name: 'aviary', folder: 'apps/aviary', where: 'beside others' },
    { name: 'aquarium', folder: 'stalls/aquarium', where: 'in a new folder of the workspace' },
  ])('a project that is made meanwhile $where is deployed too, and runs on until the end when it is removed', async ({ name, folder }) => {
    const mark = dev.mark();
    for (const path of ['Dockerfile', 'k8s/web.yaml', 'site/index.html']) {
      const text = shop.read(`apps/web/${path}`).replaceAll('apps/web', folder).replaceAll('web', name);
      shop.write(`${folder}/${path.replace('web', name)}`, text);
    }
    shop.write(`${folder}/project.json`, JSON.stringify({ name }));
    await dev.answer(name, '/', 'Ropes');
    // Whoever has a local port keeps it.
    expect(dev.since(mark, 'forwarded').map(({ release }) => release)).toEqual([name]);
    shop.remove(folder);
    await dev.until('notice', ({ subject, message }) => subject === name && message.includes('no longer described in this workspace'));
    expect(await shop.onlyOne(name)).toMatchObject({ ready: true });
  });

  it('Ctrl+C removes all of them', async () => {
    expect(await dev.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);
  });
});
