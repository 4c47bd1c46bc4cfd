import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { assemble, type GraphSource, type WorkspaceFacts, type WorkspaceFiles, type WorkspaceSettings } from '../graph';
import { succeeded, type Result, type Workspace, type WorkspacePath } from '../model';

export interface ReadWorkspaceOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly graph: GraphSource;
  readonly mode: 'dev' | 'deploy';
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line. */
  readonly defaultRepo?: string;
}

export interface ReadWorkspace {
  readonly workspace: Workspace;
  readonly settings: WorkspaceSettings;
  /**
   * Paths whose change, appearance or removal means reading again; most of them need not exist. A directory stands for the names in it.
   * Files whose change means another graph (`graph.watch`) are among them, a bare file name for one anywhere.
   */
  readonly configFiles: readonly WorkspacePath[];
  /** What it was put together from, but for the files. */
  readonly facts: Omit<WorkspaceFacts, 'files'>;
}

/** Reads the graph, config, Dockerfiles and manifests. Fails only when the graph cannot be read: what is wrong with one project is in `workspace.problems`. */
export async function readWorkspace(options: ReadWorkspaceOptions): Promise<Result<ReadWorkspace>> {
  const { root, graph, mode, env, defaultRepo } = options;
  const read = await graph.read();
  if (!read.ok) return read;
  const facts = { root, graph: read.value, mode, env, ...(defaultRepo !== undefined && { defaultRepo }) };
  const assembled = assemble({ ...facts, files: filesBelow(root) });
  return succeeded({ ...assembled, facts, configFiles: [...new Set([...graph.watch, ...assembled.configFiles])] });
}

/** The disk, each question asked once. Synchronous, because a few hundred small files are read in less time than as many promises take. */
export function filesBelow(root: string): WorkspaceFiles {
  const texts = new Map<WorkspacePath, string | undefined>();
  const kinds = new Map<WorkspacePath, ReturnType<WorkspaceFiles['kindOf']>>();
  const names = new Map<WorkspacePath, readonly string[]>();
  const realRoot = attempt(() => realpathSync.native(root)) ?? root;
  return {
    textOf: (path) => remembered(texts, path, () => attempt(() => readFileSync(join(root, path), 'utf8'))),
    kindOf: (path) => remembered(kinds, path, () => kindOf(realRoot, path)),
    namesIn: (directory) => remembered(names, directory, () => attempt(() => readdirSync(join(root, directory)).sort()) ?? []),
  };
}

function kindOf(realRoot: string, path: WorkspacePath): ReturnType<WorkspaceFiles['kindOf']> {
  const absolute = path === '' ? realRoot : join(realRoot, path.split('/').join(sep));
  const stats = attempt(() => lstatSync(absolute, { throwIfNoEntry: false }));
  if (!stats) return undefined;
  // A link anywhere on the way leads to files under another name.
  if (attempt(() => realpathSync.native(absolute)) !== absolute) return 'link';
  return stats.isDirectory() ? 'dir' : 'file';
}

/** A file that cannot be read is as if it were not there: whoever needs it says so. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function remembered<T>(answers: Map<string, T>, key: string, ask: () => T): T {
  const known = answers.get(key);
  if (known !== undefined || answers.has(key)) return known as T;
  const answer = ask();
  answers.set(key, answer);
  return answer;
}
