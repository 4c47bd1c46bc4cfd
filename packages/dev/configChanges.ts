import type { Workspace, WorkspacePath } from '../model';
import { classify } from '../plan';
import type { Session } from './session';

type Read = Pick<Session, 'read' | 'options'>;

/**
 * Whether a file says what the workspace is: config, Dockerfiles, ignore files, manifests, and what the project graph is read from. A
 * folder does that is gone with such files in it.
 */
export function isConfigOf(session: Read, path: WorkspacePath): boolean {
  if (isGraphOf(session, path)) return true;
  return session.read.configFiles.some((file) => file === path || path.startsWith(`${file}/`) || file.startsWith(`${path}/`));
}

/** Whether the project graph is read from a file, or from files in a folder. */
export function isGraphOf({ read, options }: Read, path: WorkspacePath): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (options.graph.watch.some((watched) => watched === path || watched === name)) return true;
  return [...read.workspace.projects.values()].some(({ root }) => root === path || root.startsWith(`${path}/`));
}

/** Whether imports that were saved may have made another graph. Only targets take their files from it, so only of what they read it is asked. */
export async function importsMatter(
  { options }: Pick<Session, 'options'>,
  workspace: Workspace,
  paths: readonly WorkspacePath[],
): Promise<boolean> {
  const { importsChanged } = options.graph;
  if (!importsChanged) return false;
  const read = paths.filter((path) => classify(workspace, path).some(({ action }) => action === 'target-then-sync'));
  return read.length > 0 && (await importsChanged(read));
}
