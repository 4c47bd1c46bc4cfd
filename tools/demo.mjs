// `npm run demo`: the main job of Slipway on a real cluster, from a bare clone, in plain words. `--keep` leaves it running to play with.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { get } from './get.mjs';
import { bold, build, cluster, dim, green, install, root, run, seconds, step } from './steps.mjs';

const keep = process.argv.includes('--keep');
const startedAt = performance.now();
const require = createRequire(import.meta.url);
const say = (text = '') => console.log(text);

function expect(condition, what) {
  if (!condition) throw new Error(`not as it should be: ${what}`);
  say(`  ${green('✓')} ${what}`);
}

/** Waits for something to become so; asks again at once, and gives up after a time. */
async function until(what, ask, limitMs = 60_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`still not so after ${seconds(limitMs)}: ${what}`);
    await pause(2);
  }
}

/** Writes a file of the workspace, and waits for the answer that it leads to; the milliseconds between the two. */
async function edit(shop, path, change, url, wanted) {
  const file = join(shop, path);
  const text = change(readFileSync(file, 'utf8'));
  const at = performance.now();
  writeFileSync(file, text);
  const answer = await until(`${url} answers ${wanted}`, async () => {
    const body = await get(url);
    return body?.includes(wanted) ? body : undefined;
  });
  return { ms: Math.round(performance.now() - at), answer };
}

await install();
await build();
const { env, context } = await step('a cluster', () => cluster());

const folder = mkdtempSync(join(tmpdir(), 'slipway-demo-'));
const shop = join(folder, 'shop');
await step('pack nx-slipway, and install it into a copy of examples/shop', async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { quiet: true });
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  cpSync(join(root, 'examples', 'shop'), shop, {
    recursive: true,
    filter: (path) => !/[\\/](node_modules|\.nx|\.slipway|dist)$/.test(path),
  });
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '-D', join(folder, `nx-slipway-${version}.tgz`)], {
    cwd: shop,
    quiet: true,
  });
});
say(dim(`  the workspace: ${shop}, the cluster: context ${context}`));

// ---- dev ---------------------------------------------------------------------------------------------------------

const { connectKube } = require('../dist/clients');
const connected = await connectKube({ env, ...(env.KUBECONFIG && { kubeconfig: env.KUBECONFIG }), context });
if (!connected.ok) throw new Error(connected.problem.message);
const kube = connected.value;
const namespace = 'slipway-demo';
await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });

say();
say(`${bold('▸')} slipway dev worker web`);
const eventsFile = join(folder, 'events.jsonl');
const dev = spawn(
  join(shop, 'node_modules', '.bin', 'slipway'),
  ['dev', 'worker', 'web', '--events', eventsFile, '--namespace', namespace, '--context', context],
  {
    cwd: shop,
    env: { ...env, NX_DAEMON: 'false', FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  },
);
let ended;
const finished = new Promise((resolve) => dev.on('close', (code) => resolve((ended = code ?? 1))));
for (const stream of [dev.stdout, dev.stderr])
  createInterface({ input: stream }).on('line', (line) => {
    // The demo asks some hundred times; the worker's line about each would hide everything else.
    if (!line.includes('│ GET /')) say(`  ${dim('│')} ${line}`);
  });
process.on('exit', () => ended === undefined && process.kill(-dev.pid, 'SIGKILL'));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => dev.kill(signal));

const events = () =>
  existsSync(eventsFile)
    ? readFileSync(eventsFile, 'utf8')
        .split('\n')
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line))
    : [];
const running = async (app) => {
  const pods = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: `app=${app}` });
  if (!pods.ok) throw new Error(pods.problem.message);
  const pod = pods.value.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const [status] = pod?.status?.containerStatuses ?? [];
  return (
    pod &&
    status && {
      name: pod.metadata.name,
      uid: pod.metadata.uid,
      id: status.containerID,
      restarts: status.restartCount,
      running: status.state.running !== undefined,
    }
  );
};
const same = (a, b) => a.uid === b.uid && a.id === b.id && a.restarts === b.restarts;

try {
  const ready = await until(
    'dev says that it is ready',
    () => {
      if (ended !== undefined) throw new Error(`dev ended with exit code ${ended} before it was ready`);
      return events().find(({ kind }) => kind === 'ready');
    },
    240_000,
  );
  const forwards = await until('both services are forwarded', () => {
    const found = new Map(events().flatMap((event) => (event.kind === 'forwarded' ? [[event.release, event.url]] : [])));
    return found.size === 2 ? found : undefined;
  });
  const workerUrl = forwards.get('worker');
  const webUrl = forwards.get('web');
  say();
  say(`Both services run and are in step with the disk, ${seconds(ready.ms)} after the start.`);
  say(`  ${workerUrl}/ answers ${(await until('worker answers', () => get(`${workerUrl}/`))).trim()}`);
  say(
    `  ${workerUrl}/through asks web by the cluster's DNS: ${(await until('worker reaches web', () => get(`${workerUrl}/through`))).trim()}`,
  );

  say();
  say(`${bold('1.')} Edit a source file: apps/worker/src/server.js`);
  const before = await running('worker');
  const first = await edit(
    shop,
    'apps/worker/src/server.js',
    (text) => text.replace('total: formatPrice', "note: 'edited while it runs', total: formatPrice"),
    `${workerUrl}/`,
    'edited while it runs',
  );
  say(`  save → new HTTP answer: ${bold(`${first.ms} ms`)}  ${dim(first.answer.trim())}`);
  expect(
    same(before, await running('worker')),
    'same pod, same container, no restart: the files were copied in, and node --watch took them up',
  );

  say();
  say(`${bold('2.')} Edit a shared library: the project graph says who uses it`);
  const marker = events().length;
  const second = await edit(
    shop,
    'libs/greeting/src/index.js',
    (text) => text.replace('Welcome', 'Ahoy and welcome'),
    `${workerUrl}/`,
    'Ahoy',
  );
  say(`  libs/greeting: save → new HTTP answer of worker: ${bold(`${second.ms} ms`)}`);
  const gotGreeting = new Set(
    events()
      .slice(marker)
      .flatMap((event) => (event.kind === 'synced' ? [event.artifact] : [])),
  );
  expect(gotGreeting.has('worker') && !gotGreeting.has('web'), 'worker got libs/greeting, web did not');
  const third = events().length;
  const theme = await edit(
    shop,
    'libs/theme/theme.css',
    (text) => `${text}\n/* theme edited */\n`,
    `${webUrl}/theme/theme.css`,
    'theme edited',
  );
  const gotTheme = new Set(
    events()
      .slice(third)
      .flatMap((event) => (event.kind === 'synced' ? [event.artifact] : [])),
  );
  say(`  libs/theme: save → served by web: ${bold(`${theme.ms} ms`)}`);
  expect(gotTheme.has('web') && !gotTheme.has('worker'), 'web got libs/theme, worker did not');

  say();
  say(`${bold('3.')} Kill the container: what was edited must not be lost`);
  const alive = await running('worker');
  // PID 1 of the container gets the signal; the kubelet starts a new container from the image, without the edits.
  const killed = await kube.exec({ namespace, pod: alive.name, container: 'worker', command: ['sh', '-c', 'kill -TERM 1'] });
  if (!killed.ok) throw new Error(killed.problem.message);
  const again = await until('a new container runs', async () => {
    const now = await running('worker');
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
  const source = join(shop, 'apps/worker/src/server.js');
  const good = readFileSync(source, 'utf8');
  const synced = events().length;
  writeFileSync(source, `${good}\nthis is not JavaScript\n`);
  await until('the broken file is in the container', () =>
    events()
      .slice(synced)
      .some(({ kind }) => kind === 'synced'),
  );
  await until('the worker is down', async () => (await get(`${workerUrl}/`)) === undefined);
  say('  the worker cannot start with it: node says so in the log above, and the loop goes on');
  const mended = await edit(
    shop,
    'apps/worker/src/server.js',
    () => good.replace('edited while it runs', 'mended'),
    `${workerUrl}/`,
    'mended',
  );
  say(`  mended: save → new HTTP answer: ${bold(`${mended.ms} ms`)}`);

  if (keep) {
    say();
    say(`It stays as it is until you press Ctrl+C. Edit files below ${shop}, and look at ${workerUrl} and ${webUrl}.`);
    await finished;
  } else {
    say();
    say(`${bold('5.')} Ctrl+C: everything that was deployed is deleted`);
    dev.kill('SIGINT');
    const code = await finished;
    expect(code === 0, 'dev ended with exit code 0');
    const kinds = [
      ['apps/v1', 'Deployment'],
      ['v1', 'Service'],
      ['v1', 'ConfigMap'],
      ['v1', 'Pod'],
    ];
    const left = [];
    for (const [apiVersion, kind] of kinds) {
      const listed = await kube.list({ apiVersion, kind }, { namespace, labelSelector: 'app.kubernetes.io/managed-by=slipway' });
      if (!listed.ok) throw new Error(listed.problem.message);
      left.push(...listed.value.map(({ metadata }) => `${kind} ${metadata.name}`));
    }
    expect(left.length === 0, `nothing is left in the namespace${left.length > 0 ? `: ${left.join(', ')}` : ''}`);
  }
} catch (error) {
  if (ended === undefined) {
    dev.kill('SIGINT');
    await finished;
  }
  throw error;
} finally {
  await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  rmSync(folder, { recursive: true, force: true });
}

say();
say(`${green('Done')} in ${seconds(performance.now() - startedAt)}. The cluster still runs: npm run cluster:down ends it.`);
say(
  'Next: npm run demo -- --keep leaves the shop running, so that you can edit it; README.md says how to install Slipway into a workspace of your own.',
);
