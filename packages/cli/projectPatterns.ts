import picomatch from 'picomatch';
import type { GraphProject } from '../graph';
import { withoutScope } from '../model';

/** Whether a name stands for several: `tag:backend`, a glob of names or folders, or one with `!` before it, which leaves out. */
export function isPattern(name: string): boolean {
  return name.startsWith('tag:') || /[!*?[{]/.test(name);
}

/**
 * The names with patterns replaced by the projects that they stand for, of those that something is built or deployed of; where the first
 * leaves out, it does so from all. A pattern that fits nothing stays as it is.
 */
export function expandPatterns(
  named: readonly string[],
  { projects, deployable }: { readonly projects: readonly GraphProject[]; readonly deployable: ReadonlySet<string> },
): readonly string[] {
  const candidates = projects.filter(({ name }) => deployable.has(name));
  let chosen: readonly string[] = named[0]?.startsWith('!') === true ? candidates.map(({ name }) => name) : [];
  for (const each of named) {
    const leavesOut = each.startsWith('!');
    const pattern = leavesOut ? each.slice(1) : each;
    const meant = candidates.filter(fits(pattern)).map(({ name }) => name);
    if (leavesOut) chosen = chosen.filter((name) => name !== pattern && !meant.includes(name));
    else chosen = [...chosen, ...(isPattern(pattern) && meant.length > 0 ? meant : [pattern])];
  }
  return chosen;
}

/** By its name, its name without the scope, or its folder; by its tags for `tag:`. */
function fits(pattern: string): (project: GraphProject) => boolean {
  if (pattern.startsWith('tag:')) {
    const isMeant = picomatch(pattern.slice('tag:'.length));
    return ({ tags = [] }) => tags.some((tag) => isMeant(tag));
  }
  const isMeant = picomatch(pattern);
  return ({ name, root }) => isMeant(name) || isMeant(withoutScope(name)) || (root !== '' && isMeant(root));
}
