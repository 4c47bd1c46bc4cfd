// What the demos share: a copy of examples/shop with the packed nx-slipway, `slipway dev` in it, and saves that are measured.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { get } from './get.mjs';
import { bold, build, cluster, dim, green, install, root, run, seconds, step } from './steps.mjs';

const require = createRequire(import.meta.url);
const namespace = 'slipway-demo';
// Long enough for any answer, and short enough that a process which ends in the middle of one does not count as its reload.
const answerLimitMs = 500;

export const say = (text = '') => console.log(text);

export function expect(condition, what) {
  if (!condition) throw new Error(`not as it should be: ${what}`);
  say(`  ${green('✓')} ${what}`);
}

/** Waits for something to become so; asks again at once, and gives up after a time. */
export async function until(what, ask, limitMs = 60_000) {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > end) throw new Error(`still not so after ${seconds(limitMs)}: ${what}`);
    await pause(2);
  }
}

/** Writes a file of the workspace, and waits for the answer that it leads to; the milliseconds between the two. */
export async function save({ file, text, url, wanted }) {
  const at = performance.now();
  writeFileSync(file, text);
  const answer = await until(`${url} answers ${wanted}`, async () => {
    const body = await get(url, answerLimitMs);
    return body?.includes(wanted) ? body : undefined;
  });
  return { ms: Math.round(performance.now() - at), answer };
}

/** A cluster with an empty namespace, and the workspace. `prepare` is done in its folder before it is used. */
export async function openShop(prepare = () => undefined) {
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
  await prepare(shop);
  say(dim(`  the workspace: ${shop}, the cluster: context ${context}`));
  const { connectKube } = require('../dist/clients');
  const connected = await connectKube({ env, ...(env.KUBECONFIG && { kubeconfig: env.KUBECONFIG }), context });
  if (!connected.ok) throw new Error(connected.problem.message);
  const kube = connected.value;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    root: shop,
    kube,
    namespace,
    /** Starts `slipway dev`, and shows what it prints. */
    dev: (...services) => startDev({ shop, services, env, context, eventsFile: join(folder, 'events.jsonl') }),
    /** The one container of an application that is not being deleted. */
    running: (app) => runningContainer(kube, app),
    /** What Slipway has deployed and not deleted, by name. */
    left: () => objectsLeft(kube),
    close: async () => {
      await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const same = (a, b) => a.uid === b.uid && a.id === b.id && a.restarts === b.restarts;

function startDev({ shop, services, env, context, eventsFile }) {
  say();
  say(`${bold('▸')} ${['npx slipway dev', ...services].join(' ')}`);
  const child = spawn(
    join(shop, 'node_modules', '.bin', 'slipway'),
    ['dev', ...services, '--events', eventsFile, '--namespace', namespace, '--context', context],
    {
      cwd: shop,
      env: { ...env, NX_DAEMON: 'false', FORCE_COLOR: process.stdout.isTTY ? '1' : '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  let ended;
  const finished = new Promise((resolve) => child.on('close', (code) => resolve((ended = code ?? 1))));
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      // The demo asks some hundred times; a service's line about each would hide everything else.
      if (!line.includes('│ GET /')) say(`  ${dim('│')} ${line}`);
    });
  process.on('exit', () => ended === undefined && process.kill(-child.pid, 'SIGKILL'));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const events = () =>
    existsSync(eventsFile)
      ? readFileSync(eventsFile, 'utf8')
          .split('\n')
          .filter((line) => line.endsWith('}'))
          .map((line) => JSON.parse(line))
      : [];
  return {
    events,
    finished,
    ready: () =>
      until(
        'dev says that it is ready',
        () => {
          if (ended !== undefined) throw new Error(`dev ended with exit code ${ended} before it was ready`);
          return events().find(({ kind }) => kind === 'ready');
        },
        240_000,
      ),
    /** The forwarded addresses by service, when there are as many. */
    addresses: (count) =>
      until(`${count} services are forwarded`, () => {
        // In a workspace of packages a project is called @shop/api.
        const found = new Map(
          events().flatMap(({ kind, release, url }) => (kind === 'forwarded' ? [[release.replace(/^.*\//, ''), url]] : [])),
        );
        return found.size >= count ? found : undefined;
      }),
    /** Ctrl+C, unless it has ended; the exit code. */
    interrupt: () => {
      if (ended === undefined) child.kill('SIGINT');
      return finished;
    },
  };
}

async function runningContainer(kube, app) {
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
}

async function objectsLeft(kube) {
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
  return left;
}
