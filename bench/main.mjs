// `npm run bench`: a table, and JSON with `--json FILE`. `--full` measures as often as the bars ask for; `--turn` only the core.
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { build, cluster, install, step } from '../tools/steps.mjs';
import { table } from './measure.mjs';

const argument = (name) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const full = process.argv.includes('--full');

await install();
await build();
const { benchTurn } = await import('./turn.mjs');
const { benchSync } = await import('./sync.mjs');
const results = await step('a turn of the core', () => benchTurn());
if (!process.argv.includes('--turn')) {
  const { env } = await step('a cluster', () => cluster());
  results.push(...(await step('sync on the cluster', () => benchSync(env, { saves: full ? 300 : 60 }))));
}
console.log(`\n${table(results)}\n\n${cpus().length} cores, Node ${process.version}, load before the end ${loadavg()[0].toFixed(1)}`);
const file = argument('--json');
if (file)
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), node: process.version, cores: cpus().length, results }, null, 2)}\n`,
  );
