import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspacePath } from '../model';

/** When the newest of some files was written, those below directories too, in milliseconds since 1970. Undefined: there are none. */
export async function lastWriteIn(root: string, paths: readonly WorkspacePath[]): Promise<number | undefined> {
  const times = await Promise.all(paths.map((path) => lastWriteAt(join(root, path))));
  return times.reduce((newest, time) => (newest === undefined || (time !== undefined && time > newest) ? time : newest), undefined);
}

async function lastWriteAt(path: string): Promise<number | undefined> {
  // What goes while it is looked at is not there.
  const stats = await lstat(path).catch(() => undefined);
  if (!stats?.isDirectory()) return stats?.mtimeMs;
  const names = await readdir(path).catch((): string[] => []);
  return lastWriteIn(path, names);
}
