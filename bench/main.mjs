// `npm run bench`: a table, and JSON with `--json FILE`. `--full` measures as often as the bars ask for; `--only NAME,…` some of turn, sync, rebuild, services, dev.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { build, cluster, install, step } from '../tools/steps.mjs';
import { measure, table } from './measure.mjs';

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const full = process.argv.includes('--full');
const only = argument('--only')?.split(',');
const wanted = (name) => only?.includes(name) ?? true;

await install();
await build();
const { timeTurns } = await import('../dist/bench/turn.js');
const { benchSync } = await import('./sync.mjs');
const { benchRebuild } = await import('./rebuild.mjs');
const { benchServices } = await import('./services.mjs');
const { benchDev } = await import('./dev.mjs');
const results = wanted('turn') ? await step('a turn of the core', () => benchTurn()) : [];
if (['sync', 'rebuild', 'services', 'dev'].some(wanted)) {
  const { env, registry } = await step('a cluster', () => cluster());
  if (wanted('sync')) results.push(...(await step('sync on the cluster', () => benchSync(env, { saves: full ? 300 : 60 }))));
  if (wanted('rebuild'))
    results.push(...(await step('new images on the cluster', () => benchRebuild(env, { rounds: full ? 20 : 8, registry }))));
  if (wanted('services'))
    results.push(...(await step('a hundred services', () => benchServices(env, { rounds: full ? 20 : 3, registry }))));
  if (wanted('dev'))
    results.push(
      ...(await step('one dev for a hundred services', () =>
        benchDev(env, { rounds: full ? 20 : 10, registry, idleSeconds: full ? 60 : 30 }),
      )),
    );
}
console.log(`\n${table(results)}\n\n${cpus().length} cores, Node ${process.version}, load before the end ${loadavg()[0].toFixed(1)}`);
const file = argument('--json');
if (file)
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cores: cpus().length, results }, null, 2)}\n`,
  );

async function benchTurn() {
  const { saves, acknowledgements } = timeTurns(300);
  return [
    measure('a turn for one saved file, 1,000 projects, 100,000 files, 3 containers each', saves, { p50: 5 }),
    measure('a turn for one acknowledged file, in the same workspace', acknowledgements),
  ];
}
