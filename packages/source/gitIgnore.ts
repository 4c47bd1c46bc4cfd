import picomatch from 'picomatch';
import type { WorkspacePath } from '../model';

interface Rule {
  readonly negated: boolean;
  readonly directoriesOnly: boolean;
  readonly matches: (path: string) => boolean;
}

/**
 * Patterns as a .gitignore has them → whether a path is left out. A slash at the beginning or in the middle ties a pattern to the
 * folder, one at the end takes directories only, `!` takes back what an earlier one left out, and nothing comes back out of a
 * directory that is left out. Source: https://git-scm.com/docs/gitignore#_pattern_format.
 */
export function gitIgnore(patterns: readonly string[]): (path: WorkspacePath, kind: 'file' | 'dir') => boolean {
  const rules = patterns.flatMap(ruleOf);
  const isLeftOut = (path: string, kind: 'file' | 'dir'): boolean => {
    let out = false;
    for (const { negated, directoriesOnly, matches } of rules) {
      if (directoriesOnly && kind === 'file') continue;
      if (out === negated && matches(path)) out = !negated;
    }
    return out;
  };
  return (path, kind) => {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      if (isLeftOut(path.slice(0, slash), 'dir')) return true;
    }
    return isLeftOut(path, kind);
  };
}

function ruleOf(line: string): readonly Rule[] {
  // A space at the end counts only behind a backslash.
  const text = line.replace(/\r$/, '').replace(/(?<!\\) +$/, '');
  if (text === '' || text.startsWith('#')) return [];
  const negated = text.startsWith('!');
  const pattern = negated ? text.slice(1) : text;
  const directoriesOnly = pattern.endsWith('/');
  const bare = directoriesOnly ? pattern.slice(0, -1) : pattern;
  const tied = bare.includes('/');
  const glob = tied ? bare.replace(/^\//, '') : `**/${bare}`;
  if (bare === '') return [];
  // Braces and parentheses mean nothing to git, and a line break is a character like others.
  const plain = glob.replace(/(?<!\\)[(){}|]/g, '\\$&');
  return [
    { negated, directoriesOnly, matches: picomatch(plain, { dot: true, nobrace: true, noextglob: true, nonegate: true, flags: 's' }) },
  ];
}
