// Sync on a real cluster: a copy of examples/shop, `slipway dev` of its services, and a file that is saved again and again.
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { get } from '../tools/get.mjs';
import { root, run } from '../tools/steps.mjs';
import { follow, until } from './follow.mjs';
import { measure } from './measure.mjs';

const require = createRequire(import.meta.url);

export async function benchSync(env, { saves }) {
  const { connectKube } = require('../dist/clients');
  const connected = await connectKube({ env });
  if (!connected.ok) throw new Error(connected.problem.message);
  const kube = connected.value;
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const shop = join(folder, 'shop');
  const namespace = `slipway-bench-${process.pid}`;
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
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const file = join(folder, 'events.jsonl');
  const dev = spawn(
    join(shop, 'node_modules', '.bin', 'slipway'),
    ['dev', 'worker', 'web', 'api', 'pricing', 'cache', '--events', file, '--namespace', namespace, '--no-logs'],
    {
      cwd: shop,
      env: { ...env, NX_DAEMON: 'false' },
      stdio: 'ignore',
    },
  );
  const log = follow(file);
  const next = (from, matches) =>
    until('an event', () => {
      log.read();
      return log.events.slice(from).find(matches);
    });
  const results = [];
  try {
    await next(0, ({ kind }) => kind === 'ready');
    const forwarded = async (release) => (await next(0, (event) => event.kind === 'forwarded' && event.release === release)).url;
    const webUrl = await forwarded('web');
    const workerUrl = await forwarded('worker');
    const apiUrl = await forwarded('api');
    const pricingUrl = await forwarded('pricing');
    await pause(2500); // Past the settling of new containers, so that only the path of an ordinary save is measured.

    // Save → the agent's acknowledgement: the file is in the container.
    const acknowledged = [];
    const parts = { detect: [], read: [], send: [], apply: [] };
    for (let round = 0; round < saves; round += 1) {
      log.read();
      const from = log.events.length;
      const savedAt = Date.now() + (performance.now() % 1);
      writeFileSync(join(shop, 'libs/theme/theme.css'), `/* ${round} ${'x'.repeat(2000)} */\n`);
      const synced = await next(from, ({ kind }) => kind === 'synced');
      acknowledged.push(Math.max(0, synced.at - savedAt));
      for (const part of Object.keys(parts)) parts[part].push(synced.ms[part]);
      await pause(20);
    }
    results.push(measure('one file, save → in the container (sh agent)', acknowledged, { p50: 15, p99: 60 }));
    for (const [part, times] of Object.entries(parts)) results.push(measure(`  of which ${part}`, times));

    results.push(
      measure('5,000 new files of 2 KB, last write → in the container (sh agent)', await manyFiles({ shop, log }), { p50: 500 }),
    );
    results.push(
      measure('a killed pod, its container runs again → has its edits back', await killed({ shop, log, kube, namespace }), { p50: 300 }),
    );

    const worker = [];
    const source = join(shop, 'apps/worker/src/basket.js');
    const text = readFileSync(source, 'utf8');
    for (let round = 0; round < Math.min(saves, 20); round += 1) {
      log.read();
      const from = log.events.length;
      const savedAt = Date.now() + (performance.now() % 1);
      writeFileSync(source, `${text}\n// ${round}\n`);
      const synced = await next(from, ({ kind }) => kind === 'synced');
      worker.push(Math.max(0, synced.at - savedAt));
      await until('worker is back', async () => (await get(`${workerUrl}/healthz`))?.includes('true'));
      await pause(400);
    }
    results.push(measure('one file, save → in the container (node agent)', worker, { p50: 15 }));

    // Save → the new content over HTTP, from a server that reads its files anew.
    const answered = [];
    for (let round = 0; round < Math.min(saves, 60); round += 1) {
      const wanted = `answer ${round}`;
      const savedAt = performance.now();
      writeFileSync(join(shop, 'libs/theme/theme.css'), `/* ${wanted} */\n`);
      await until(wanted, async () => (await get(`${webUrl}/theme/theme.css`))?.includes(wanted));
      answered.push(performance.now() - savedAt);
      await pause(20);
    }
    results.push(measure('one file, save → new HTTP answer (static server)', answered));

    // The same through a process that restarts itself: most of it is node --watch and the process's own start.
    const restarted = [];
    for (let round = 0; round < Math.min(saves, 20); round += 1) {
      const wanted = `round ${round}`;
      const savedAt = performance.now();
      writeFileSync(join(shop, 'libs/greeting/src/index.js'), `'use strict';\nexports.greeting = () => '${wanted}';\n`);
      await until(wanted, async () => (await get(`${workerUrl}/`))?.includes(wanted));
      restarted.push(performance.now() - savedAt);
      await pause(300);
    }
    results.push(measure('one file, save → new HTTP answer (node --watch)', restarted));

    // TypeScript of a library that is bundled: the target's own time is the runner's and the bundler's, whoever asks for it.
    const bundled = { answer: [], target: [], copied: [], rest: [] };
    const catalog = join(shop, 'libs/catalog/src/index.ts');
    const catalogText = readFileSync(catalog, 'utf8');
    for (let round = 0; round < Math.min(saves, 20); round += 1) {
      log.read();
      const from = log.events.length;
      const wanted = `Burns ${process.pid} ${round}`;
      const savedAt = Date.now() + (performance.now() % 1);
      writeFileSync(catalog, catalogText.replace('Burns all night', wanted));
      // Asking all the while would take the processor from the target, and then from the process that starts.
      await next(from, ({ kind, artifact }) => kind === 'synced' && artifact === 'api');
      await until(wanted, async () => (await get(`${apiUrl}/`))?.includes(wanted));
      const answer = Date.now() + (performance.now() % 1) - savedAt;
      const { ms } = await next(from, ({ kind }) => kind === 'targetRan');
      const { at } = await next(from, ({ kind, artifact }) => kind === 'synced' && artifact === 'api');
      bundled.answer.push(answer);
      bundled.target.push(ms);
      bundled.copied.push(Math.max(0, at - savedAt - ms));
      bundled.rest.push(Math.max(0, answer - ms));
      await pause(300);
    }
    results.push(measure('a bundled edit, save → new HTTP answer', bundled.answer));
    results.push(measure("  of which the target's own time", bundled.target));
    results.push(measure('  save → in the container, less that', bundled.copied));
    results.push(measure('  save → new HTTP answer, less that', bundled.rest, { p50: 150 }));

    const compiled = [];
    const program = join(shop, 'apps/pricing/main.go');
    const programText = readFileSync(program, 'utf8');
    for (let round = 0; round < Math.min(saves, 20); round += 1) {
      const wanted = String(100_000 + round);
      const savedAt = performance.now();
      writeFileSync(program, programText.replace('1250', wanted));
      await until(wanted, async () => (await get(`${pricingUrl}/prices`))?.includes(wanted));
      compiled.push(performance.now() - savedAt);
      await pause(300);
    }
    results.push(measure('a Go edit, save → new HTTP answer (compiled in its container)', compiled));
  } finally {
    dev.kill('SIGINT');
    await new Promise((resolve) => dev.on('close', resolve));
    await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

const ofWeb = ({ kind, artifact }) => kind === 'synced' && artifact === 'web';

async function manyFiles({ shop, log }) {
  const folder = join(shop, 'libs/theme/many');
  const times = [];
  for (let round = 0; round < 5; round += 1) {
    log.read();
    const from = log.events.length;
    mkdirSync(folder);
    for (let each = 0; each < 5000; each += 1) writeFileSync(join(folder, `${each}.css`), `/* ${round} ${each} */`.padEnd(2048, 'x'));
    const writtenAt = Date.now() + (performance.now() % 1);
    const synced = await until('all files are there', () => {
      log.read();
      const batches = log.events.slice(from).filter(ofWeb);
      return batches.reduce((sum, { files }) => sum + files, 0) >= 5000 ? batches : undefined;
    });
    times.push(Math.max(0, synced.at(-1).at - writtenAt));
    const filled = log.events.length;
    rmSync(folder, { recursive: true });
    await until('they are gone', () => {
      log.read();
      return log.events.slice(filled).find((event) => ofWeb(event) && event.removed > 0);
    });
    await pause(500);
  }
  return times;
}

/** From the moment at which the cluster says that the container runs again. */
async function killed({ shop, log, kube, namespace }) {
  let running;
  const pods = new Map();
  const note = (pod) => {
    const status = pod.status?.containerStatuses?.[0];
    if (status?.state?.running && pods.get(status.containerID) === undefined)
      pods.set(status.containerID, (running = { pod: pod.metadata.name, at: Date.now() }));
  };
  const watch = kube.watch(
    { apiVersion: 'v1', kind: 'Pod' },
    { namespace, labelSelector: 'app=web' },
    {
      onList: (objects) => objects.forEach(note),
      onChange: (change, pod) => change === 'deleted' || note(pod),
      onTrouble: () => undefined,
    },
  );
  const times = [];
  writeFileSync(join(shop, 'libs/theme/theme.css'), '/* edited before it was killed */\n');
  for (let round = 0; round < 3; round += 1) {
    const before = await until('a container runs', () => running);
    await pause(2500);
    log.read();
    const from = log.events.length;
    await kube.delete({ apiVersion: 'v1', kind: 'Pod', namespace, name: before.pod }, { gracePeriodSeconds: 0 });
    const synced = await until('its edits are back', () => {
      log.read();
      return running !== before && log.events.slice(from).find(ofWeb);
    });
    times.push(Math.max(0, synced.at - running.at));
  }
  watch.stop();
  return times;
}
