import type { GraphSource } from '../graph';
import { succeeded } from '../model';

/** A folder that is in no workspace, for what needs none: it has no projects. */
export function noWorkspace(folder: string): GraphSource {
  return {
    kind: 'workspaces',
    root: folder,
    watch: [],
    read: () => Promise.resolve(succeeded({ projects: [] })),
    runTarget: () => ({ command: 'npm', args: [] }),
  };
}
