import type { ContextEntry } from '../docker/context';
import type { Entry } from '../../model';
import { emptyRoot, FileTree, fixedTime, type DirNode, type Node } from './fileTree';

const owner = { uid: 0, gid: 0 };

/** The context as instructions see it: everything is root's, and as old as its content makes it. */
export function contextTree(entries: readonly ContextEntry[]): DirNode {
  const tree = new FileTree(emptyRoot);
  for (const { name, entry, source } of entries) tree.put(`/${name}`, nodeOf(entry, source));
  return tree.snapshot();
}

function nodeOf(entry: Entry, path: string): Node {
  switch (entry.kind) {
    case 'file': {
      const { mode, size, digest } = entry;
      return { kind: 'file', mode, ...owner, mtime: timeOf(digest), size, content: { kind: 'workspace', path, digest } };
    }
    case 'link':
      return { kind: 'link', mode: 0o777, ...owner, mtime: fixedTime, target: entry.target };
    case 'dir':
      return { kind: 'dir', mode: 0o755, ...owner, mtime: fixedTime, entries: new Map() };
  }
}

/** About twelve years from 2000 on. Another content has another time, so what compares times and sizes (an ETag) sees that it changed. */
function timeOf(digest: string): number {
  return fixedTime + (Number.parseInt(digest.slice(0, 8), 16) % 400_000_000);
}
