import type { Tree } from '@nx/devkit';
import type { WorkspaceFiles } from '../../graph';

/** A generator's tree as the files of the workspace: what is on the disk, with what the generator has written so far. */
export function treeFiles(tree: Tree): WorkspaceFiles {
  const at = (path: string) => (path === '' ? '.' : path);
  return {
    textOf: (path) => (path !== '' && tree.exists(path) && tree.isFile(path) ? (tree.read(path, 'utf-8') ?? undefined) : undefined),
    kindOf: (path) => {
      if (!tree.exists(at(path))) return undefined;
      return tree.isFile(at(path)) ? 'file' : 'dir';
    },
    namesIn: (directory) => [...tree.children(at(directory))].sort(),
  };
}
