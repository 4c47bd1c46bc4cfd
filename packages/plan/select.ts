import { dirEntry, entryAlong, segments, type DirEntry, type Entry, type WorkspacePath } from '../model';

/** Something that takes a path of the workspace, or part of what is below it. */
export interface Selector {
  readonly path: WorkspacePath;
  readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean;
  readonly mode?: number;
}

interface Remembered {
  readonly names: readonly string[];
  /** What was made of each directory last time. */
  readonly directories: Map<WorkspacePath, { readonly source: Entry; readonly result: Entry | undefined }>;
}

/** Only a cache: the answer depends on nothing but the arguments. */
const rememberedBySelector = new WeakMap<Selector, Remembered>();

/** The part of a tree that a selector takes, or undefined when it takes nothing. Directories that did not change are not walked again. */
export function select(tree: DirEntry, selector: Selector): Entry | undefined {
  let remembered = rememberedBySelector.get(selector);
  if (!remembered) rememberedBySelector.set(selector, (remembered = { names: segments(selector.path), directories: new Map() }));
  const entry = entryAlong(tree, remembered.names);
  if (!entry || (!selector.accepts && selector.mode === undefined)) return entry;
  return filtered(entry, selector.path, selector, remembered.directories);
}

function filtered(entry: Entry, path: WorkspacePath, selector: Selector, remembered: Remembered['directories']): Entry | undefined {
  if (entry.kind !== 'dir') {
    if (selector.accepts && !selector.accepts(path, 'file')) return undefined;
    if (entry.kind === 'link' || selector.mode === undefined) return entry;
    const mode = selector.mode & 0o755;
    return mode === entry.mode ? entry : { ...entry, mode, hash: `f${mode.toString(8)}:${entry.digest}` };
  }
  const before = remembered.get(path);
  if (before?.source === entry) return before.result;
  const kept = new Map<string, Entry>();
  let same = true;
  const takenBefore = (name: string): Entry | undefined => (before?.result?.kind === 'dir' ? before.result.entries.get(name) : undefined);
  for (const [name, child] of entry.entries) {
    // Of thousands of files in a directory a few are other than they were.
    const isAsBefore = before?.source.kind === 'dir' && before.source.entries.get(name) === child;
    const taken = isAsBefore ? takenBefore(name) : filtered(child, path === '' ? name : `${path}/${name}`, selector, remembered);
    if (taken !== child) same = false;
    if (taken) kept.set(name, taken);
  }
  const keepsItself = kept.size > 0 || !selector.accepts || selector.accepts(path, 'dir');
  const result = !keepsItself ? undefined : same ? entry : dirEntry(kept);
  remembered.set(path, { source: entry, result });
  return result;
}

/** A tree with an entry laid over what is at a path: directories are united, anything else is replaced. */
export function overlay(tree: DirEntry, names: readonly string[], entry: Entry, at = 0): DirEntry {
  const name = names[at];
  if (name === undefined) return entry.kind === 'dir' ? united(tree, entry) : tree;
  const entries = new Map(tree.entries);
  const below = entries.get(name);
  if (at === names.length - 1) {
    entries.set(name, entry.kind === 'dir' && below?.kind === 'dir' ? united(below, entry) : entry);
  } else {
    entries.set(name, overlay(below?.kind === 'dir' ? below : { kind: 'dir', entries: new Map(), hash: '' }, names, entry, at + 1));
  }
  return dirEntry(entries);
}

/** Two directories as one; what both have is as the upper one has it. */
export function united(below: DirEntry, above: DirEntry): DirEntry {
  if (below.entries.size === 0 || below === above) return above;
  if (above.entries.size === 0) return below;
  const entries = new Map(below.entries);
  for (const [name, entry] of above.entries) {
    const old = entries.get(name);
    entries.set(name, entry.kind === 'dir' && old?.kind === 'dir' ? united(old, entry) : entry);
  }
  return dirEntry(entries);
}
