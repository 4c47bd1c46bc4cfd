import type { WorkspacePath } from '../model';

/** What of the workspace is followed. */
export interface Scope {
  /** Files and directories to follow, directories with all that is below them. They need not exist yet. */
  readonly paths: readonly WorkspacePath[];
  /** Whether a path below one of `paths` is wanted; a directory that is not is not looked into. Pure. Absent: everything is. */
  readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean;
}

/** How a path stands to a scope: in it; a directory on the way to a named path, of which only that way is followed; or neither. */
export type Place = 'inside' | 'way' | 'outside';

/** Decides places from the top down, so that nothing has to be asked twice along a path. */
export interface Reach {
  readonly root: Place;
  /** The place of an entry of a directory that is itself `inside` or on the `way`. */
  placeOf(parent: Place, path: WorkspacePath, name: string, kind: 'file' | 'dir'): Place;
}

/** Followed only where a scope names something in them: huge, or written by the tools themselves (which would wake the loop for ever). */
export const neverFollowed: ReadonlySet<string> = new Set(['.git', 'node_modules', '.nx', '.slipway']);

export function reachOf(scope: Scope): Reach {
  const named = new Set(scope.paths);
  const way = new Set<string>(['']);
  for (const path of scope.paths) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) way.add(path.slice(0, at));
  }
  const accepts = scope.accepts ?? (() => true);
  return {
    root: named.has('') ? 'inside' : 'way',
    placeOf(parent, path, name, kind) {
      if (named.has(path)) return 'inside';
      if (parent === 'inside' && !neverFollowed.has(name) && accepts(path, kind)) return 'inside';
      return kind === 'dir' && way.has(path) ? 'way' : 'outside';
    },
  };
}
