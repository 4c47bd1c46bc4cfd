// The main job of Slipway on a real cluster, from a bare clone, in plain words: `npm run demo`. `--keep` leaves it running to play with.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, openShop, same, save, say, until } from './demoShop.mjs';
import { get } from './get.mjs';
import { bold, dim, green, seconds } from './steps.mjs';

const keep = process.argv.includes('--keep');
const startedAt = performance.now();
const shop = await openShop();
const dev = shop.dev('worker', 'web');

function edit(path, change, url, wanted) {
  const file = join(shop.root, path);
  return save({ file, text: change(readFileSync(file, 'utf8')), url, wanted });
}

try {
  const ready = await dev.ready();
  const addresses = await dev.addresses(2);
  const workerUrl = addresses.get('worker');
  const webUrl = addresses.get('web');
  say();
  say(`Both services run and are in step with the disk, ${seconds(ready.ms)} after the start.`);
  say(`  ${workerUrl}/ answers ${(await until('worker answers', () => get(`${workerUrl}/`))).trim()}`);
  say(
    `  ${workerUrl}/through asks web by the cluster's DNS: ${(await until('worker reaches web', () => get(`${workerUrl}/through`))).trim()}`,
  );

  say();
  say(`${bold('1.')} Edit a source file: apps/worker/src/server.js`);
  const before = await shop.running('worker');
  const first = await edit(
    'apps/worker/src/server.js',
    (text) => text.replace('total: formatPrice', "note: 'edited while it runs', total: formatPrice"),
    `${workerUrl}/`,
    'edited while it runs',
  );
  say(`  save → new HTTP answer: ${bold(`${first.ms} ms`)}  ${dim(first.answer.trim())}`);
  expect(
    same(before, await shop.running('worker')),
    'same pod, same container, no restart: the files were copied in, and node --watch took them up',
  );

  say();
  say(`${bold('2.')} Edit a shared library: the project graph says who uses it`);
  const marker = dev.events().length;
  const second = await edit('libs/greeting/src/index.js', (text) => text.replace('Welcome', 'Ahoy and welcome'), `${workerUrl}/`, 'Ahoy');
  say(`  libs/greeting: save → new HTTP answer of worker: ${bold(`${second.ms} ms`)}`);
  const gotGreeting = new Set(
    dev
      .events()
      .slice(marker)
      .flatMap((event) => (event.kind === 'synced' ? [event.artifact] : [])),
  );
  expect(gotGreeting.has('worker') && !gotGreeting.has('web'), 'worker got libs/greeting, web did not');
  const third = dev.events().length;
  const theme = await edit('libs/theme/theme.css', (text) => `${text}\n/* theme edited */\n`, `${webUrl}/theme/theme.css`, 'theme edited');
  const gotTheme = new Set(
    dev
      .events()
      .slice(third)
      .flatMap((event) => (event.kind === 'synced' ? [event.artifact] : [])),
  );
  say(`  libs/theme: save → served by web: ${bold(`${theme.ms} ms`)}`);
  expect(gotTheme.has('web') && !gotTheme.has('worker'), 'web got libs/theme, worker did not');

  say();
  say(`${bold('3.')} Kill the container: what was edited must not be lost`);
  const alive = await shop.running('worker');
  // PID 1 of the container gets the signal; the kubelet starts a new container from the image, without the edits.
  const killed = await shop.kube.exec({
    namespace: shop.namespace,
    pod: alive.name,
    container: 'worker',
    command: ['sh', '-c', 'kill -TERM 1'],
  });
  if (!killed.ok) throw new Error(killed.problem.message);
  const again = await until('a new container runs', async () => {
    const now = await shop.running('worker');
    return now && now.running && now.id !== alive.id ? now : undefined;
  });
  const sinceNew = performance.now();
  await until('the edits are back', async () => {
    const body = await get(`${workerUrl}/`);
    return body?.includes('edited while it runs') && body.includes('Ahoy');
  });
  say(`  ${Math.round(performance.now() - sinceNew)} ms after the new container was seen running, the edits answer again`);
  expect(again.uid === alive.uid && again.restarts === alive.restarts + 1, 'same pod, a new container, and every edit is back in it');

  say();
  say(`${bold('4.')} Break a file, and mend it`);
  const source = join(shop.root, 'apps/worker/src/server.js');
  const good = readFileSync(source, 'utf8');
  const synced = dev.events().length;
  writeFileSync(source, `${good}\nthis is not JavaScript\n`);
  await until('the broken file is in the container', () =>
    dev
      .events()
      .slice(synced)
      .some(({ kind }) => kind === 'synced'),
  );
  await until('the worker is down', async () => (await get(`${workerUrl}/`)) === undefined);
  say('  the worker cannot start with it: node says so in the log above, and the loop goes on');
  const mended = await edit('apps/worker/src/server.js', () => good.replace('edited while it runs', 'mended'), `${workerUrl}/`, 'mended');
  say(`  mended: save → new HTTP answer: ${bold(`${mended.ms} ms`)}`);

  if (keep) {
    say();
    say(`It stays as it is until you press Ctrl+C. Edit files below ${shop.root}, and look at ${workerUrl} and ${webUrl}.`);
    await dev.finished;
  } else {
    say();
    say(`${bold('5.')} Ctrl+C: everything that was deployed is deleted`);
    expect((await dev.interrupt()) === 0, 'dev ended with exit code 0');
    const left = await shop.left();
    expect(left.length === 0, `nothing is left in the namespace${left.length > 0 ? `: ${left.join(', ')}` : ''}`);
  }
} finally {
  await dev.interrupt();
  await shop.close();
}

say();
say(`${green('Done')} in ${seconds(performance.now() - startedAt)}. The cluster still runs: npm run cluster:down ends it.`);
say(
  'Next: npm run demo -- --all edits a file of each kind of service; --keep leaves the shop running, so that you can edit it; README.md says how to install Slipway into a workspace of your own.',
);
