import { emptyDir, entryAt, type ContainerPath, type DirEntry, type Entry } from '../model';
import { sameContent, type LedgerEntry } from '../sync';

export interface Found {
  readonly wanted: DirEntry;
  /** What was brought before, from what is followed now. */
  readonly brought: ReadonlyMap<ContainerPath, Entry | undefined | null>;
  /** What was found at the paths that could be looked at: at a directory that it is one, a link not followed. */
  readonly found: ReadonlyMap<ContainerPath, Entry | undefined>;
}

/** The paths to look at for what is at some of them: they, and the directories on the way below a root. */
export function withDirectories(paths: Iterable<ContainerPath>, roots: readonly ContainerPath[]): readonly ContainerPath[] {
  const all = new Set<ContainerPath>();
  for (const path of paths) {
    all.add(path);
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const directory = path.slice(0, end);
      if (all.has(directory) || !roots.some((root) => directory.startsWith(root === '/' ? root : `${root}/`))) break;
      all.add(directory);
    }
  }
  return [...all].sort();
}

/**
 * What a container of somebody else's image holds at paths, as a ledger would tell it. What was found below something else than a directory
 * was found through a link: it is in another place, and is neither credited nor removed there.
 */
export function adopted(paths: readonly ContainerPath[], { wanted, brought, found }: Found): readonly LedgerEntry[] {
  const noDirectories = new Set<ContainerPath>();
  // Parents first: a directory must not stand for what is in it.
  return [...paths].sort().flatMap((path): readonly LedgerEntry[] => {
    const parent = path.slice(0, path.lastIndexOf('/'));
    if (noDirectories.has(parent)) {
      noDirectories.add(path);
      return [];
    }
    const [should, is] = [entryAt(wanted, path), found.get(path)];
    // A link that the image or somebody else put there may stand for a directory: the agent sees where it leads.
    if (is?.kind === 'dir' || (is?.kind === 'link' && should?.kind === 'dir' && !brought.has(path))) return [[path, emptyDir]];
    noDirectories.add(path);
    if (!found.has(path)) return [[path, null]];
    // Where somebody else's file was written, its mode may have had to stay.
    const wasBrought = sameContent(should, is) && brought.get(path)?.hash === should?.hash;
    return [[path, wasBrought ? should : is]];
  });
}
