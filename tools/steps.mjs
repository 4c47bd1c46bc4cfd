// What the scripts of this folder share: running one command after another, with its time, and stopping at the first that fails.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
export const bold = (text) => (colours ? `\u001b[1m${text}\u001b[22m` : text);
export const dim = (text) => (colours ? `\u001b[2m${text}\u001b[22m` : text);
export const green = (text) => (colours ? `\u001b[32m${text}\u001b[39m` : text);

export function seconds(ms) {
  return ms < 10_000
    ? `${(ms / 1000).toFixed(1)} s`
    : ms < 100_000
      ? `${Math.round(ms / 1000)} s`
      : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** Runs a command; what it prints is shown at once, or only when it fails (`quiet`). Rejects when it fails. */
export function run(command, args, { cwd = root, env = process.env, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout?.on('data', (data) => (output += data));
    child.stderr?.on('data', (data) => (output += data));
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) return resolve(output);
      if (quiet) process.stdout.write(output);
      reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}`));
    });
  });
}

/** One named step, with its time. */
export async function step(name, work) {
  const startedAt = performance.now();
  console.log(`${bold('▸')} ${name}`);
  const result = await work();
  console.log(`${green('✓')} ${name} ${dim(seconds(performance.now() - startedAt))}`);
  return result;
}

/** Installs the locked packages unless they are there. */
export async function install() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return;
  await step('install packages (npm ci)', () => run('npm', ['ci'], { quiet: true }));
}

export async function build() {
  await step('build', () => run('npm', ['run', '--silent', 'build']));
}

/** Sees to it that a cluster is there; its environment variables, and whether it was made by this call. */
export async function cluster() {
  const main = join(root, 'dist', 'cluster', 'main.js');
  const before = spawnSync(process.execPath, [main, 'env', '--json'], { encoding: 'utf8' }).status === 0;
  await run(process.execPath, [main, 'up']);
  const { kubeconfig, context, dockerHost, registry } = JSON.parse(await run(process.execPath, [main, 'env', '--json'], { quiet: true }));
  const env = {
    ...process.env,
    ...(kubeconfig && { KUBECONFIG: kubeconfig }),
    ...(dockerHost && { DOCKER_HOST: dockerHost }),
    SLIPWAY_CONTEXT: context,
  };
  return { env, context, registry, madeHere: !before };
}

export async function clusterDown() {
  await run(process.execPath, [join(root, 'dist', 'cluster', 'main.js'), 'down']);
}
