import { lstatSync, type Stats } from 'node:fs';

/** What is at a path, links not followed; undefined when nothing is, also because something above it is no directory. Throws what else can be wrong. */
export function statOf(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    if (codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

/** The system's code of what was thrown: `EACCES`. Empty when it has none. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Whether a directory is at a path, as far as can be told. */
export function isDirectory(file: string): boolean {
  try {
    return statOf(file)?.isDirectory() === true;
  } catch {
    return true;
  }
}
