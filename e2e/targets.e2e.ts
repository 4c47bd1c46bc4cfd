import { renameSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';
import { until } from './until';

describe('what has to be compiled', () => {
  const shop = new Shop();
  let running: RunningDev | undefined;
  beforeAll(() => shop.open());
  afterEach(() => running?.abandon());
  afterAll(() => shop.close());

  const targetsRun = (dev: RunningDev, mark: number) => dev.since(mark, 'targetRan').map(({ target }) => target);

  /** Its edits arrive from now on. */
  const started = async (app: string): Promise<RunningDev> => {
    const dev = (running = shop.dev(app));
    await dev.until('ready');
    await dev.until('connected', ({ artifact }) => artifact === app);
    return dev;
  };

  it('an edit of an application or of a library runs the one target that is stale, and its outputs are copied', async () => {
    const dev = await started('api');
    const before = await shop.onlyOne('api');
    let mark = dev.mark();
    shop.edit('apps/api/src/main.ts', 'return { items,', "return { note: 'on demand', items,");
    await dev.answer('api', '/', 'on demand');
    expect(targetsRun(dev, mark)).toEqual(['api:build']);

    mark = dev.mark();
    // Of the two, api bundles only the second.
    shop.edit('libs/greeting/src/index.js', 'Welcome', 'Ahoy');
    shop.edit('libs/catalog/src/index.ts', 'Burns all night', 'Burns till dawn');
    await dev.answer('api', '/', 'till dawn');
    expect(targetsRun(dev, mark)).toEqual(['api:build']);
    const decisions = dev.since(mark, 'decision').filter(({ action }) => action !== 'sync');
    expect(decisions).toMatchObject([{ artifact: 'api', action: 'target-then-sync', files: ['libs/catalog/src/index.ts'] }]);
    expect(dev.since(0, 'built').filter(({ artifact }) => artifact === 'api').length).toBeLessThan(2);
    expect(await shop.onlyOne('api')).toEqual(before);

    mark = dev.mark();
    const text = shop.read('apps/api/src/main.ts');
    // In one step: of a file that it sees empty a bundler makes an empty bundle.
    shop.write('main.ts.next', text.replace('const visits =', 'const visits = ='));
    renameSync(shop.path('main.ts.next'), shop.path('apps/api/src/main.ts'));
    const mend = () => shop.write('apps/api/src/main.ts', text);
    const lines = shop.read('apps/api/src/main.ts').split('\n');
    const failure = await dev.until('failed', ({ code }) => code === 'targetFailed', mark);
    expect(failure.problem.location?.file).toBe('apps/api/src/main.ts');
    expect(lines[(failure.problem.location?.line ?? 0) - 1]).toContain('const visits = =');
    await dev.answer('api', '/', 'till dawn');
    mend();
    shop.edit('apps/api/src/main.ts', "'on demand'", "'ask us'");
    await dev.answer('api', '/', 'ask us');
    expect(dev.since(mark, 'mended')).toContainEqual(expect.objectContaining({ subject: 'api:build' }));
    await dev.interrupt();
  });

  it('a library counts as soon as it is imported, or as tsconfig leads to it: what imports it is compiled anew for its edits', async () => {
    // Nx reads imports where it is told to, with the paths of tsconfig.base.json.
    symlinkSync(dirname(require.resolve('typescript/package.json')), shop.path('node_modules/typescript'), 'dir');
    shop.edit('nx.json', '"plugins":', '"pluginsConfig": { "@nx/js": { "analyzeSourceFiles": true } }, "plugins":');
    const compilerOptions = { baseUrl: '.', paths: { '@shop/harbour': ['libs/harbour/src/index.ts'] } };
    shop.write('tsconfig.base.json', JSON.stringify({ compilerOptions }));
    shop.write('apps/api/tsconfig.json', JSON.stringify({ extends: '../../tsconfig.base.json' }));
    shop.write('libs/harbour/project.json', JSON.stringify({ name: 'harbour' }));
    shop.write('libs/harbour/src/index.ts', "export const harbour = 'Brest';\n");
    const dev = await started('api');
    const before = await shop.onlyOne('api');
    shop.write('apps/api/src/main.ts', `import { harbour } from '@shop/harbour';\n${shop.read('apps/api/src/main.ts')}`);
    shop.edit('apps/api/src/main.ts', 'return { ', 'return { harbour, ');
    await dev.answer('api', '/', 'Brest');
    shop.edit('libs/harbour/src/index.ts', 'Brest', 'Cork');
    await dev.answer('api', '/', 'Cork');

    // The same import leads to another library from now on: what imports it is compiled anew, and the edits of that one count.
    shop.write('libs/lighthouse/project.json', JSON.stringify({ name: 'lighthouse' }));
    shop.write('libs/lighthouse/src/index.ts', "export const harbour = 'Ouessant';\n");
    shop.edit('tsconfig.base.json', 'libs/harbour/', 'libs/lighthouse/');
    await dev.answer('api', '/', 'Ouessant');
    shop.edit('libs/lighthouse/src/index.ts', 'Ouessant', 'Fastnet');
    await dev.answer('api', '/', 'Fastnet');
    const mark = dev.mark();
    shop.edit('libs/harbour/src/index.ts', 'Cork', 'Dover');
    shop.edit('libs/lighthouse/src/index.ts', 'Fastnet', 'Eddystone');
    await dev.answer('api', '/', 'Eddystone');
    const decisions = dev.since(mark, 'decision').filter(({ action }) => action !== 'sync');
    expect(new Set(decisions.flatMap(({ files }) => files))).toEqual(new Set(['libs/lighthouse/src/index.ts']));
    expect(await shop.onlyOne('api')).toEqual(before);
    await dev.interrupt();
  });

  it('Go is compiled in its container, and what does not compile leaves the program that runs', async () => {
    const dev = await started('pricing');
    const before = await shop.onlyOne('pricing');
    const mark = dev.mark();
    shop.edit('apps/pricing/main.go', '1250', '1251');
    await dev.answer('pricing', '/prices', '1251');
    await dev.until('reloaded', undefined, mark);

    const mend = shop.edit('apps/pricing/main.go', '1251', '1251 +');
    const failure = await dev.until('failed', ({ code }) => code === 'commandFailed', mark);
    expect(failure.problem).toMatchObject({
      message: 'go build -o /tmp/pricing . ended with exit code 1 in the container',
      location: { file: 'apps/pricing/main.go', line: 15 },
      detail: expect.stringContaining('apps/pricing/main.go:15:') as string,
    });
    await dev.answer('pricing', '/prices', '1251');
    // What was copied stays, and what is copied next comes on top of it.
    expect(await shop.inside('pricing', before.pod, ['cat', 'main.go'])).toBe(shop.read('apps/pricing/main.go'));
    mend();
    shop.edit('apps/pricing/main.go', '1251', '1252');
    await dev.answer('pricing', '/prices', '1252');
    expect(dev.since(mark, 'built')).toEqual([]);
    expect(await shop.onlyOne('pricing')).toEqual(before);
    await dev.interrupt();
  });

  it('a bundler that watches is started and ended by dev, and a mistake takes nothing from the container', async () => {
    // A target that says who it is, beside the one that CI runs.
    const bundle =
      'echo $$ > watch.pid; exec esbuild apps/api/src/main.ts --bundle --platform=node --target=node20 --outfile=apps/api/dist/main.js';
    const watch = { command: `${bundle} --watch`, continuous: true, outputs: ['{projectRoot}/dist'] };
    shop.edit('apps/api/package.json', '"targets": {', `"targets": { "watch": ${JSON.stringify(watch)},`);
    const dev = await started('api');
    const before = await shop.onlyOne('api');
    let mark = dev.mark();
    shop.edit('libs/catalog/src/index.ts', 'Thirty metres', 'Forty metres');
    await dev.answer('api', '/', 'Forty metres');
    // A save that it sees in two parts it builds twice.
    expect(new Set(targetsRun(dev, mark))).toEqual(new Set(['api:watch']));

    mark = dev.mark();
    const mend = shop.edit('apps/api/src/main.ts', 'const visits =', 'const visits = =');
    const lines = shop.read('apps/api/src/main.ts').split('\n');
    const failure = await dev.until('failed', ({ code }) => code === 'targetFailed', mark);
    expect(failure.problem.location?.file).toBe('apps/api/src/main.ts');
    expect(lines[(failure.problem.location?.line ?? 0) - 1]).toContain('const visits = =');
    expect(dev.since(mark, 'synced')).toEqual([]);
    await dev.answer('api', '/', 'Forty metres');
    mend();
    await dev.until('mended', ({ subject }) => subject === 'api:watch', mark);
    shop.edit('libs/catalog/src/index.ts', 'Forty metres', 'Fifty metres');
    await dev.answer('api', '/', 'Fifty metres');
    expect(await shop.onlyOne('api')).toEqual(before);

    const pid = Number(shop.read('watch.pid'));
    await dev.interrupt();
    await until('the bundler has ended', () => (isRunning(pid) ? undefined : true));
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
