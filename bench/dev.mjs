// One `slipway dev` for a hundred services that share twenty libraries, on a real cluster: until it watches, one file of a library in all
// containers that use it, and what it takes while nothing happens; and the last of one service alone. SLIPWAY_BENCH_SERVICES: another number.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../tools/steps.mjs';
import { follow, until } from './follow.mjs';
import { forgetImages } from './forgetImages.mjs';
import { generateServices, numbers, writer } from './manyServices.mjs';
import { measure } from './measure.mjs';

const require = createRequire(import.meta.url);
const services = Number(process.env.SLIPWAY_BENCH_SERVICES ?? 100);
const libraries = Math.max(1, Math.round(services / 5));
/** Ticks of the kernel's clock in a second, as `/proc` counts them. */
const ticks = 100;

function generate(folder, name) {
  const write = writer(folder);
  write('package.json', { name, version: '0.0.0', private: true, workspaces: ['services/*', 'libs/*'] });
  write('package-lock.json', '{}');
  const librariesOf = generateServices(folder, { name, services, libraries });
  for (const service of numbers(services)) {
    const labels = { app: `s${service}` };
    const container = { name: 'main', image: `${name}/s${service}`, resources: { requests: { cpu: '1m', memory: '4Mi' } } };
    write(`services/s${service}/k8s/app.yaml`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: `s${service}` },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      },
    });
  }
  return librariesOf;
}

/** What a process takes while it is left alone: percent of a core, and megabytes (Linux). */
async function idle(pid, seconds) {
  const used = () => {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return (user + system) / ticks;
  };
  const before = used();
  await pause(seconds * 1000);
  const cpu = (100 * (used() - before)) / seconds;
  const [, kb = '0'] = /VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return { cpu, mb: Math.round(Number(kb) / 1024) };
}

export async function benchDev(env, { rounds, registry, idleSeconds }) {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const name = `bench-dev-${process.pid}`;
  const librariesOf = generate(folder, name);
  const { connectKube } = require('../dist/clients');
  const connected = await connectKube({ env, ...(env.KUBECONFIG && { kubeconfig: env.KUBECONFIG }) });
  if (!connected.ok) throw new Error(connected.problem.message);
  const kube = connected.value;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

  const started = [];
  const start = (label, ...projects) => {
    const file = join(folder, `${label}.jsonl`);
    const options = ['--events', file, '--namespace', name];
    const child = spawn(process.execPath, [join(root, 'dist', 'cli', 'main.js'), 'dev', ...projects, ...options], {
      cwd: folder,
      env,
      stdio: 'ignore',
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const log = follow(file);
    const stop = async () => {
      child.kill('SIGINT');
      await ended;
    };
    started.push(stop);
    return {
      pid: child.pid,
      log,
      seen: (what, from, isIt) =>
        until(
          what,
          async () => {
            // Events say when they happened; looking all the time would take from what is measured.
            await pause(20);
            log.read();
            return isIt(log.events.slice(from)) || undefined;
          },
          600_000,
        ),
      stop,
    };
  };

  try {
    const startedAt = performance.now();
    const all = start('all');
    await all.seen('everything is ready', 0, (events) => events.some(({ kind }) => kind === 'ready'));
    const watching = performance.now() - startedAt;
    await all.seen('every container is connected', 0, (events) => events.filter(({ kind }) => kind === 'connected').length >= services);
    const arrived = [];
    for (let round = 0; round < rounds; round += 1) {
      const lib = round % libraries;
      const users = numbers(services).filter((service) => librariesOf(service).includes(lib)).length;
      all.log.read();
      const from = all.log.events.length;
      const savedAt = Date.now();
      writeFileSync(join(folder, `libs/l${lib}/src/f0.js`), `exports.value = 'round ${round}';\n`);
      const isSynced = ({ kind, replay }) => kind === 'synced' && !replay;
      await all.seen(`the edit of l${lib} in ${users} containers`, from, (events) => events.filter(isSynced).length >= users);
      const last = all.log.events.slice(from).filter(isSynced).at(-1);
      arrived.push(last.at - savedAt);
      await pause(100);
    }
    await pause(10_000);
    const many = await idle(all.pid, idleSeconds);
    await all.stop();

    const one = start('one', 's0');
    await one.seen('one service is ready', 0, (events) => events.some(({ kind }) => kind === 'ready'));
    await pause(10_000);
    const single = await idle(one.pid, idleSeconds);
    await one.stop();
    return [
      measure(`${services} services: dev, from nothing built until it watches`, [watching], { p50: 40_000 }),
      measure('  a library file, save → in all containers that use it', arrived, { p50: 100 }),
      measure('  idle, percent of a core', [many.cpu], { p50: 2 }),
      measure('  idle, MB', [many.mb], { p50: 300 }),
      measure('one service: dev, idle, percent of a core', [single.cpu], { p50: 0.3 }),
      measure('  idle, MB', [single.mb], { p50: 130 }),
    ];
  } finally {
    // Also what was waited for in vain.
    for (const stop of started) await stop();
    await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name });
    await forgetImages(env, { registry, images: numbers(services).map((service) => `${name}/s${service}`) });
    rmSync(folder, { recursive: true, force: true });
  }
}
