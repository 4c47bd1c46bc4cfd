// Records the picture of the README: `slipway dev` in tmux, some saves, and the screen as an SVG.
//   node tools/picture.mjs WORKSPACE [FILE]
// WORKSPACE is a copy of examples/shop with nx-slipway installed; the cluster is the kubeconfig's current context. Needs tmux.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { terminalSvg } from './terminalSvg.mjs';

const [workspace, file = join(import.meta.dirname, '..', 'docs', 'dev.svg')] = process.argv.slice(2).map((path) => resolve(path));
if (workspace === undefined) throw new Error('which workspace? node tools/picture.mjs WORKSPACE [FILE]');

const socket = `slipway-picture-${process.pid}`;
const tmux = (...args) => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
const screen = (...flags) => tmux('capture-pane', '-p', ...flags);
const type = (...keys) => tmux('send-keys', ...keys);

async function shows(text, what = text) {
  const end = performance.now() + 180_000;
  while (!screen('-S', '-500').includes(text)) {
    if (performance.now() > end) throw new Error(`the terminal does not show ${what}:\n${screen()}`);
    await pause(200);
  }
}

/** Saves a file with a text replaced; gives what undoes it. */
function save(path, from, to) {
  const at = join(workspace, path);
  const before = readFileSync(at, 'utf8');
  if (!before.includes(from)) throw new Error(`${path} has no ${from}`);
  writeFileSync(
    at,
    before.replace(from, () => to),
  );
  return () => writeFileSync(at, before);
}

const undo = [];
tmux('new-session', '-d', '-x', '110', '-y', '40', '-c', workspace, 'env', 'PS1=$ ', 'npm_config_loglevel=error', 'sh');
try {
  await shows('$');
  type('npx slipway dev worker web api', 'Enter');
  await shows('ready in');
  await pause(2500);
  undo.push(save('libs/greeting/src/index.js', 'Welcome', 'Ahoy, and welcome'));
  await shows('synced libs/greeting');
  await pause(2000);
  undo.push(save('libs/catalog/src/index.ts', 'Burns all night', 'Burns all night, and then some'));
  await shows('took it up');
  await pause(1500);
  undo.push(save('apps/worker/Dockerfile', 'EXPOSE', `ENV STORE=${Date.now()}\nEXPOSE`));
  await shows('ready again');
  await pause(500);
  writeFileSync(file, terminalSvg(screen('-e'), { title: 'A terminal in which slipway dev runs, with what three saves led to' }));
  type('d');
  await shows('stopped:');
} finally {
  for (const one of undo) one();
  tmux('kill-server');
}
