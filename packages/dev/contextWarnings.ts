import { entryAt, leavesOf, type Artifact, type DirEntry, type WorkspacePath } from '../model';
import { size } from '../report';

export interface ContextRequest {
  readonly artifact: Artifact;
  /** Everything that the image is made from. */
  readonly sources: DirEntry;
  /** Bytes. */
  readonly limit: number;
  /** Whether there is something at a path of the workspace. */
  readonly isThere: (path: WorkspacePath) => boolean;
}

/** Folders that no build is sent when an instruction only takes what is around them. */
const unwanted = ['node_modules', '.git'];

const namedFolders = 3;

/** What is to be said of a build context: of folders that an engine would have been sent, and of one that is large. */
export function contextWarnings(request: ContextRequest): readonly { readonly message: string; readonly hint: string }[] {
  const { context, dockerfile, command } = request.artifact.recipe;
  const tree = entryAt(request.sources, context);
  if (command || tree?.kind !== 'dir') return [];
  const ignoreFile = entryAt(request.sources, `${dockerfile}.dockerignore`)
    ? `${dockerfile}.dockerignore`
    : joined(context, '.dockerignore');
  const large = largeFolders(tree, request);
  return [
    ...strays(request).map((path) => ({
      message: `${path} is left out of the image, though an instruction copies what is around it`,
      hint: `write **/${path.replace(/^.*\//, '')} to ${ignoreFile}; an image that needs it has a COPY that names it`,
    })),
    ...(large
      ? [{ message: large.message, hint: `what the image does not need is left out by ${ignoreFile}: ${large.lines.join(', ')}` }]
      : []),
  ];
}

/** Those that are there, and that no ignore file leaves out. */
function strays({ artifact, sources, isThere }: ContextRequest): readonly WorkspacePath[] {
  const taken = artifact.inputs.filter(({ path, onlySynced }) => onlySynced !== true && entryAt(sources, path)?.kind === 'dir');
  const named = new Set(artifact.inputs.map(({ path }) => path));
  const found = taken.flatMap(({ path, accepts }) =>
    unwanted.map((name) => joined(path, name)).filter((stray) => !named.has(stray) && accepts?.(stray, 'file') !== false && isThere(stray)),
  );
  return [...new Set(found)];
}

function largeFolders(
  tree: DirEntry,
  { artifact, limit }: ContextRequest,
): { readonly message: string; readonly lines: readonly string[] } | undefined {
  const folders = foldersOf(tree);
  const all = folders.get('') ?? 0;
  if (all <= limit) return undefined;
  const inOrder = biggest(folders, all)
    .toSorted((one, other) => (folders.get(other) ?? 0) - (folders.get(one) ?? 0))
    .slice(0, namedFolders);
  const told = inOrder.map((folder) => `${joined(artifact.recipe.context, folder)} ${size(folders.get(folder) ?? 0)}`);
  return {
    message: `its build context has ${size(all)}${told.length === 0 ? '' : `: ${told.join(', ')}`}`,
    lines: inOrder.length === 0 ? ['*.zip'] : inOrder,
  };
}

function joined(folder: WorkspacePath, name: string): WorkspacePath {
  return folder === '' ? name : `${folder}/${name}`;
}

/** The bytes in each folder, with all that is below it. */
function foldersOf(tree: DirEntry): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>([['', 0]]);
  for (const [path, leaf] of leavesOf(tree)) {
    if (leaf.kind !== 'file') continue;
    for (let at = path.lastIndexOf('/'); ; at = path.lastIndexOf('/', at - 1)) {
      const folder = at < 0 ? '' : path.slice(0, at);
      bytes.set(folder, (bytes.get(folder) ?? 0) + leaf.size);
      if (at < 0) break;
    }
  }
  return bytes;
}

/** Those that hold a tenth of it all, or more; of a folder with all of its bytes in another, that one. */
function biggest(folders: ReadonlyMap<string, number>, all: number): readonly string[] {
  const large = [...folders].filter(([folder, bytes]) => folder !== '' && bytes >= all / 10);
  return large
    .filter(([folder, bytes]) => !large.some(([other, inner]) => other.startsWith(`${folder}/`) && inner >= bytes * 0.8))
    .map(([folder]) => folder)
    .filter((folder, _, kept) => !kept.some((other) => folder.startsWith(`${other}/`)));
}
