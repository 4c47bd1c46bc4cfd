import { isAbsolute, posix, relative, sep } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { Location, WorkspacePath } from '../model';

/** `file.ts:3:5`, `file.ts(3,5)`, `file.go:3`, as compilers write where something is wrong. */
const places = /((?:[\w@.~-]*[\\/])*[\w@.~[\]-]+\.\w+)(?::(\d+)(?::(\d+))?|\((\d+),(\d+)\))/g;

/** A place that a tool names in a line: the text that names the file, and where in it. */
export interface NamedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number | undefined;
}

export function placesIn(line: string): readonly NamedPlace[] {
  return [...stripVTControlCharacters(line).matchAll(places)].map(([, file = '', line1, column1, line2, column2]) => {
    const column = column1 ?? column2;
    return { file, line: Number(line1 ?? line2), column: column === undefined ? undefined : Number(column) };
  });
}

export interface Workplace {
  /** Absolute path of the workspace. */
  readonly root: string;
  /** Folders of the workspace that a tool may have been started in, the likeliest first. */
  readonly folders: readonly WorkspacePath[];
  readonly isFile: (path: WorkspacePath) => boolean;
}

/** The first place in a tool's lines that is in a file of the workspace. */
export function placeIn(lines: readonly string[], { root, folders, isFile }: Workplace): Location | undefined {
  for (const { file, line, column } of lines.flatMap(placesIn)) {
    const candidates = isAbsolute(file)
      ? [relative(root, file).split(sep).join('/')]
      : folders.map((folder) => posix.join(folder, file.replaceAll('\\', '/')));
    const found = candidates.find((path) => !path.startsWith('..') && isFile(path));
    if (found !== undefined) return { file: found, line, ...(column !== undefined && { column }) };
  }
  return undefined;
}
