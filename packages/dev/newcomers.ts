import type { Selector } from '../plan';
import { gitIgnore, neverFollowed } from '../source';

/** What would make a project of a folder, for every kind of graph. */
export const projectFiles: readonly string[] = ['package.json', 'project.json'];

export interface NewcomersRequest {
  /** Roots of the projects that are known. */
  readonly roots: ReadonlySet<string>;
  /** The text of the root's .gitignore; what git leaves out holds no projects. */
  readonly ignored: string | undefined;
}

/**
 * What is followed so that a project in a new folder is noticed, at the root of the workspace or one level below: these folders by their
 * names, and in them the files that make projects of them. Nothing deeper is looked at, nor a folder of a tool, of dependencies, or of what is made.
 */
export function newcomers({ roots, ignored }: NewcomersRequest): Selector {
  const isIgnored = gitIgnore((ignored ?? '').split('\n'));
  const mayHold = (path: string): boolean => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return !name.startsWith('.') && !neverFollowed.has(name) && !roots.has(path) && !isIgnored(path, 'dir');
  };
  return {
    path: '',
    accepts: (path, kind) => {
      const [top = '', inTop, inFolder, ...deeper] = path.split('/', 4);
      if (deeper.length > 0) return false;
      const file = inFolder ?? inTop;
      if (kind === 'file' ? file === undefined || !projectFiles.includes(file) : inFolder !== undefined) return false;
      const second = kind === 'dir' || inFolder !== undefined ? inTop : undefined;
      return mayHold(top) && (second === undefined || mayHold(`${top}/${second}`));
    },
  };
}
