import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as otherTurn } from 'node:timers/promises';
import { ownPlatform, processes } from '../clients';
import { filesBelow, keepConfigs, neverFollowed, recallConfigs } from '../source';
import {
  assemble,
  dependenciesQuestions,
  manifestUrls,
  type ChosenProfiles,
  type GraphSource,
  type WorkspaceFacts,
  type WorkspaceSettings,
} from '../graph';
import type { Selector } from '../plan';
import { failed, folderOf, succeeded, type Result, type Workspace, type WorkspacePath } from '../model';
import { fetchManifests } from './fetchManifests';
import { listDependencies } from './listDependencies';
import { newcomers, projectFiles } from './newcomers';

export interface ReadWorkspaceOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly graph: GraphSource;
  readonly mode: 'dev' | 'deploy';
  readonly env: Readonly<Record<string, string | undefined>>;
  /** From the command line. */
  readonly defaultRepo?: string;
  readonly profiles?: ChosenProfiles;
  /** See `WorkspaceFacts`. */
  readonly only?: readonly string[];
}

export interface ReadWorkspace {
  readonly workspace: Workspace;
  readonly settings: WorkspaceSettings;
  /**
   * Paths whose change, appearance or removal means reading again; most of them need not exist. A directory stands for the names in it.
   * Files whose change means another graph (`graph.watch`) are among them, a bare file name for one anywhere.
   */
  readonly configFiles: readonly WorkspacePath[];
  /** Folders that projects are in: a new one in them may be a project. */
  readonly projectFolders: readonly WorkspacePath[];
  /** What else is followed so that projects in new folders are noticed. */
  readonly newcomers: readonly Selector[];
  /** What it was put together from, but for the files. */
  readonly facts: Omit<WorkspaceFacts, 'files'>;
}

/** Reads the graph, config, Dockerfiles and manifests. Fails when the graph cannot be read, or a profile that was asked for is unknown: what is wrong with one project is in `workspace.problems`. */
export async function readWorkspace(options: ReadWorkspaceOptions): Promise<Result<ReadWorkspace>> {
  const { root, graph, mode, env, defaultRepo, profiles, only } = options;
  // Reading takes the process whole. What was asked of a cluster at the same time is sent before, and goes on between its parts.
  await otherTurn();
  const read = await graph.read();
  if (!read.ok) return read;
  await otherTurn();
  recallConfigs(root);
  const files = filesBelow(root);
  const known = { graph: read.value, files, mode, env, ...(profiles && { profiles }) };
  const urls = manifestUrls(known);
  const notFetched = urls.length === 0 ? undefined : await fetchManifests(urls, root);
  const questions = dependenciesQuestions(known);
  const listed = questions.length === 0 ? undefined : await listDependencies(questions, { root, env, processes });
  const facts = {
    root,
    graph: read.value,
    mode,
    env,
    ...(defaultRepo !== undefined && { defaultRepo }),
    ...(profiles && { profiles }),
    ...(only && { only }),
    machine: ownPlatform,
    ...(listed && { listedDependencies: listed }),
    ...(notFetched && { notFetched }),
  };
  const { refused, ...assembled } = assemble({ ...facts, files });
  keepConfigs(root);
  if (refused) return failed(refused);
  const { folders, mayBe } = projectFoldersOf(root, assembled.workspace);
  const configFiles = [...new Set([...graph.watch, ...assembled.configFiles, ...mayBe])];
  const roots = new Set([...assembled.workspace.projects.values()].map((project) => project.root));
  const more = newcomers({ roots, ignored: files.textOf('.gitignore') });
  return succeeded({ ...assembled, facts, configFiles, projectFolders: folders, newcomers: [more] });
}

/** Where projects are, and the files that would make projects of the other folders there. */
function projectFoldersOf(
  root: string,
  { projects }: Workspace,
): { readonly folders: readonly WorkspacePath[]; readonly mayBe: readonly WorkspacePath[] } {
  const roots = new Set([...projects.values()].map((project) => project.root));
  const folders = [...new Set([...roots].map(folderOf))].filter((path) => path !== '');
  const mayBe = folders.flatMap((folder) => childFolders(root, folder)).filter((path) => !roots.has(path));
  return { folders, mayBe: mayBe.flatMap((path) => projectFiles.map((name) => `${path}/${name}`)) };
}

function childFolders(root: string, folder: WorkspacePath): readonly WorkspacePath[] {
  try {
    const entries = readdirSync(join(root, folder), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory() && !neverFollowed.has(entry.name)).map(({ name }) => `${folder}/${name}`);
  } catch {
    // It has gone since the graph was read, which its removal has told.
    return [];
  }
}

/** The projects that something is built or deployed of, or would be if they were right. None when the graph cannot be read, which the command tells. */
export async function deployableProjects(graph: GraphSource, env: ReadWorkspaceOptions['env']): Promise<ReadonlySet<string>> {
  const read = await readWorkspace({ root: graph.root, graph, mode: 'dev', env });
  if (!read.ok) return new Set();
  const { artifacts, releases, problems } = read.value.workspace;
  return new Set([...artifacts.values(), ...releases.values(), ...problems].flatMap(({ project }) => project ?? []));
}
