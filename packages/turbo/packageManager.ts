import { existsSync, readdirSync, readFileSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import picomatch from 'picomatch';
import { parse } from 'yaml';
import { failed, messageOf, succeeded, type Problem, type Result, type WorkspacePath } from '../model';

/** What Slipway reads of a package.json. */
export interface PackageJson {
  readonly name?: string;
  readonly packageManager?: string;
  readonly workspaces?: readonly string[] | { readonly packages?: readonly string[] };
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly main?: unknown;
  readonly module?: unknown;
  readonly types?: unknown;
  readonly bin?: unknown;
  readonly exports?: unknown;
  readonly files?: unknown;
}

export interface Package {
  /** Its name, or its folder where it has none. */
  readonly name: string;
  readonly root: WorkspacePath;
  readonly json: PackageJson;
}

/** The packages that a package manager's workspaces name, by folder. */
export function readPackages(root: string): Result<readonly Package[]> {
  const patterns = workspacePatterns(root);
  if (!patterns.ok) return patterns;
  return packagesAt(root, packageFolders(root, patterns.value ?? []));
}

export function packagesAt(root: string, folders: readonly WorkspacePath[]): Result<readonly Package[]> {
  const packages: Package[] = [];
  for (const folder of folders) {
    const json = readPackageJson(root, `${folder}/package.json`);
    if (!json.ok) return json;
    packages.push({ name: json.value.name ?? folder, root: folder, json: json.value });
  }
  return succeeded(packages);
}

/** Names of all that a package depends on, in whichever way. */
export function dependencyNames({
  dependencies,
  devDependencies,
  optionalDependencies,
  peerDependencies,
}: PackageJson): ReadonlySet<string> {
  return new Set(Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies }));
}

/**
 * Whether a script starts Slipway. Such a script makes no file that an image takes, and running it for an image would start Slipway
 * from within itself.
 */
export function startsSlipway(script: string): boolean {
  return /(?:^|[\s/;&|(])slipway\s+(?:dev|run|build|deploy|sync|render|delete|prune)\b/.test(script);
}

/** Whether a folder is the root of a package manager's workspaces. */
export function declaresWorkspaces(root: string): boolean {
  // A file that cannot be read is told of when its packages are.
  const patterns = workspacePatterns(root);
  return !patterns.ok || patterns.value !== undefined;
}

/** The patterns of package folders, or undefined where none are declared. */
function workspacePatterns(root: string): Result<readonly string[] | undefined> {
  if (existsSync(join(root, 'pnpm-workspace.yaml'))) {
    try {
      const { packages } = (parse(readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')) ?? {}) as {
        readonly packages?: readonly string[];
      };
      if (packages) return succeeded(packages);
    } catch (error) {
      return failed(unreadable('pnpm-workspace.yaml', error));
    }
  }
  if (!existsSync(join(root, 'package.json'))) return succeeded(undefined);
  const json = readPackageJson(root, 'package.json');
  if (!json.ok) return json;
  const { workspaces } = json.value;
  return succeeded(
    Array.isArray(workspaces)
      ? (workspaces as readonly string[])
      : (workspaces as { readonly packages?: readonly string[] } | undefined)?.packages,
  );
}

/** Folders with a package.json that the patterns name, in order; `!` takes away what was named before. */
function packageFolders(root: string, patterns: readonly string[]): readonly string[] {
  const cleaned = patterns.map((pattern) => pattern.replace(/^(!?)\.\//, '$1').replace(/\/+$/, ''));
  const wanted = cleaned.filter((pattern) => !pattern.startsWith('!'));
  const unwanted = picomatch(cleaned.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1)));
  const found = new Set(wanted.flatMap((pattern) => matchingFolders(root, '', pattern.split('/'))));
  return [...found].filter((folder) => folder !== '' && !unwanted(folder) && existsSync(join(root, folder, 'package.json'))).sort();
}

/** Goes only where a pattern leads: a whole workspace is not walked for `apps/*`. */
function matchingFolders(root: string, at: string, [segment, ...rest]: readonly string[]): readonly string[] {
  if (segment === undefined) return [at];
  const into = (name: string) => (at === '' ? name : `${at}/${name}`);
  if (segment === '**') {
    return [
      ...matchingFolders(root, at, rest),
      ...foldersIn(root, at).flatMap((name) => matchingFolders(root, into(name), [segment, ...rest])),
    ];
  }
  const { isGlob } = picomatch.scan(segment);
  if (!isGlob) return matchingFolders(root, into(segment), rest);
  const matches = picomatch(segment);
  return foldersIn(root, at)
    .filter((name) => matches(name))
    .flatMap((name) => matchingFolders(root, into(name), rest));
}

function foldersIn(root: string, at: string): readonly string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(join(root, at), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map(({ name }) => name);
}

function readPackageJson(root: string, file: string): Result<PackageJson> {
  try {
    return succeeded(JSON.parse(readFileSync(join(root, file), 'utf8')) as PackageJson);
  } catch (error) {
    return failed(unreadable(file, error));
  }
}

function unreadable(file: string, error: unknown): Problem {
  return {
    code: 'workspaceUnreadable',
    message: `${file} cannot be read: ${messageOf(error).split('\n')[0] ?? ''}`,
    hint: `correct ${file}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location: { file },
  };
}

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

export function packageManagerOf(root: string): PackageManager {
  const json = existsSync(join(root, 'package.json')) ? readPackageJson(root, 'package.json') : undefined;
  const named = json?.ok ? /^(npm|pnpm|yarn|bun)@/.exec(json.value.packageManager ?? '')?.[1] : undefined;
  if (named) return named as PackageManager;
  const traces: readonly (readonly [string, PackageManager])[] = [
    ['pnpm-lock.yaml', 'pnpm'],
    ['pnpm-workspace.yaml', 'pnpm'],
    ['yarn.lock', 'yarn'],
    ['bun.lock', 'bun'],
    ['bun.lockb', 'bun'],
  ];
  return traces.find(([file]) => existsSync(join(root, file)))?.[1] ?? 'npm';
}

/** How a script of a package is run from the root of its workspace. */
export function scriptCommand(
  manager: PackageManager,
  project: string,
  script: string,
): { readonly command: string; readonly args: readonly string[] } {
  switch (manager) {
    case 'npm':
      return { command: 'npm', args: ['run', script, '--workspace', project] };
    case 'pnpm':
      return { command: 'pnpm', args: ['--filter', project, 'run', script] };
    case 'yarn':
      return { command: 'yarn', args: ['workspace', project, 'run', script] };
    case 'bun':
      return { command: 'bun', args: ['run', '--filter', project, script] };
  }
}
