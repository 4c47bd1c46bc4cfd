import { posix } from 'node:path';
import type { WorkspaceFiles } from '../../graph';
import { projectOf, type Project, type WorkspacePath } from '../../model';
import type { Field } from './field';

/** Where an import stands: the workspace, and the folder of the file that is read. */
export interface Place {
  readonly files: WorkspaceFiles;
  readonly projects: readonly Project[];
  /** The folder of the file: its paths begin there. */
  readonly folder: WorkspacePath;
  /** Says what was not taken over, or is otherwise here. */
  readonly note: (field: Field, sentence: string) => void;
}

/** The project whose folder has a path. */
export function ownerOf({ projects }: Place, path: WorkspacePath): Project | undefined {
  return projectOf(projects, path);
}

/** A path of the workspace, or a glob, as a project writes it in its config; `.` for its folder. */
export function fromProject({ root }: Project, path: WorkspacePath): string {
  return posix.relative(`/${root}`, `/${path}`) || '.';
}
