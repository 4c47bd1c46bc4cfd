import type { PathKind } from '../dockerfile';
import { folderOf, type WorkspacePath } from '../model';

/** The files of the workspace as they are at one moment. Equal questions get equal answers while a workspace is assembled. */
export interface WorkspaceFiles {
  /** Undefined when there is no such file. */
  textOf(path: WorkspacePath): string | undefined;
  kindOf(path: WorkspacePath): PathKind | undefined;
  /** Sorted; none when it is not a directory. */
  namesIn(directory: WorkspacePath): readonly string[];
}

export interface RecordedFiles extends WorkspaceFiles {
  /** Lists a directory whose names matter: a new manifest, for one. */
  manifestsIn(directory: WorkspacePath): readonly string[];
  /** Paths whose change, appearance or removal would have given other answers, as far as they are configuration; files that images take are not. */
  readonly asked: ReadonlySet<WorkspacePath>;
}

export function recorded(files: WorkspaceFiles): RecordedFiles {
  const asked = new Set<WorkspacePath>();
  return {
    asked,
    textOf(path) {
      asked.add(path);
      return files.textOf(path);
    },
    kindOf(path) {
      const kind = files.kindOf(path);
      // Where a file lands depends on its being there.
      if (kind === undefined) asked.add(path);
      return kind;
    },
    namesIn: (directory) => files.namesIn(directory),
    manifestsIn(directory) {
      asked.add(directory);
      return files.namesIn(directory);
    },
  };
}

/** The files with some more, which are gone or not written yet; undefined for the text of one that nobody reads here. */
export function withFiles(files: WorkspaceFiles, more: ReadonlyMap<WorkspacePath, string | undefined>): WorkspaceFiles {
  const names = new Map<WorkspacePath, Set<string>>();
  for (const path of more.keys()) {
    for (let at = path; at !== '';) {
      const directory = folderOf(at);
      const known = names.get(directory) ?? new Set();
      names.set(directory, known.add(at.slice(directory === '' ? 0 : directory.length + 1)));
      at = directory;
    }
  }
  return {
    textOf: (path) => files.textOf(path) ?? more.get(path),
    kindOf: (path) => files.kindOf(path) ?? (more.has(path) ? 'file' : names.has(path) ? 'dir' : undefined),
    namesIn: (directory) => [...new Set([...files.namesIn(directory), ...(names.get(directory) ?? [])])].sort(),
  };
}

/** Whether a path that is relative to a directory of the workspace leads out of it. */
export function leadsOut(directory: WorkspacePath, path: string): boolean {
  let depth = path.startsWith('/') || directory === '' ? 0 : directory.split('/').length;
  for (const name of path.replaceAll('\\', '/').split('/')) {
    if (name === '..') depth -= 1;
    else if (name !== '' && name !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** A path relative to a directory of the workspace; `..` may lead up to its root, not out of it. */
export function joinPath(directory: WorkspacePath, path: string): WorkspacePath {
  const names: string[] = path.startsWith('/') || directory === '' ? [] : directory.split('/');
  for (const name of path.replaceAll('\\', '/').split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names.join('/');
}
