import { existsSync, lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { WorkspaceFiles } from '../graph';
import type { WorkspacePath } from '../model';

/** The disk, each question asked once. Synchronous, because a few hundred small files are read in less time than as many promises take. */
export function filesBelow(root: string): WorkspaceFiles {
  const texts = new Map<WorkspacePath, string | undefined>();
  const kinds = new Map<WorkspacePath, ReturnType<WorkspaceFiles['kindOf']>>();
  const names = new Map<WorkspacePath, readonly string[]>();
  const realRoot = attempt(() => realpathSync.native(root)) ?? root;
  return {
    textOf: (path) => remembered(texts, path, () => textOf(join(root, path))),
    kindOf: (path) => remembered(kinds, path, () => kindOf(realRoot, path)),
    namesIn: (directory) => remembered(names, directory, () => attempt(() => readdirSync(join(root, directory)).sort()) ?? []),
  };
}

/** Most of what is asked for is not there, and an error takes longer than a question. */
function textOf(absolute: string): string | undefined {
  return existsSync(absolute) ? attempt(() => readFileSync(absolute, 'utf8')) : undefined;
}

function kindOf(realRoot: string, path: WorkspacePath): ReturnType<WorkspaceFiles['kindOf']> {
  const absolute = path === '' ? realRoot : join(realRoot, path.split('/').join(sep));
  const stats = attempt(() => lstatSync(absolute, { throwIfNoEntry: false }));
  if (!stats) return undefined;
  // A link anywhere on the way leads to files under another name.
  if (attempt(() => realpathSync.native(absolute)) !== absolute) return 'link';
  return stats.isDirectory() ? 'dir' : 'file';
}

/** A file that cannot be read is as if it were not there: whoever needs it says so. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function remembered<T>(answers: Map<string, T>, key: string, ask: () => T): T {
  const known = answers.get(key);
  if (known !== undefined || answers.has(key)) return known as T;
  const answer = ask();
  answers.set(key, answer);
  return answer;
}
