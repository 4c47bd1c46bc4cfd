import { isGoSource, type GraphSource, type WorkspaceFacts } from '../graph';
import { folderOf, type Workspace, type WorkspacePath } from '../model';
import { isReadBy } from '../plan';
import type { ReadWorkspace } from './readWorkspace';
import type { Session } from './session';

interface Read {
  readonly options: { readonly graph: Pick<GraphSource, 'watch'> };
  readonly read: Pick<ReadWorkspace, 'configFiles' | 'projectFolders' | 'workspace'> & {
    readonly facts: Pick<WorkspaceFacts, 'listedDependencies'>;
  };
}

/**
 * Whether a file says what the workspace is: config, Dockerfiles, ignore files, manifests, what the project graph is read from, and Go
 * files whose imports say what an image takes. A folder does that is gone with such files in it.
 */
export function isConfigOf(session: Read, path: WorkspacePath): boolean {
  const { configFiles } = session.read;
  const { paths, withFolders } = placesOf(configFiles, () => configFiles);
  return (
    isGraphOf(session, path) || namesPackages(session, path) || withFolders.has(path) || foldersOf(path).some((folder) => paths.has(folder))
  );
}

/** Whether the project graph is read from a file, or from files in a folder. */
export function isGraphOf({ read, options }: Read, path: WorkspacePath): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (options.graph.watch.some((watched) => watched === path || watched === name)) return true;
  const { projectFolders, workspace } = read;
  const { projects } = workspace;
  if (placesOf(projectFolders, () => projectFolders).paths.has(folderOf(path))) return true;
  return placesOf(projects, () => [...projects.values()].map(({ root }) => root)).withFolders.has(path);
}

/** Whether Go was asked for packages by a file: its imports may be others now, and a new one may have some. */
function namesPackages({ read }: Read, path: WorkspacePath): boolean {
  const listed = read.facts.listedDependencies;
  if (!listed || !isGoSource(path)) return false;
  const folders = (): readonly WorkspacePath[] =>
    [...listed.values()].flatMap((each) => (each.ok && each.value.kind === 'go' ? each.value.packages : [])).map(({ folder }) => folder);
  return placesOf(listed, folders).paths.has(folderOf(path));
}

interface Places {
  readonly paths: ReadonlySet<WorkspacePath>;
  /** With the folders that they are in. */
  readonly withFolders: ReadonlySet<WorkspacePath>;
}

const knownPlaces = new WeakMap<object, Places>();

/** Every file that is saved is asked about, and thousands may be at once: so what `of` has is gone through only once. */
function placesOf(of: object, list: () => readonly WorkspacePath[]): Places {
  let places = knownPlaces.get(of);
  if (!places) {
    const paths = new Set(list());
    knownPlaces.set(of, (places = { paths, withFolders: new Set([...paths].flatMap((path) => [path, ...foldersOf(path)])) }));
  }
  return places;
}

/** The folders that a path is in, without the workspace itself. */
function foldersOf(path: WorkspacePath): readonly WorkspacePath[] {
  const names = path.split('/').slice(0, -1);
  return names.map((_, index) => names.slice(0, index + 1).join('/'));
}

/** Whether imports that were saved may have made another graph. Only targets take their files from it, so only of what they read it is asked. */
export async function importsMatter(
  { options }: Pick<Session, 'options'>,
  workspace: Workspace,
  paths: readonly WorkspacePath[],
): Promise<boolean> {
  const { importsChanged } = options.graph;
  if (!importsChanged) return false;
  const targets = [...workspace.targets.values()];
  const read = paths.filter((path) => targets.some((target) => isReadBy(target, path)));
  return read.length > 0 && (await importsChanged(read));
}
