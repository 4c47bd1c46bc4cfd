import type { WorkspacePath } from '../model';
import type { Session } from './session';

type Read = Pick<Session, 'read' | 'options'>;

/** Whether a file says what the workspace is: config, Dockerfiles, ignore files, manifests, and what the project graph is read from. */
export function isConfigOf(session: Read, path: WorkspacePath): boolean {
  if (session.read.configFiles.includes(path)) return true;
  if (isGraphOf(session, path)) return true;
  return session.read.configFiles.some((folder) => path.startsWith(`${folder}/`));
}

/** Whether the project graph is read from a file. */
export function isGraphOf(session: Read, path: WorkspacePath): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return session.options.graph.watch.some((watched) => watched === path || watched === name);
}
