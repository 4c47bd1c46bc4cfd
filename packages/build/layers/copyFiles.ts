import { posix } from 'node:path';
import { hasWildcard, pathMatcher, wildcard, type CopyStep, type PathMatcher } from '../../dockerfile';
import type { ContainerPath } from '../../model';
import type { DirNode, FileTree, LinkNode, Node, Owner } from './fileTree';

export interface CopyOptions {
  readonly step: CopyStep;
  /** Of `--chown`; undefined: as in the source. */
  readonly owner: Owner | undefined;
  /** What is copied from: the context, or another stage. */
  readonly from: FileTree;
  readonly into: FileTree;
}

/** What is wrong, in BuildKit's words, or what engines do differently. */
export type CopyMistake = string | { readonly engineNeeded: string };

const root: Owner = { uid: 0, gid: 0 };

/**
 * Copies as BuildKit does (`fsutil/copy`, with the options of its dockerfile2llb): directories lose their own name, links on the way
 * are followed and links that are copied are not, what is made on the way belongs to the owner.
 */
export function copyFiles(options: CopyOptions): CopyMistake | undefined {
  const { step, from } = options;
  for (const raw of step.sources) {
    const [source, pattern] = withoutPivot(raw, step.parents);
    const matches = hasWildcard(source) ? matchesOf(source, from) : [source];
    if (!matches) return `${raw} is not a valid pattern`;
    for (const match of matches) {
      const mistake = copyOne(match, pattern, options);
      if (mistake !== undefined) return mistake;
    }
  }
  return undefined;
}

/** With `--parents` the whole is copied as far as it matches, from `/./` on or from the top. */
function withoutPivot(raw: string, parents: boolean): readonly [source: ContainerPath, pattern: string | undefined] {
  if (!parents) return [posix.join('/', raw).replace(/(?<=.)\/$/, ''), undefined];
  const at = raw.indexOf('/./');
  const pattern = posix
    .join('/', at < 0 ? raw : raw.slice(at + 3))
    .replace(/(?<=.)\/$/, '')
    .slice(1);
  return [posix.join('/', at < 0 ? '' : raw.slice(0, at)), pattern];
}

/** Matches in the order of a walk; what is below a directory that matches is not looked at. */
function matchesOf(source: ContainerPath, from: FileTree): readonly ContainerPath[] | undefined {
  const found = wildcard(source.slice(1));
  if (!found) return undefined;
  const directory = from.resolved(`/${found.directory}`);
  const compiled = wildcard(found.directory === '' ? source.slice(1) : source.slice(found.directory.length + 2));
  if (directory === undefined || !compiled) return [];
  const matches: ContainerPath[] = [];
  const walk = (node: Node | undefined, at: string): void => {
    if (node?.kind !== 'dir') return;
    for (const name of [...node.entries.keys()].sort()) {
      const path = at === '' ? name : `${at}/${name}`;
      if (compiled.matches(path)) matches.push(posix.join(directory, path));
      else walk(node.entries.get(name), path);
    }
  };
  walk(from.at(directory), '');
  return matches;
}

function copyOne(source: ContainerPath, pattern: string | undefined, options: CopyOptions): CopyMistake | undefined {
  const { step, into, from } = options;
  const { destination } = step;
  const isDirectory = destination.endsWith('/') || destination.endsWith('/.');
  const made = isDirectory ? destination : posix.dirname(destination);
  const notMade = makeWay(made, options);
  if (notMade !== undefined) return notMade;
  const followed = from.resolved(source);
  const node = followed === undefined ? undefined : from.at(followed);
  if (!node) return `${source.slice(1)} is not there`;
  const cleaned = destination.replace(/(?<=.)\/\.?$/, '');
  const resolved = into.resolved(cleaned);
  if (resolved === undefined) return `the links of ${cleaned} lead in a circle`;
  const there = into.following(resolved);
  const target = node.kind !== 'dir' && there?.kind === 'dir' ? posix.join(resolved, posix.basename(source)) : resolved;
  const needed = node.kind === 'dir' && !there ? target : posix.dirname(target);
  const notReached = makeWay(needed, options);
  if (notReached !== undefined) return notReached;
  const copying = new Copying(options, pattern === undefined ? undefined : pathMatcher([pattern]));
  copying.copy({ node, rest: '', target, overwrites: false });
  return copying.mistake;
}

/** Newer engines give directories that are made on the way the mode of `--chmod`, older ones 755. */
function makeWay(path: ContainerPath, { step: { mode = 0o755 }, into, owner = root }: CopyOptions): CopyMistake | undefined {
  const resolved = into.resolved(path);
  const isThere = resolved !== undefined && into.at(resolved) !== undefined;
  if (!isThere && (mode & 0o777) !== 0o755) return { engineNeeded: `--chmod of ${path}, which is made on the way` };
  return into.makeDirectories(path, owner) ? undefined : `${path} is not a directory`;
}

interface Item {
  readonly node: Node;
  /** Path below what is copied. */
  readonly rest: string;
  readonly target: ContainerPath;
  /** Whether a directory that is there gets the attributes of the one that is copied. */
  readonly overwrites: boolean;
}

/** One source on its way. */
class Copying {
  mistake: string | undefined;
  private readonly excluded: PathMatcher | undefined;
  /** Directories above, which are made when something in them is taken. */
  private readonly above: { readonly item: Item & { readonly node: DirNode }; isMade: boolean }[] = [];

  constructor(
    private readonly options: CopyOptions,
    private readonly included: PathMatcher | undefined,
  ) {
    const { exclude } = options.step;
    this.excluded = exclude.length === 0 ? undefined : pathMatcher(exclude);
  }

  copy(item: Item): void {
    const { node, rest, target } = item;
    const isTaken = rest === '' || ((this.included?.matches(rest) ?? true) && !(this.excluded?.matches(rest) ?? false));
    if (isTaken) this.makeAbove();
    if (node.kind === 'dir') return this.directory({ ...item, node }, isTaken);
    if (!isTaken) return;
    const { into } = this.options;
    if (into.at(target)?.kind === 'dir') this.fail(`cannot replace the directory ${target} with a file`);
    else into.put(target, this.owned(node.kind === 'link' ? node : this.withMode(node)));
  }

  private directory(item: Item & { readonly node: DirNode }, isTaken: boolean): void {
    if (isTaken) this.makeDirectory(item, item.overwrites);
    this.above.push({ item, isMade: isTaken });
    for (const name of [...item.node.entries.keys()].sort()) {
      const node = item.node.entries.get(name);
      if (!node || this.mistake !== undefined) continue;
      this.copy({ node, rest: item.rest === '' ? name : `${item.rest}/${name}`, target: posix.join(item.target, name), overwrites: true });
    }
    this.above.pop();
  }

  private makeAbove(): void {
    for (const each of this.above) {
      if (each.isMade) continue;
      this.makeDirectory(each.item, false);
      each.isMade = true;
    }
  }

  private makeDirectory({ node, target }: Item & { readonly node: DirNode }, overwrites: boolean): void {
    const { into } = this.options;
    const there = into.at(target);
    if (there && there.kind !== 'dir') this.fail(`cannot copy to ${target}, which is not a directory`);
    else if (!there) into.put(target, this.owned(this.withMode({ ...node, entries: new Map<string, Node>() })));
    else if (overwrites) into.put(target, this.owned(this.withMode({ ...node, entries: there.entries })));
  }

  private withMode<T extends Exclude<Node, LinkNode>>(node: T): T {
    const { mode } = this.options.step;
    return mode === undefined ? node : { ...node, mode };
  }

  private owned<T extends Node>(node: T): T {
    return this.options.owner ? { ...node, ...this.options.owner } : node;
  }

  private fail(mistake: string): void {
    this.mistake ??= mistake;
  }
}
