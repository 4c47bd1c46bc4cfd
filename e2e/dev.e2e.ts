import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import type { Event } from '../model';
import type { RunningDev } from './runningDev';
import { type Running, Shop } from './shop';
import { until } from './until';

describe('while `slipway dev worker web` runs', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    shop.write('apps/worker/slipway.yaml', 'version: 1\nsync: { pull: [{ src: package-lock.json }, { src: src/made/** }] }\n');
    dev = shop.dev('worker', 'web');
    await dev.until('ready');
    for (const app of ['worker', 'web']) await dev.until('connected', ({ artifact }) => artifact === app);
  });
  afterAll(() => shop.close());

  /** Waits until a container holds exactly what the workspace has. */
  const untilSame = (app: string, { pod }: Running, at: string, folders: Readonly<Record<string, string>>): Promise<true> =>
    until(
      `${pod} holds at ${at} what is in ${Object.values(folders).join(' and ')}`,
      async () => ((await shop.listingInside(app, pod, at)).join('\n') === shop.listing(folders).join('\n') ? true : undefined),
      () => dev.told(),
    );

  it('a saved source file is in the running container, and its process answers with it', async () => {
    const before = await shop.onlyOne('worker');
    const mark = dev.mark();
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: 'saved', total: formatPrice`);
    await dev.answer('worker', '/', '"note":"saved"');
    expect(await shop.onlyOne('worker')).toEqual(before);
    expect(dev.since(mark, 'decision')).toMatchObject([
      { artifact: 'worker', action: 'sync', files: ['apps/worker/src/server.js'], containerPaths: ['/app/src/server.js'] },
    ]);
    expect(dev.since(mark, 'synced')).toMatchObject([
      { artifact: 'worker', pod: before.pod, container: 'worker', files: 1, paths: ['/app/src/server.js'], replay: false },
    ]);
  });

  it('what a command makes in the container appears in the workspace, and is not sent back', async () => {
    const before = await shop.onlyOne('worker');
    const mark = dev.mark();
    // As an install does, and a generator.
    const install = 'echo "{}" > package-lock.json && mkdir -p src/made && echo "exports.made = 1;" > src/made/types.js';
    await shop.inside('worker', before.pod, ['sh', '-c', install]);
    await dev.until('pulled', ({ paths }) => paths.includes('apps/worker/package-lock.json'), mark);
    await dev.until('pulled', ({ paths }) => paths.includes('apps/worker/src/made/types.js'), mark);
    expect(shop.read('apps/worker/package-lock.json')).toBe('{}\n');
    expect(shop.read('apps/worker/src/made/types.js')).toBe('exports.made = 1;\n');

    // From here on it is a file of the workspace like others.
    shop.write('apps/worker/src/made/types.js', 'exports.made = 22;\n');
    await until(
      'the container has the edit',
      async () =>
        (await shop.inside('worker', before.pod, ['cat', '/app/src/made/types.js'])) === 'exports.made = 22;\n' ? true : undefined,
      () => dev.told(),
    );
    // A process that has only just started may get it twice.
    const edited = 'exports.made = 22;\n'.length;
    expect(dev.since(mark, 'synced').filter(({ bytes }) => bytes !== edited)).toEqual([]);
    expect(dev.since(mark, 'pulled').flatMap(({ paths }) => paths)).toHaveLength(2);
    expect(await shop.onlyOne('worker')).toEqual(before);

    // What both sides have changed stays here as it is, and theirs is kept.
    shop.write('apps/worker/package-lock.json', 'ours\n');
    await shop.inside('worker', before.pod, ['sh', '-c', 'echo theirs > package-lock.json']);
    await dev.until('failed', ({ code }) => code === 'pullConflict', mark);
    expect(shop.read('apps/worker/package-lock.json')).toBe('ours\n');
    expect(shop.read('.slipway/pulled/theirs/apps/worker/package-lock.json')).toBe('theirs\n');
    const removed = dev.mark();
    shop.remove('apps/worker/src/made');
    await dev.until('synced', ({ paths }) => paths.includes('/app/src/made'), removed);
  });

  it('an edit of a library reaches exactly the services that use it', async () => {
    const mark = dev.mark();
    shop.edit('libs/greeting/src/index.js', 'Welcome', 'Ahoy and welcome');
    await dev.answer('worker', '/', 'Ahoy and welcome');
    shop.edit('libs/theme/theme.css', '#1d2b36', '#123456');
    await dev.answer('web', '/theme/theme.css', '#123456');
    await dev.until('synced', ({ artifact }) => artifact === 'web', mark);
    // The second edit was made after the first had arrived, so whatever the first leads to is before it.
    expect(dev.since(mark, 'synced').map(({ artifact, paths }) => [artifact, ...paths])).toEqual([
      ['worker', '/app/node_modules/@shop/greeting/src/index.js'],
      ['web', '/www/theme/theme.css'],
    ]);
  });

  it.each([
    { app: 'worker', agent: 'node', folder: 'apps/worker/src', at: '/app/src' },
    { app: 'web', agent: 'sh', folder: 'apps/web/site/more', at: '/www/more' },
  ])('new, changed, renamed and deleted files and folders arrive in $app, through its agent $agent', async ({ app, agent, folder, at }) => {
    await dev.until('connected', (event) => event.artifact === app && event.agent === agent);
    const before = await shop.onlyOne(app);
    shop.write(`${folder}/new/file.txt`, 'new\n');
    shop.write(`${folder}/new/deep/with a space and ü.txt`, 'odd\n');
    shop.write(`${folder}/doomed.txt`, 'doomed\n');
    shop.write(`${folder}/empty.txt`, '');
    await untilSame(app, before, at, { [at]: folder });
    shop.write(`${folder}/new/file.txt`, 'changed\n');
    renameSync(shop.path(`${folder}/new`), shop.path(`${folder}/renamed`));
    rmSync(shop.path(`${folder}/doomed.txt`));
    await untilSame(app, before, at, { [at]: folder });
    // What was a file is a folder now, and the other way round.
    rmSync(shop.path(`${folder}/empty.txt`));
    mkdirSync(shop.path(`${folder}/empty.txt`));
    shop.write(`${folder}/empty.txt/inside.txt`, 'inside\n');
    rmSync(shop.path(`${folder}/renamed`), { recursive: true });
    shop.write(`${folder}/renamed`, 'a file\n');
    await untilSame(app, before, at, { [at]: folder });
    expect(await shop.onlyOne(app)).toEqual(before);
  });

  it('a container that was killed gets its edits back', async () => {
    shop.edit('apps/worker/src/basket.js', "'rope'", "'a long rope'");
    shop.edit('apps/worker/src/server.js', "note: 'saved'", 'note: basket.items[0].name');
    await dev.answer('worker', '/', 'a long rope');
    const before = await shop.onlyOne('worker');
    const mark = dev.mark();
    await shop.endInside('worker', before.pod);
    const after = await until(
      'a new container runs',
      async () => (await shop.running('worker')).find(({ containerId }) => containerId !== before.containerId),
      () => dev.told(),
    );
    await dev.answer('worker', '/', 'a long rope');
    expect(after).toMatchObject({ podUid: before.podUid, restarts: before.restarts + 1 });
    await dev.until('synced', undefined, mark);
    const synced = dev.since(mark, 'synced');
    expect(new Set(synced.map(({ artifact, replay }) => `${artifact} ${replay ? 'again' : 'anew'}`))).toEqual(new Set(['worker again']));
    expect(dev.since(mark, 'built')).toEqual([]);
  });

  it('a change that only a new image can bring makes one, with every edit in it', async () => {
    const word = randomUUID();
    const mark = dev.mark();
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', 'word: process.env.WORD, total: formatPrice');
    shop.edit('apps/worker/Dockerfile', 'EXPOSE 3000', `ENV WORD=${word}\nEXPOSE 3000`);
    expect(await dev.answer('worker', '/', word)).toContain('a long rope');
    await dev.until('ready', undefined, mark);
    expect(dev.since(mark, 'decision')).toContainEqual(
      expect.objectContaining({ artifact: 'worker', action: 'rebuild', files: ['apps/worker/Dockerfile'] }),
    );
    expect(dev.since(mark, 'built')).toMatchObject([{ artifact: 'worker' }]);
    // What can be copied does not wait for the image.
    const isArrival = (event: Event) => event.kind === 'built' || (event.kind === 'synced' && event.paths.includes('/app/src/server.js'));
    expect(dev.events.slice(mark).find(isArrival)?.kind).toBe('synced');
    const [way] = dev.since(mark, 'rolledOut');
    expect(way).toMatchObject({ release: 'worker', files: ['apps/worker/Dockerfile'] });
    const { total = 0, ...parts } = way?.ms ?? {};
    expect(Math.abs(Object.values(parts).reduce((sum, ms) => sum + ms, 0) - total)).toBeLessThan(1);
  });

  it('every replica gets an edit', async () => {
    const before = await shop.onlyOne('worker');
    const mark = dev.mark();
    shop.edit('apps/worker/k8s/worker.yaml', 'replicas: 1', 'replicas: 3');
    const replicas = await until(
      'three replicas are ready',
      async () => {
        const running = await shop.running('worker');
        return running.length === 3 && running.every(({ ready }) => ready) ? running : undefined;
      },
      () => dev.told(),
    );
    // The one that was there goes on, and the new ones have the edits made so far.
    expect(replicas).toContainEqual(before);
    for (const each of replicas) await untilSame('worker', each, '/app/src', { '/app/src': 'apps/worker/src' });
    const marked = dev.mark();
    shop.edit('apps/worker/src/basket.js', 'a long rope', 'three ropes');
    for (const each of replicas) await untilSame('worker', each, '/app/src', { '/app/src': 'apps/worker/src' });
    await dev.answer('worker', '/', 'three ropes');
    for (const each of replicas) await dev.until('synced', ({ pod }) => pod === each.pod, marked);
    const synced = dev.since(marked, 'synced').map(({ pod, paths }) => [pod, ...paths]);
    expect(synced.sort()).toEqual(replicas.map(({ pod }) => [pod, '/app/src/basket.js']));
    expect(dev.since(mark, 'built')).toEqual([]);
  });

  it('a project that is moved is told with what still names its old folder; back in its place, it goes on', async () => {
    const mark = dev.mark();
    renameSync(shop.path('apps/web'), shop.path('apps/front'));
    await dev.until('failed', ({ subject, code }) => subject === 'web' && code === 'contextNotFound', mark);
    renameSync(shop.path('apps/front'), shop.path('apps/web'));
    await dev.until('mended', ({ subject }) => subject === 'web', mark);
    shop.write('apps/web/site/page.txt', 'back again');
    await dev.answer('web', '/page.txt', 'back again');
    expect(dev.since(mark, 'built')).toEqual([]);
  });
});
