import { pullFrom } from '../graph';
import { emptyDir, type Artifact, type Goal, type Snapshot, type Workspace } from '../model';
import { snapshotOf } from '../plan';
import { gitIgnore } from '../source';
import type { FolderSync } from './syncSettings';

/** A workspace of one folder that is copied whole into containers that somebody else made. */
export interface FolderWorkspace {
  /** Its root is the folder. */
  readonly workspace: Workspace;
  readonly artifact: Artifact;
  readonly goal: Goal;
  /** Of the image of those containers nothing is known here, and nothing of it needs another one. */
  readonly unknownImage: Snapshot;
}

export interface FolderWorkspaceRequest {
  readonly folder: FolderSync;
  readonly namespace: string;
  readonly deletes: boolean;
}

export function folderWorkspace({ folder, namespace, deletes }: FolderWorkspaceRequest): FolderWorkspace {
  const { localPath, remotePath, selector, exclude, mirror, write, pull } = folder;
  const isLeftOut = gitIgnore(exclude);
  const artifact: Artifact = {
    name: selector,
    project: selector,
    image: selector,
    recipe: { builder: 'none', context: '', dockerfile: '', args: {} },
    inputs: [
      {
        path: '',
        containerPath: remotePath,
        onChange: 'sync',
        because: `copied to ${remotePath}`,
        accepts: (path, kind) => !isLeftOut(path, kind),
        ...(write === 'atomic' && { write }),
        ...(mirror && { mirror }),
      },
    ],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'hot', because: 'what its process makes of it is its own affair' },
    ...(pull.length > 0 && { pulls: pull.map((src) => pullFrom({ src, workdir: remotePath, dest: undefined, within: '' })) }),
    ...(!deletes && { keepsRemoved: true }),
  };
  const release = { name: selector, project: selector, namespace, sources: [], inputs: [], artifacts: [selector] } as const;
  const workspace: Workspace = {
    root: localPath,
    projects: new Map(),
    artifacts: new Map([[selector, artifact]]),
    releases: new Map([[selector, release]]),
    targets: new Map(),
    forwards: [],
    problems: [],
  };
  return {
    workspace,
    artifact,
    goal: { kind: 'attached', artifacts: new Set([selector]), releases: new Set([selector]) },
    unknownImage: { ...snapshotOf(artifact, emptyDir, {}), sources: emptyDir, tree: emptyDir },
  };
}
