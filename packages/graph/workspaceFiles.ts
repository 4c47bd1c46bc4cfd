import type { PathKind } from '../dockerfile';
import type { WorkspacePath } from '../model';

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

/** A path relative to a directory of the workspace; `..` may lead up to its root, not out of it. */
export function joinPath(directory: WorkspacePath, path: string): WorkspacePath {
  const names: string[] = path.startsWith('/') || directory === '' ? [] : directory.split('/');
  for (const name of path.replaceAll('\\', '/').split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names.join('/');
}
