import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Whether git is just changing the working tree at this root. It holds `index.lock` while it checks out, merges or rebases, and what is
 * read then is neither the old state nor the new one. Never true where there is no git.
 */
export function gitLockOf(root: string): () => boolean {
  const lock = join(gitDirOf(root), 'index.lock');
  return () => existsSync(lock);
}

/** In a worktree or submodule `.git` is a file that names the directory. */
function gitDirOf(root: string): string {
  const git = join(root, '.git');
  try {
    const [, path] = /^gitdir: (.+)$/m.exec(readFileSync(git, 'utf8')) ?? [];
    return path === undefined ? git : resolve(root, path.trim());
  } catch {
    return git;
  }
}
