import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { firstFound, parseJsonOf } from './devkit';

export type NamedInputs = Readonly<Record<string, readonly unknown[]>>;

interface Bases {
  readonly defaultBase?: string;
}

/** What is read of nx.json here. */
interface NxJson extends Bases {
  readonly namedInputs?: NamedInputs;
  /** Where the base was before Nx 20. */
  readonly affected?: Bases;
}

/**
 * nx.json with what it takes from the preset that it extends; what it says itself wins, as a whole (Nx's `readNxJson`). The workspace's own
 * Nx parses it, as it may have comments and trailing commas. Undefined when one of them cannot be read, which Nx tells itself.
 */
export function readNxJson(root: string): NxJson | undefined {
  try {
    const parse: (text: string) => object = parseJsonOf(root) ?? JSON.parse;
    const own = parse(readFileSync(join(root, 'nx.json'), 'utf8')) as NxJson & { readonly extends?: string };
    if (own.extends === undefined) return own;
    const preset = firstFound(root, [own.extends], (path) => parse(readFileSync(path, 'utf8')) as NxJson);
    return preset && { ...preset, ...own };
  } catch {
    return undefined;
  }
}
