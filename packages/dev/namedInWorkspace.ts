import { isAbsolute, join } from 'node:path/posix';
import type { ContainerPath, DirEntry, Location, WorkspacePath } from '../model';
import { entryAt, leavesOf } from '../model';
import { placesIn } from './placeIn';

/** What a tool in a container printed, with the workspace's own paths where it names files that come from there. */
export interface Translated {
  readonly text: string;
  /** The first place that it names. */
  readonly location: Location | undefined;
}

export interface KnownFiles {
  readonly files: DirEntry;
  readonly sourceOf: (path: ContainerPath) => WorkspacePath | undefined;
  /** The folder that a tool was started in, as far as anybody knows. */
  readonly workdir?: ContainerPath | undefined;
}

/**
 * Puts the workspace's paths into what a compiler in a container says. A relative path is relative to a folder that nobody knows, so,
 * unless it is there below the folder that is the likeliest, it counts only when a single one of the container's files ends with it.
 */
export function namedInWorkspace(output: string, { files, sourceOf, workdir }: KnownFiles): Translated {
  let location: Location | undefined;
  let all: readonly ContainerPath[] | undefined;
  const inContainer = (file: string): ContainerPath | undefined => {
    if (isAbsolute(file)) return file;
    const below = workdir === undefined ? undefined : join(workdir, file);
    if (below !== undefined && entryAt(files, below.slice(1))) return below;
    all ??= [...leavesOf(files)].map(([path]) => `/${path}`);
    const end = `/${file.replace(/^(\.{1,2}\/)+/, '')}`;
    const [one, ...others] = all.filter((path) => path.endsWith(end));
    return others.length === 0 ? one : undefined;
  };
  const lines = output.split('\n').map((line) =>
    placesIn(line).reduce((text, { file, line: number, column }) => {
      const path = inContainer(file);
      const source = path === undefined ? undefined : sourceOf(path);
      if (source === undefined) return text;
      location ??= { file: source, line: number, ...(column !== undefined && { column }) };
      return text.replace(file, () => source);
    }, line),
  );
  return { text: lines.join('\n'), location };
}
