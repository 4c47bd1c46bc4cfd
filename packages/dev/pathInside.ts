import { isAbsolute, relative, sep } from 'node:path';
import type { WorkspacePath } from '../model';

/** An absolute path as one of the workspace; undefined: it is outside of it. */
export function pathInside(root: string, path: string): WorkspacePath | undefined {
  const inside = relative(root, path).split(sep).join('/');
  return inside === '..' || inside.startsWith('../') || isAbsolute(inside) ? undefined : inside;
}
