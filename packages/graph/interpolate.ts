import { wildcard } from '../dockerfile';
import type { Project, WorkspacePath } from '../model';
import { joinPath } from './workspaceFiles';

/** Replaces Nx's tokens in a path of a target. Undefined when a token stays that only the runner knows (`{options.outputPath}`). */
export function interpolatePath(path: string, project: Project): WorkspacePath | undefined {
  const replaced = path
    .replaceAll('{projectRoot}', project.root === '' ? '.' : project.root)
    .replaceAll('{workspaceRoot}', '.')
    .replaceAll('{projectName}', project.name);
  return /[{}]/.test(replaced) && /\{\w+(\.\w+)*\}/.test(replaced) ? undefined : joinPath('', replaced);
}

/** The directory or file that an output is at or in, without the part that has wildcards. Undefined when that is the project itself: then it says nothing. */
export function outputPath(output: string, project: Project): WorkspacePath | undefined {
  const path = interpolatePath(output.replace(/^!/, ''), project);
  if (path === undefined || output.startsWith('!')) return undefined;
  const parts = path.split('/');
  const wild = parts.findIndex((part) => /[*?[{]/.test(part));
  const fixed = wild < 0 ? path : (wildcard(path)?.directory ?? parts.slice(0, wild).join('/'));
  const holdsProject = fixed === '' || project.root === fixed || project.root.startsWith(`${fixed}/`);
  return holdsProject ? undefined : fixed;
}
