import { below as pathBelow, sentDockerfile } from '../../dockerfile';
import { entryAt, type Artifact, type Entry, type Snapshot, type WorkspacePath } from '../../model';

/** One thing of the tar that is sent as the build context. */
export interface ContextEntry {
  /** Path in the tar. */
  readonly name: string;
  readonly entry: Entry;
  /** Where the content is read from. */
  readonly source: WorkspacePath;
}

export interface Context {
  /** Parents before what is in them, by name. */
  readonly entries: readonly ContextEntry[];
  /** Path of the Dockerfile in the tar. */
  readonly dockerfile: string;
}

/** What the engine is sent: the snapshot's sources that lie in the context, and the Dockerfile wherever it lies. */
export function contextOf({ recipe, inputs }: Pick<Artifact, 'recipe' | 'inputs'>, { sources }: Pick<Snapshot, 'sources'>): Context {
  const { context, dockerfile } = recipe;
  const entries: ContextEntry[] = [];
  const name = sentDockerfile(recipe);
  const file = entryAt(sources, dockerfile);
  if (file && pathBelow(context, dockerfile) === undefined) entries.push({ name, entry: file, source: dockerfile });
  const isWanted = (path: WorkspacePath): boolean => !path.endsWith('.dockerignore') || isCopied(path, inputs);
  collect(entryAt(sources, context), context, '', isWanted, entries);
  return { entries, dockerfile: name };
}

function collect(
  entry: Entry | undefined,
  source: WorkspacePath,
  name: string,
  isWanted: (path: WorkspacePath) => boolean,
  into: ContextEntry[],
): void {
  if (!entry || !isWanted(source)) return;
  if (name !== '') into.push({ name, entry, source });
  if (entry.kind !== 'dir') return;
  for (const child of [...entry.entries.keys()].sort()) {
    collect(entry.entries.get(child), below(source, child), below(name, child), isWanted, into);
  }
}

/** Whether an instruction takes a path, and it is not only there to be read by the build itself. */
function isCopied(path: WorkspacePath, inputs: Artifact['inputs']): boolean {
  return inputs.some((input) => {
    const covers = input.path === '' || path.startsWith(`${input.path}/`) || (path === input.path && input.containerPath !== undefined);
    return covers && input.accepts?.(path, 'file') !== false;
  });
}

function below(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}
