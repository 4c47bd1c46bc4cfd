import picomatch from 'picomatch';
import { parse } from 'yaml';
import type { WorkspaceFiles } from '../graph';
import type { WorkspacePath } from '../model';

/** Where the packages of a workspace are, as npm, yarn, bun or pnpm are told. Undefined: it has no packages of its own. */
export function packagePatterns(files: WorkspaceFiles): readonly string[] | undefined {
  const pnpm = parsed(files.textOf('pnpm-workspace.yaml'), (text) => parse(text) as unknown)?.['packages'];
  const workspaces = parsed(files.textOf('package.json'), (text) => JSON.parse(text) as unknown)?.['workspaces'];
  // Yarn had an object with more in it.
  const patterns = pnpm ?? (Array.isArray(workspaces) ? workspaces : objectOf(workspaces)?.['packages']);
  if (!Array.isArray(patterns)) return undefined;
  const texts = patterns.filter((pattern): pattern is string => typeof pattern === 'string');
  return texts.length === 0 ? undefined : texts.map((pattern) => pattern.replace(/^(!?)\.\//, '$1').replace(/\/+$/, ''));
}

/** Whether a folder is a package where it has a package.json. */
export function isPackageFolder(folder: WorkspacePath, patterns: readonly string[] | undefined): boolean {
  const wanted = (patterns ?? []).filter((pattern) => !pattern.startsWith('!'));
  const unwanted = (patterns ?? []).filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  return picomatch.isMatch(folder, wanted) && !picomatch.isMatch(folder, unwanted);
}

/** Where services usually are, the most telling first. */
const usualFolders = ['apps', 'services', 'packages'];

/** The folder in which a new service is put when nobody says: one in which packages are, else `apps`. */
export function serviceFolder(patterns: readonly string[] | undefined): WorkspacePath {
  const folders = (patterns ?? []).flatMap((pattern) => /^([\w@./-]+)\/\*\*?$/.exec(pattern)?.[1] ?? []);
  return usualFolders.find((folder) => folders.includes(folder)) ?? folders[0] ?? 'apps';
}

function parsed(text: string | undefined, parseText: (text: string) => unknown): Readonly<Record<string, unknown>> | undefined {
  if (text === undefined) return undefined;
  try {
    return objectOf(parseText(text));
  } catch {
    // The package manager says what is wrong with its own file.
    return undefined;
  }
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
