import { join } from 'node:path';
import { below } from '../dockerfile';
import { joinPath, type GoPackage, type GoQuestion, type Listing } from '../graph';
import { failed, succeeded, type Result, type WorkspacePath } from '../model';
import type { Asking } from './listDependencies';
import { pathInside } from './pathInside';

type GoListing = Extract<Listing, { readonly kind: 'go' }>;

interface GoModule {
  readonly Path: string;
  readonly Dir?: string;
  readonly Replace?: { readonly Dir?: string };
}

/** A package as `go list -e -json` prints it. */
interface ListedPackage {
  readonly ImportPath: string;
  readonly Dir?: string;
  /** Absent: it was asked for. */
  readonly DepOnly?: boolean;
  readonly Standard?: boolean;
  readonly Module?: GoModule;
  readonly GoFiles?: readonly string[];
  readonly CgoFiles?: readonly string[];
  readonly IgnoredGoFiles?: readonly string[];
  readonly EmbedPatterns?: readonly string[];
  readonly Error?: { readonly Err: string };
}

const packageFields = 'ImportPath,Dir,DepOnly,Standard,Module,GoFiles,CgoFiles,IgnoredGoFiles,EmbedPatterns,Error';

/**
 * Asks Go which packages of the workspace a program is made of. What does not compile is the build's to tell, so that nothing is lost of
 * what is edited; a package that is imported and not there yet is listed where it would be.
 */
export async function listGoPackages(question: GoQuestion, asking: Asking): Promise<Result<GoListing>> {
  const { root, folder, notListed } = asking;
  const list = (args: readonly string[]) => goList(args, question, asking);
  const ran = await list(['-e', '-deps', `-json=${packageFields}`, '--', ...question.packages]);
  if (!ran.ok) return ran;
  const listed = (objectsIn(ran.value) as readonly ListedPackage[]).filter(
    ({ Standard, DepOnly }) => Standard !== true || DepOnly !== true,
  );
  const asked = listed.filter(({ DepOnly }) => DepOnly !== true);
  const wrong = asked.find((each) => (each.Error && !hasFiles(each)) || pathInside(root, each.Dir ?? '/') === undefined);
  if (wrong || asked.length === 0)
    return failed(
      notListed(whatIsWrong(wrong, { ...question, root }), {
        hint: `write it as \`go build\` takes it in ${folder || 'the workspace'}: ./cmd/api`,
      }),
    );

  const modules = new Map(listed.flatMap(({ Module }) => (Module ? foldersOf(root, Module) : [])));
  const missing = listed.filter(({ Dir }) => Dir === undefined);
  if (missing.length > 0) {
    const all = await list(['-m', '-json=Path,Dir']);
    if (!all.ok) return all;
    for (const [name, at] of (objectsIn(all.value) as readonly GoModule[]).flatMap((module) => foldersOf(root, module)))
      modules.set(name, at);
  }
  const packages = listed.flatMap(({ ImportPath: name, Dir, EmbedPatterns: embeds = [] }): readonly GoPackage[] => {
    const at = Dir === undefined ? folderIn(modules, name) : pathInside(root, Dir);
    return at === undefined ? [] : [{ name, folder: at, embeds }];
  });
  const holding = [...modules.values()].filter((module) => packages.some(({ folder: at }) => below(module, at) !== undefined));
  return succeeded({ kind: 'go', packages, modules: [...new Set(holding)].sort() });
}

async function goList(args: readonly string[], question: GoQuestion, asking: Asking): Promise<Result<string>> {
  const { root, folder, env, processes, signal, notListed } = asking;
  const cwd = join(root, folder);
  // Go would tell places by their real path, which need not be how the workspace is called here.
  const ran = await processes.run({ command: 'go', args: ['list', ...args], cwd, env: { ...env, ...question.env, PWD: cwd }, signal });
  if (!ran.ok) {
    if (ran.problem.code !== 'commandNotFound') return failed(notListed(`did not run: ${ran.problem.message}`));
    const hint = 'install Go (https://go.dev/dl), or name what the build reads in dependencies.paths';
    return failed(notListed(`cannot be asked: ${ran.problem.message}`, { hint }));
  }
  const { exitCode, stdout, stderr } = ran.value;
  return exitCode === 0 ? succeeded(stdout) : failed(notListed(`ended with exit code ${exitCode}`, { detail: stderr || stdout }));
}

/** `go list` prints one object after the other. */
function objectsIn(output: string): unknown {
  return JSON.parse(`[${output.replaceAll(/^\}\n\{$/gm, '},{')}]`);
}

function hasFiles({ GoFiles = [], CgoFiles = [], IgnoredGoFiles = [] }: ListedPackage): boolean {
  return GoFiles.length + CgoFiles.length + IgnoredGoFiles.length > 0;
}

function whatIsWrong(wrong: ListedPackage | undefined, { packages, root }: GoQuestion & { readonly root: string }): string {
  if (!wrong) return `finds no package in ${packages.join(' ')}`;
  if (hasFiles(wrong)) return `names ${wrong.ImportPath}, which is outside of the workspace`;
  return `finds no package ${wrong.ImportPath}: ${wrong.Error?.Err.replaceAll(join(root, '/'), '') ?? 'it has no Go files'}`;
}

/** Where a module is by its name, if it is in the workspace. */
function foldersOf(root: string, { Path, Dir, Replace }: GoModule): readonly (readonly [string, WorkspacePath])[] {
  const dir = Replace?.Dir ?? Dir;
  const folder = dir === undefined ? undefined : pathInside(root, dir);
  return folder === undefined ? [] : [[Path, folder]];
}

/** Where a package would be, by the module with the longest name that begins its own. */
function folderIn(modules: ReadonlyMap<string, WorkspacePath>, name: string): WorkspacePath | undefined {
  const [module] = [...modules.keys()].filter((each) => name === each || name.startsWith(`${each}/`)).sort((a, b) => b.length - a.length);
  if (module === undefined) return undefined;
  return joinPath(modules.get(module) ?? '', name.slice(module.length + 1));
}
