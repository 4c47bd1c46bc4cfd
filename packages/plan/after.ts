import {
  diffTrees,
  entryAt,
  leavesOf,
  withEntries,
  type AfterCommand,
  type Artifact,
  type ContainerPath,
  type ContainerState,
  type DirEntry,
  type Entry,
  type FileEntry,
} from '../model';
import { takenFrom } from './snapshot';

/** Stands for content that nobody knows: a write that was never acknowledged. Equal to nothing that is on a disk. */
export const unknownContent: FileEntry = { kind: 'file', digest: '', size: 0, mode: 0, hash: 'f?' };

/** What is to be run in a container, and the files that ask for it. */
export interface Pending {
  readonly commands: readonly AfterCommand[];
  readonly paths: readonly ContainerPath[];
}

const nothing: Pending = { commands: [], paths: [] };

/** The commands that make a container's process take up what the container holds. Nothing when it has done so. */
export function pendingCommands(artifact: Artifact, { files, taken }: Pick<ContainerState, 'files' | 'taken'>): Pending {
  if (artifact.after.length === 0 || !files || !taken || files.hash === taken.hash) return nothing;
  const paths = new Set<ContainerPath>();
  const commands = new Set<AfterCommand>();
  for (const path of changedFiles(taken, files)) {
    const asking = commandsFor(artifact, path);
    for (const command of asking) commands.add(command);
    if (asking.length > 0) paths.add(path);
  }
  return commands.size === 0 ? nothing : { commands: artifact.after.filter((command) => commands.has(command)), paths: [...paths] };
}

function commandsFor(artifact: Artifact, path: ContainerPath): readonly AfterCommand[] {
  return artifact.after.filter((command) => isAskedFor(artifact, command, [path]));
}

/** Whether a change of some path of a container asks for a command: one that says nothing of paths is asked for by each. */
export function isAskedFor(artifact: Artifact, { accepts }: Pick<AfterCommand, 'accepts'>, paths: readonly ContainerPath[]): boolean {
  if (!accepts) return true;
  return paths.some((path) =>
    artifact.inputs.some((input) => {
      const source = input.onChange === 'sync' ? takenFrom(input, path) : undefined;
      return source !== undefined && accepts(source, 'file');
    }),
  );
}

/** Files and links that differ, those of directories that are gone one by one. */
function changedFiles(from: DirEntry, to: DirEntry): readonly ContainerPath[] {
  return diffTrees(from, to).flatMap(({ path, before, after }) => [
    ...(before?.kind === 'dir' && after?.kind !== 'dir' ? leafPaths(before, `/${path}`) : []),
    ...(after?.kind === 'dir' || (after === undefined && before?.kind === 'dir') ? [] : [`/${path}`]),
  ]);
}

function leafPaths(entry: Entry, at: ContainerPath): readonly ContainerPath[] {
  return [...leavesOf(entry, at)].flatMap(([path, leaf]) => (leaf.kind === 'dir' ? [] : [path]));
}

/** A tree in which nobody knows any more what is at some paths; of what is a directory in `holding`, at all in it. */
export function withUnknown(tree: DirEntry, paths: Iterable<ContainerPath>, holding?: DirEntry): DirEntry {
  const unknown = [...paths].flatMap((path) => {
    const entry = holding && entryAt(holding, path);
    return entry?.kind === 'dir' ? leafPaths(entry, path) : [path];
  });
  return withEntries(
    tree,
    unknown.map((path) => [path, unknownContent] as const),
  );
}
