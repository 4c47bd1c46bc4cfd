import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { CommandConfig, ImageConfig } from '../config';
import { acceptsDefinedBy, type Accepts } from '../dockerfile';
import type { Artifact, ArtifactName, BuildCommand, Input, Location, Problem, WorkspacePath } from '../model';
import { imageTextsOf, type TextsRequest } from './imageTexts';
import type { ImageSettings } from './imageSettings';
import { pullsOf } from './pulls';
import { placeIn, type ProjectSettings } from './settings';
import { syncRulesOf, underRules } from './syncRules';
import { joinPath, type WorkspaceFiles } from './workspaceFiles';

type CustomConfig = NonNullable<ImageConfig['custom']>;

/** Versions change when a command is called in another way. */
export const custom = 'custom/1';

/** Artifact → what the command of its `image.custom.dependencies` named, as paths of the workspace. */
export type ListedDependencies = ReadonlyMap<string, { readonly paths: readonly WorkspacePath[]; readonly problem?: Problem }>;

export interface CustomRequest extends TextsRequest {
  readonly files: Pick<WorkspaceFiles, 'kindOf'>;
  readonly listed: ListedDependencies | undefined;
}

/** The command that makes a project's image, and what it is given. */
export function buildCommandOf(
  request: TextsRequest,
  { command, env = {} }: CustomConfig,
): {
  readonly command: BuildCommand;
  readonly problems: readonly Problem[];
} {
  const texts = imageTextsOf(request, { written: env, keys: ['image', 'custom', 'env'], what: 'the variable' });
  const hasLate = Object.keys(texts.late).length > 0;
  const { project, own, inherited } = request;
  const config = own?.path ?? inherited?.path ?? 'slipway.yaml';
  const ran = { run: command, folder: project.root, config };
  return { command: { ...ran, env: texts.values, ...(hasLate && { lateEnv: texts.late }) }, problems: texts.problems };
}

/** An image whose inputs the config names, or a command: nothing is known of where they land, so any change makes a new one. */
export function fromCommand(request: CustomRequest): { readonly artifact: Artifact; readonly problems: readonly Problem[] } {
  const { project, artifact, own, inherited, image, imageKey } = request;
  const says = placeOfCommand(request);
  const rules = syncRulesOf({ ...request, context: contextOf(request), workdir: undefined, outputs: [] });
  const pulled = pullsOf({ ...request, workdir: undefined });
  const { inputs, problems } = dependenciesOf(request, says);
  const configPath = own?.path ?? inherited?.path ?? 'slipway.yaml';
  return {
    artifact: {
      name: artifact,
      project: project.name,
      image,
      recipe: { builder: custom, context: contextOf(request), dockerfile: configPath, args: {} },
      builderBecause: `${imageKey}.custom has a command (${says})`,
      inputs: [
        { path: configPath, onChange: 'rebuild', because: 'the config of the project' },
        ...inputs.flatMap((input) => underRules(input, rules, (rest) => rest)),
        ...rules.inputs,
      ],
      requires: [],
      targets: [],
      reload: { kind: 'rebuild', because: 'nothing says what its build command makes of a file' },
      ...(rules.before.length > 0 && { before: rules.before }),
      after: rules.after,
      ...(pulled.pulls.length > 0 && { pulls: pulled.pulls }),
      ...(rules.notices.length > 0 && { notices: rules.notices }),
    },
    problems: [...rules.problems, ...pulled.problems, ...problems],
  };
}

/** Where the command stands, for people. */
export function placeOfCommand(request: ImageSettings): string {
  const keys = ['image', 'custom', 'command'];
  const place = placeIn(request, keys) ?? placeIn(request, [...keys, 0]);
  return place === undefined ? `${request.imageKey}.custom` : `${place.file}:${place.line ?? 1}`;
}

/** A command that says what the build of a project reads. */
export interface DependenciesCommand {
  readonly project: string;
  readonly artifact: ArtifactName;
  /** Where it runs. */
  readonly folder: WorkspacePath;
  readonly command: CommandConfig;
  readonly location: Location | undefined;
}

export function dependenciesCommandOf(settings: ImageSettings): DependenciesCommand | undefined {
  const { project, artifact, config } = settings;
  const command = config.image?.custom?.dependencies?.command;
  if (command === undefined) return undefined;
  const keys = ['image', 'custom', 'dependencies', 'command'];
  return {
    project: project.name,
    artifact,
    folder: project.root,
    command,
    location: placeIn(settings, keys) ?? placeIn(settings, [...keys, 0]),
  };
}

function contextOf({ project, config }: Pick<ProjectSettings, 'project' | 'config'>): WorkspacePath {
  const wanted = config.image?.context ?? 'project';
  return wanted === 'project' ? project.root : wanted === 'workspace' ? '' : joinPath(project.root, wanted);
}

/** What nobody means by a whole folder. */
const neverMeant = ['**/node_modules', '**/.git', '**/.nx', '**/.turbo', '**/.slipway'];

function dependenciesOf(
  request: CustomRequest,
  says: string,
): { readonly inputs: readonly Input[]; readonly problems: readonly Problem[] } {
  const { project, artifact, config, listed, imageKey } = request;
  const { paths = ['.'], ignore = [], command } = config.image?.custom?.dependencies ?? {};
  if (command !== undefined) {
    const { paths: named = [], problem } = listed?.get(artifact) ?? {};
    const because = `its build reads it, says the command of ${imageKey}.custom.dependencies (${says})`;
    return { inputs: [{ path: '', onChange: 'rebuild', because, accepts: oneOf(named) }], problems: problem ? [problem] : [] };
  }
  const isIgnored = matcherOf(project.root, [...neverMeant, ...ignore]);
  const inputs = paths.map((path): Input => {
    const { base, isGlob } = picomatch.scan(path);
    const folder = joinPath(project.root, isGlob ? base : path);
    const isMatch = matcherOf(project.root, [path]);
    const definition = JSON.stringify(['custom', project.root, path, ignore]);
    const accepts: Accepts = (at, kind) => !isIgnored(at) && (kind === 'dir' || isMatch(at));
    return {
      path: folder,
      onChange: 'rebuild',
      because: `its build command reads it (${says})`,
      accepts: acceptsDefinedBy(definition, accepts),
    };
  });
  return { inputs, problems: [] };
}

/** Whether a path matches globs that are relative to a folder; the name of a directory stands for all in it. */
function matcherOf(folder: WorkspacePath, globs: readonly string[]): (path: WorkspacePath) => boolean {
  const inWorkspace = globs.map((glob) => posix.join(folder, glob).replace(/\/$/, ''));
  if (inWorkspace.includes('.') || inWorkspace.includes('')) return () => true;
  return picomatch([...inWorkspace, ...inWorkspace.map((glob) => `${glob}/**`)], { dot: true });
}

/** Whether a path is one of some, or lies in one of them; of directories, whether one of them may lie there. */
function oneOf(paths: readonly WorkspacePath[]): Accepts {
  const named = new Set(paths);
  const above = new Set(paths.flatMap((path) => foldersAbove(path)));
  return acceptsDefinedBy(JSON.stringify(['listed', [...named].sort()]), (path, kind) =>
    kind === 'dir' && above.has(path) ? true : named.has(path) || named.has('') || foldersAbove(path).some((folder) => named.has(folder)),
  );
}

function foldersAbove(path: WorkspacePath): readonly WorkspacePath[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
