import type { DockerfileFacts } from '../dockerfile';
import { wildcard } from '../dockerfile';
import type { Problem, WorkspacePath } from '../model';
import { joinPath, type WorkspaceFiles } from './workspaceFiles';

/** The directory that a config names as the context of an image. */
export function contextOf(wanted: string, root: WorkspacePath): WorkspacePath {
  return wanted === 'project' ? root : wanted === 'workspace' ? '' : joinPath(root, wanted);
}

export interface DockerfilePlace {
  /** As the config has it. */
  readonly file: string | undefined;
  /** Of the project. */
  readonly root: WorkspacePath;
  /** The context that the config of the project names itself. */
  readonly context: string | undefined;
  readonly files: Pick<WorkspaceFiles, 'textOf'>;
}

/**
 * Where a Dockerfile is: in the context that is named, where that is a place of its own, else beside its project. A context that the
 * project lies in is that of many projects, so there the project's own comes first. One that is nowhere should be beside the project.
 */
export function dockerfilePath({ file = 'Dockerfile', root, context, files }: DockerfilePlace): WorkspacePath {
  const beside = joinPath(root, file);
  if (context === undefined) return beside;
  const directory = contextOf(context, root);
  const within = joinPath(directory, file);
  const places = liesIn(root, directory) ? [beside, within] : [within, beside];
  return places.find((place) => files.textOf(place) !== undefined) ?? beside;
}

function liesIn(root: WorkspacePath, directory: WorkspacePath): boolean {
  return directory === '' || root === directory || root.startsWith(`${directory}/`);
}

export interface ContextRequest {
  readonly project: { readonly name: string; readonly root: WorkspacePath };
  /** As the config has it. */
  readonly wanted: string | undefined;
  readonly dockerfile: WorkspacePath;
  readonly files: WorkspaceFiles;
  readonly read: (context: WorkspacePath) => { readonly facts: DockerfileFacts | undefined; readonly problems: readonly Problem[] };
}

export type ContextChoice =
  | { readonly ok: true; readonly context: WorkspacePath; readonly facts: DockerfileFacts }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The directory that a Dockerfile copies from: as configured, else the project if all it copies is there, else the workspace if all is there. */
export function chooseContext({ project, wanted, dockerfile, files, read }: ContextRequest): ContextChoice {
  if (wanted !== undefined) {
    const context = contextOf(wanted, project.root);
    const { facts, problems } = read(context);
    return facts ? { ok: true, context, facts } : { ok: false, problems };
  }
  const own = read(project.root);
  if (!own.facts) return { ok: false, problems: own.problems };
  const missingInProject = missingIn(project.root, own.facts, files);
  if (missingInProject.length === 0) return { ok: true, context: project.root, facts: own.facts };
  const whole = read('');
  if (!whole.facts) return { ok: false, problems: whole.problems };
  const missingInWorkspace = missingIn('', whole.facts, files);
  if (missingInWorkspace.length === 0) return { ok: true, context: '', facts: whole.facts };
  return { ok: false, problems: [neither({ project, dockerfile, missingInProject, missingInWorkspace })] };
}

interface Missing {
  readonly path: string;
  readonly line: number;
}

/** A pattern without any match is no mistake for the engine, but it says that another directory was meant when it has matches there. */
function missingIn(context: WorkspacePath, facts: DockerfileFacts, files: WorkspaceFiles): readonly Missing[] {
  return facts.sources.filter((source) => {
    if (!source.wildcard) return files.kindOf(joinPath(context, source.path)) === undefined;
    const pattern = wildcard(source.path);
    if (!pattern) return false;
    const directory = joinPath(context, pattern.directory);
    if (pattern.depth > 1) return files.kindOf(directory) === undefined;
    const matches = (at: WorkspacePath) =>
      files
        .namesIn(joinPath(at, pattern.directory))
        .some((name) => pattern.matches(pattern.directory === '' ? name : `${pattern.directory}/${name}`));
    return !matches(context) && matches('');
  });
}

interface Neither {
  readonly project: { readonly name: string; readonly root: WorkspacePath };
  readonly dockerfile: WorkspacePath;
  readonly missingInProject: readonly Missing[];
  readonly missingInWorkspace: readonly Missing[];
}

function neither({ project, dockerfile, missingInProject, missingInWorkspace }: Neither): Problem {
  const names = (missing: readonly Missing[]) => [...new Set(missing.map((source) => source.path))].join(', ');
  const nowhere = missingInProject.filter(({ path }) => missingInWorkspace.some((other) => other.path === path));
  const line = (nowhere[0] ?? missingInProject[0])?.line ?? 1;
  const where = project.root === '' ? 'the root' : project.root;
  return {
    code: 'contextNotFound',
    message:
      nowhere.length > 0
        ? `${dockerfile}:${line}: ${names(nowhere)} is copied, and is neither in ${where} nor in the workspace`
        : `${dockerfile} copies files that are neither all in the project nor all in the workspace; not in ${where}: ${names(missingInProject)}; not in the workspace: ${names(missingInWorkspace)}`,
    hint:
      nowhere.length > 0
        ? 'correct the path; or, if a build makes it, declare it as an output of that target or task, or build it first'
        : 'let all paths begin in one of them, and set image.context in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 2,
    location: { file: dockerfile, line },
    project: project.name,
  };
}
