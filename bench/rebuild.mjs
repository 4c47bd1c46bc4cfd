// An edit that needs a new image, on a real cluster: a COPY after a RUN, of a file that is not to be copied into the running container.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { root } from '../tools/steps.mjs';
import { follow, until } from './follow.mjs';
import { forgetImages } from './forgetImages.mjs';
import { measure } from './measure.mjs';
import { developers, isOnPath, start } from './otherTools.mjs';

const require = createRequire(import.meta.url);
const data = 200;
const dockerfile = `FROM busybox:1.36
WORKDIR /app
RUN for i in $(seq 200); do echo "$i" > "made$i"; done
COPY data data
CMD ["httpd", "-f", "-p", "8080", "-h", "/app"]
`;

function deployment(name) {
  const labels = { app: name };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: name, ports: [{ containerPort: 8080 }] }] },
      },
    },
  };
}

/** A workspace of one service, and a way to write to it. */
function oneService(name) {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const write = (path, text) => writeFileSync(join(folder, path), text);
  mkdirSync(join(folder, 'app/data'), { recursive: true });
  mkdirSync(join(folder, 'app/k8s'));
  write('package.json', JSON.stringify({ name: `${name}-workspace`, version: '0.0.0', private: true, workspaces: ['app'] }));
  write('package-lock.json', '{}');
  write('app/package.json', JSON.stringify({ name, version: '0.0.0' }));
  write('app/Dockerfile', dockerfile);
  write('app/k8s/app.yaml', JSON.stringify(deployment(name)));
  for (let file = 0; file < data; file += 1) write(`app/data/f${file}.txt`, `${file}\n`.repeat(300));
  return { folder, write };
}

/** `builder` as the config has it. Whole times; those of the build; and of the new pod alone: from the answer to the apply until a watch sees it ready. */
async function rebuilds(env, { kube, namespace, registry, builder, rounds }) {
  const name = `rebuild-${builder}-${process.pid}`;
  const { folder, write } = oneService(name);
  write('app/slipway.yaml', `version: 1\nimage: {builder: ${builder}}\nsync: {mode: off}\n`);
  const file = join(folder, 'events.jsonl');
  const dev = spawn(
    process.execPath,
    [join(root, 'dist', 'cli', 'main.js'), 'dev', '--events', file, '--namespace', namespace, '--no-logs', '--no-forward'],
    { cwd: folder, env, stdio: 'ignore' },
  );
  const ended = new Promise((resolve) => dev.on('close', resolve));
  const log = follow(file);
  const next = (from, kind) =>
    until(kind, () => {
      log.read();
      const failed = log.events.slice(from).find((event) => event.kind === 'failed');
      if (failed ?? dev.exitCode !== null) throw new Error(failed?.message ?? `slipway dev ended with exit code ${dev.exitCode}`);
      return log.events.slice(from).find((event) => event.kind === kind);
    });
  const rollouts = watchRollouts(kube, { namespace, name });
  const times = { whole: [], built: [], pod: [], rest: [] };
  try {
    await next(0, 'ready');
    for (let round = 0; round < rounds; round += 1) {
      await pause(300);
      log.read();
      const from = log.events.length;
      const savedAt = Date.now() + (performance.now() % 1);
      write('app/data/f7.txt', `round ${round}\n`);
      const ready = await next(from, 'ready');
      const applied = await next(from, 'applied');
      const pod = (await until('the watch sees it', () => rollouts.completeAt(round + 2))) - applied.at;
      times.whole.push(ready.at - savedAt);
      times.built.push((await next(from, 'built')).ms);
      times.pod.push(pod);
      times.rest.push(ready.at - savedAt - pod);
    }
  } finally {
    dev.kill('SIGINT');
    await ended;
    await leave(env, { rollouts, registry, name, folder });
  }
  return times;
}

/** The same with another tool, by its name on PATH: whole times, and without the pod's own: from its new generation until a watch sees it ready. */
async function rebuildsBeside(env, { kube, namespace, registry, tool, rounds }) {
  const name = `rebuild-${tool}-${process.pid}`;
  const { folder, write } = oneService(name);
  const rollouts = watchRollouts(kube, { namespace, name });
  const running = start(tool, developers[tool]({ folder, name, namespace, registry }), { cwd: folder, env });
  const times = { whole: [], rest: [] };
  const complete = () =>
    until(`${tool} has rolled out`, () => {
      running.mustRun();
      return rollouts.completeAt(rollouts.generation());
    });
  try {
    await complete();
    for (let round = 0; round < rounds; round += 1) {
      // They look for changes when nothing changes for a while.
      await pause(2000);
      const before = rollouts.generation();
      const savedAt = Date.now() + (performance.now() % 1);
      write('app/data/f7.txt', `round ${round}\n`);
      const appliedAt = await until(`${tool} applies an edit`, () => {
        running.mustRun();
        return rollouts.generation() > before && rollouts.appliedAt(rollouts.generation());
      });
      const readyAt = await complete();
      times.whole.push(readyAt - savedAt);
      times.rest.push(appliedAt - savedAt);
    }
  } finally {
    await running.stop();
    await leave(env, { rollouts, registry, name, folder });
  }
  return times;
}

/** Nothing stays of what a tool, which has ended, was started with and has made. */
async function leave(env, { rollouts, registry, name, folder }) {
  rollouts.stop();
  await forgetImages(env, { registry, images: [name] });
  rmSync(folder, { recursive: true, force: true });
}

/** When each generation of a deployment was first seen, and first with its one new pod available and no other left. */
function watchRollouts(kube, { namespace, name }) {
  const complete = new Map();
  const applied = new Map();
  let latest = 0;
  const seen = ({ metadata, status = {} }) => {
    const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
    if (metadata.name !== name) return;
    latest = metadata.generation;
    if (!applied.has(latest)) applied.set(latest, Date.now());
    if (observedGeneration !== metadata.generation || complete.has(observedGeneration)) return;
    if (replicas === 1 && updatedReplicas === 1 && availableReplicas === 1) complete.set(observedGeneration, Date.now());
  };
  const watch = kube.watch(
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { namespace },
    { onList: (objects) => objects.forEach(seen), onChange: (_, object) => seen(object), onTrouble: () => undefined },
  );
  return {
    generation: () => latest,
    appliedAt: (generation) => applied.get(generation),
    completeAt: (generation) => complete.get(generation),
    stop: () => watch.stop(),
  };
}

export async function benchRebuild(env, { rounds, registry }) {
  const { connectKube } = require('../dist/clients');
  const connected = await connectKube({ env });
  if (!connected.ok) throw new Error(connected.problem.message);
  const kube = connected.value;
  const namespace = `slipway-bench-rebuild-${process.pid}`;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const results = [];
  try {
    for (const [builder, what, bar] of [
      ['auto', 'with layers', 300],
      ['docker', 'through the engine', 900],
    ]) {
      const { whole, built, pod, rest } = await rebuilds(env, { kube, namespace, registry, builder, rounds });
      results.push(
        measure(`a new image, a RUN before its COPY, ${what}: save → Ready`, whole),
        measure('  of which the build', built),
        measure('  of which the pod itself', pod),
        measure('  save → Ready less the pod itself', rest, { p50: bar }),
      );
    }
    for (const tool of Object.keys(developers).filter(isOnPath)) {
      const { whole, rest } = await rebuildsBeside(env, { kube, namespace, registry, tool, rounds });
      results.push(measure(`  beside it: ${tool}, save → Ready`, whole), measure('    less the pod itself', rest));
    }
  } finally {
    await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  }
  return results;
}
