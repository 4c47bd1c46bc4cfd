import { readManifests } from '../config';
import { below, readDockerfile, type LocalSource } from '../dockerfile';
import { joinPath, kustomizationNames, type WorkspaceFiles } from '../graph';
import { projectOf, type Project, type WorkspacePath } from '../model';

/** What the folder of a project shows of how it is built and deployed. Paths are the workspace's. */
export interface Found {
  /** Undefined: the folder belongs to no project. */
  readonly project: string | undefined;
  readonly root: WorkspacePath;
  /** The one that is built by itself: named so, at the root of the project. */
  readonly dockerfile: WorkspacePath | undefined;
  /** Others, which a slipway.yaml has to name. */
  readonly otherDockerfiles: readonly WorkspacePath[];
  /** Where manifests are looked for by default. */
  readonly manifests: readonly WorkspacePath[];
  /** Manifests of workloads and services elsewhere in the project. */
  readonly otherManifests: readonly WorkspacePath[];
  readonly charts: readonly WorkspacePath[];
  readonly kustomizations: readonly WorkspacePath[];
  readonly config: WorkspacePath | undefined;
}

export interface Survey {
  /** Folders that show anything, by project first, then those that belong to none. */
  readonly found: readonly Found[];
  /** Files of other tools that do this work: Skaffold, Tilt, Compose, DevSpace. */
  readonly otherTools: readonly WorkspacePath[];
  /** What the Dockerfiles copy, as they name it. */
  readonly copied: readonly string[];
}

export interface SurveyRequest {
  readonly files: WorkspaceFiles;
  readonly projects: readonly Project[];
}

/** Looks through a workspace for what images and deployments are made from. */
export function survey({ files, projects }: SurveyRequest): Survey {
  const seen = [...filesIn('', files)];
  const groups = new Map<string, Found>();
  const otherTools: WorkspacePath[] = [];
  const copied: string[] = [];
  // What lies in a chart or below a kustomization is theirs, and no manifest by itself.
  const charts = seen.filter(({ name }) => name === 'Chart.yaml').map(({ folder }) => folder);
  const kustomized = seen.filter(({ name }) => isKustomization(name)).map(({ folder }) => folder);
  for (const { path, folder, name } of seen) {
    if (otherToolNames.test(name)) {
      otherTools.push(path);
      continue;
    }
    const project = projectOf(projects, path);
    const root = project?.root ?? folder;
    const before = groups.get(root) ?? nothing(project?.name, root);
    const after = with_(before, { path, folder, name, files, theirs: [...charts, ...kustomized] });
    if (after !== before) groups.set(root, after);
    if (isDockerfile(name)) copied.push(...sourcesOf(path, files).map((source) => source.path));
  }
  const found = [...groups.values()].filter((each) => each.project !== undefined || each.dockerfile !== undefined);
  const order = (each: Found) => `${each.project === undefined ? '1' : '0'}${each.project ?? each.root}`;
  return { found: found.sort((a, b) => (order(a) < order(b) ? -1 : 1)), otherTools, copied: [...new Set(copied)] };
}

/** What was found, without files of other tools that have been read by now. */
export function unread(seen: Survey, read: readonly WorkspacePath[] = []): Survey {
  return { ...seen, otherTools: seen.otherTools.filter((path) => !read.includes(path)) };
}

const otherToolNames = /^(skaffold\.ya?ml|Tiltfile|devspace\.ya?ml|(docker-)?compose(\.[\w-]+)?\.ya?ml)$/;

function isKustomization(name: string): boolean {
  return kustomizationNames.some((each) => each === name);
}

function isDockerfile(name: string): boolean {
  return name === 'Dockerfile' || (/^Dockerfile\./.test(name) && !name.endsWith('.dockerignore')) || /\.Dockerfile$/i.test(name);
}

function nothing(project: string | undefined, root: WorkspacePath): Found {
  return {
    project,
    root,
    dockerfile: undefined,
    otherDockerfiles: [],
    manifests: [],
    otherManifests: [],
    charts: [],
    kustomizations: [],
    config: undefined,
  };
}

interface SeenFile {
  readonly path: WorkspacePath;
  readonly folder: WorkspacePath;
  readonly name: string;
}

interface Looked extends SeenFile {
  readonly files: WorkspaceFiles;
  /** Folders of charts and kustomizations. */
  readonly theirs: readonly WorkspacePath[];
}

/** What is found and one file more; the same object when the file says nothing. */
function with_(found: Found, { path, folder, name, files, theirs }: Looked): Found {
  if (name === 'Dockerfile' && folder === found.root) return { ...found, dockerfile: path };
  if (isDockerfile(name)) return { ...found, otherDockerfiles: [...found.otherDockerfiles, path] };
  if (name === 'slipway.yaml') return folder === found.root && folder !== '' ? { ...found, config: path } : found;
  if (name === 'Chart.yaml') {
    // A chart within a chart comes with it.
    return found.charts.some((other) => below(other, folder) !== undefined) ? found : { ...found, charts: [...found.charts, folder] };
  }
  if (isKustomization(name)) return { ...found, kustomizations: [...found.kustomizations, folder] };
  if (!/\.ya?ml$/.test(name)) return found;
  if (folder === joinPath(found.root, 'k8s')) return isManifest(path, files) ? { ...found, manifests: [...found.manifests, path] } : found;
  if (theirs.some((other) => below(other, folder) !== undefined)) return found;
  return deploys(path, files) ? { ...found, otherManifests: [...found.otherManifests, path] } : found;
}

function isManifest(path: WorkspacePath, files: WorkspaceFiles): boolean {
  return /^kind:/m.test(files.textOf(path) ?? '');
}

/** Many a YAML file has a kind; those that matter run something. */
function deploys(path: WorkspacePath, files: WorkspaceFiles): boolean {
  const text = files.textOf(path) ?? '';
  if (!/^apiVersion:/m.test(text) || !/^kind:/m.test(text)) return false;
  const { containers, services } = readManifests([{ path, text }]);
  return containers.length > 0 || services.length > 0;
}

function sourcesOf(path: WorkspacePath, files: WorkspaceFiles): readonly LocalSource[] {
  const { facts } = readDockerfile(files.textOf(path) ?? '', { file: path, args: {}, kindOf: () => undefined });
  return facts?.sources ?? [];
}

/** Folders that nobody writes by hand. */
const notLookedInto = /^(node_modules|dist|build|out|coverage|target|vendor|tmp|__pycache__|\..*)$/;
/** Endings of files that are none of those that are looked for, so that they need not be asked what they are. */
const otherFiles = /\.([cm]?[jt]sx?|json|md|html|s?css|svg|png|jpg|go|py|rs|java|lock|txt|map)$/;

function* filesIn(folder: WorkspacePath, files: WorkspaceFiles): Generator<SeenFile> {
  const folders: WorkspacePath[] = [];
  for (const name of files.namesIn(folder)) {
    if (otherFiles.test(name) || notLookedInto.test(name)) continue;
    const path = joinPath(folder, name);
    const kind = files.kindOf(path);
    if (kind === 'dir') folders.push(path);
    else if (kind === 'file') yield { path, folder, name };
  }
  // A folder's own files first: what they say holds for those below.
  for (const each of folders) yield* filesIn(each, files);
}
