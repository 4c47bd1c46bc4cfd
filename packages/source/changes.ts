import type { DirEntry, Entry, WorkspacePath } from '../model';

/** A path as it is now; undefined: gone. */
export type SeenPath = readonly [WorkspacePath, Entry | undefined];

/** What has to be told so that `from` becomes `to`. A directory that is new is told whole, as one path. */
export function changesBetween(from: DirEntry, to: DirEntry): SeenPath[] {
  const changes: SeenPath[] = [];
  collect(from, to, '', changes);
  return changes;
}

function collect(from: DirEntry, to: DirEntry, at: string, changes: SeenPath[]): void {
  if (from.hash === to.hash) return;
  for (const name of from.entries.keys()) {
    if (!to.entries.has(name)) changes.push([at + name, undefined]);
  }
  for (const [name, entry] of to.entries) {
    const before = from.entries.get(name);
    if (before?.hash === entry.hash) continue;
    if (before?.kind === 'dir' && entry.kind === 'dir') collect(before, entry, `${at}${name}/`, changes);
    else changes.push([at + name, entry]);
  }
}
