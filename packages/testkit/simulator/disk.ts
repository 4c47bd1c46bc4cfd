import { contentDigest, fileEntry, withEntries, type DirEntry, type Entry, type WorkspacePath, emptyDir } from '../../model';

/** Files as text. A file whose text starts with `bad` makes what reads it fail, until it is mended. */
export type Files = Map<WorkspacePath, string>;

export function entryOf(content: string): Entry {
  return fileEntry({ digest: contentDigest(content), size: content.length, mode: 0o644 });
}

export function treeOf(files: ReadonlyMap<string, string>): DirEntry {
  return withEntries(
    emptyDir,
    [...files].map(([path, content]) => [path, entryOf(content)] as const),
  );
}

export function filesBelow(files: ReadonlyMap<string, string>, folder: string): ReadonlyMap<string, string> {
  const below = new Map<string, string>();
  for (const [path, content] of files) if (path.startsWith(`${folder}/`)) below.set(path, content);
  return below;
}
