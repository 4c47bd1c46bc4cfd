// `npm test`: everything that must hold, from a bare clone: install, build, lint, unit tests with the simulator, and the end-to-end
// tests on a real cluster, which is made when there is none and taken down again. `--full` adds what takes long.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, cluster, clusterDown, install, run, step } from './steps.mjs';

const full = process.argv.includes('--full');
const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs tests, and counts them also where some fail. */
async function jest(args, env) {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-test-'));
  const results = join(folder, 'results.json');
  try {
    await run(process.execPath, ['node_modules/jest/bin/jest.js', ...args, '--json', `--outputFile=${results}`], { env });
  } finally {
    count(results);
    rmSync(folder, { recursive: true, force: true });
  }
}

function count(results) {
  try {
    const told = JSON.parse(readFileSync(results, 'utf8'));
    counts.passed += told.numPassedTests;
    // A suite that could not be loaded has no tests that could fail.
    counts.failed += told.numFailedTests + told.numRuntimeErrorTestSuites;
    counts.skipped += told.numPendingTests + told.numTodoTests;
  } catch {
    // It ended before it had any.
    counts.failed += 1;
  }
}

try {
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
} finally {
  if (counts.passed + counts.failed > 0)
    console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}`);
}
