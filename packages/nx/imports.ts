import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspacePath } from '../model';

const source = /\.[cm]?[jt]sx?$/;
const imported = /\b(?:from|import|require)\s*\(?\s*(['"])([^'"\n]+)\1/g;

/** Which modules a source file names, sorted. What only looks like an import, as in a comment, is among them. */
export function importsIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(imported)].map(([, , module]) => module ?? ''))].sort();
}

/**
 * Tells of files that were saved whether they name other modules than when it was asked of them the last time; the first time they do as
 * soon as they name any.
 */
export function importChanges(root: string): (paths: readonly WorkspacePath[]) => Promise<boolean> {
  const known = new Map<WorkspacePath, string>();
  return async (paths) => {
    const changed = paths
      .filter((path) => source.test(path))
      .map(async (path) => {
        const text = await readFile(join(root, path), 'utf8').catch(() => '');
        const imports = importsIn(text).join('\n');
        const before = known.get(path) ?? '';
        known.set(path, imports);
        return imports !== before;
      });
    return (await Promise.all(changed)).includes(true);
  };
}
