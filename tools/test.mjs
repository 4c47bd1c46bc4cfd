// `npm test`: everything that must hold, from a bare clone: install, build, lint, unit tests with the simulator, and the end-to-end
// tests on a real cluster, which is made when there is none and taken down again. `--full` adds what takes long.
import { build, cluster, clusterDown, install, run, step } from './steps.mjs';

const full = process.argv.includes('--full');
const jest = (args, env) => run(process.execPath, ['node_modules/jest/bin/jest.js', ...args], { env });

await install();
await build();
await step('lint', () => run('npm', ['run', '--silent', 'lint']));
await step('unit tests and simulated histories', () =>
  jest(['--selectProjects', 'unit'], { ...process.env, SLIPWAY_HISTORIES: full ? '10000' : (process.env.SLIPWAY_HISTORIES ?? '2000') }),
);
const { env, madeHere } = await step('a cluster', () => cluster());
try {
  // Without forceExit Node 20 may turn round for ever when all is done: while it ends by itself it frees sockets that were cut.
  await step('end-to-end tests', () =>
    jest(['--selectProjects', 'e2e', '--runInBand', '--forceExit'], { ...env, ...(full && { SLIPWAY_FULL: '1' }) }),
  );
} finally {
  // One that was there before stays.
  if (madeHere) await step('take the cluster down', () => clusterDown());
}
