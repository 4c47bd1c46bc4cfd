import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configsRead, rememberConfigs } from '../config';

/** Where a workspace keeps what its configs say, so that not each command reads all of them. */
function memoryOf(root: string): string {
  return join(root, '.slipway', 'configs.json');
}

let recalledFrom: string | undefined;

/** What an earlier process has kept: what this one reads itself it knows. */
export function recallConfigs(root: string): void {
  if (root === recalledFrom) return;
  recalledFrom = root;
  try {
    rememberConfigs(readFileSync(memoryOf(root), 'utf8'));
  } catch {
    // The first command here.
  }
}

/** Nobody reads half of it, and what cannot be kept is read again. */
export function keepConfigs(root: string): void {
  const text = configsRead();
  if (text === undefined) return;
  const file = memoryOf(root);
  const unfinished = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(unfinished, text);
    renameSync(unfinished, file);
    rememberConfigs(text);
  } catch {
    // A workspace that cannot be written to.
  }
}
