import type { PackageJson } from './packageManager';

/** Folders that builds write by convention. */
const conventional = ['dist', 'build', 'out', 'lib', 'esm', 'cjs', 'es', '.next', '.output', '.svelte-kit'];

/** Names in a package's folder. */
type NamesThere = ReadonlySet<string>;

/**
 * Where a package's `build` script writes, relative to its folder. Neither npm nor its peers declare that, so it is what package.json
 * names (`main`, `exports`, `bin`, `files`, …) as far as it lies in a folder that builds write by convention; else those of the common
 * ones that are there; else `dist`.
 */
export function buildOutputs(json: PackageJson, there: NamesThere): readonly string[] {
  const named = new Set([json.main, json.module, json.types, json.bin, json.exports, json.files].flatMap(pathsIn).map(firstFolder));
  const outputs = conventional.filter((folder) => named.has(folder) && isGenerated(folder, there));
  if (outputs.length > 0) return outputs;
  const present = conventional.filter((folder) => there.has(folder) && isGenerated(folder, there));
  return present.length > 0 ? present : ['dist'];
}

/** `lib` holds sources as often as what was made of them; it is an output where the sources are in `src`. */
function isGenerated(folder: string, there: NamesThere): boolean {
  return folder !== 'lib' || there.has('src');
}

/** The paths in a field of package.json: a text, or texts in lists and objects of any depth. */
function pathsIn(field: unknown): readonly string[] {
  if (typeof field === 'string') return [field];
  if (typeof field !== 'object' || field === null) return [];
  return Object.values(field).flatMap(pathsIn);
}

function firstFolder(path: string): string {
  return path.replace(/^\.?\//, '').split('/')[0] ?? '';
}
