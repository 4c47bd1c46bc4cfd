import { posix } from 'node:path';
import picomatch from 'picomatch';
import type { CommandConfig, ImageConfig } from '../config';
import { acceptsDefinedBy, type Accepts } from '../dockerfile';
import type { Artifact, ArtifactName, BuildCommand, Input, Location, Problem, Result, WorkspacePath } from '../model';
import { goQuestionOf, inputsOfGo, type GoPackages, type GoQuestion } from './goPackages';
import { imageTextsOf, type TextsRequest } from './imageTexts';
import type { ImageSettings } from './imageSettings';
import { pullsOf } from './pulls';
import { placeIn, type ProjectSettings } from './settings';
import { syncRulesOf, underRules } from './syncRules';
import { withoutConfigs, type KnownConfigs } from './withoutConfigs';
import { joinPath, type RecordedFiles } from './workspaceFiles';

type CustomConfig = NonNullable<ImageConfig['custom']>;

/** Versions change when a command is called in another way. */
export const custom = 'custom/1';

/** What a build reads, as a tool says. */
export type Listing = { readonly kind: 'paths'; readonly paths: readonly WorkspacePath[] } | ({ readonly kind: 'go' } & GoPackages);

/** Artifact → the answer to its `DependenciesQuestion`. */
export type ListedDependencies = ReadonlyMap<ArtifactName, Result<Listing>>;

export interface CustomRequest extends TextsRequest, KnownConfigs {
  readonly files: Pick<RecordedFiles, 'kindOf' | 'textOf' | 'manifestsIn'>;
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
        ...inputs.map((input) => withoutConfigs(input, request)).flatMap((input) => underRules(input, rules, (rest) => rest)),
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

export interface CommandQuestion {
  readonly kind: 'command';
  readonly command: CommandConfig;
}

/** What has to be asked of a tool to know what the build of an image reads. */
export interface DependenciesQuestion {
  readonly project: string;
  readonly artifact: ArtifactName;
  /** Where the tool runs. */
  readonly folder: WorkspacePath;
  readonly asks: CommandQuestion | GoQuestion;
  readonly location: Location | undefined;
}

export function dependenciesQuestionOf(settings: ImageSettings): DependenciesQuestion | undefined {
  const { project, artifact, config } = settings;
  const { command, go } = config.image?.custom?.dependencies ?? {};
  const asks: CommandQuestion | undefined = command === undefined ? undefined : { kind: 'command', command };
  const question = asks ?? (go === undefined ? undefined : goQuestionOf(go, config.image ?? {}));
  if (!question) return undefined;
  const keys = ['image', 'custom', 'dependencies', command === undefined ? 'go' : 'command'];
  return {
    project: project.name,
    artifact,
    folder: project.root,
    asks: question,
    location: placeIn(settings, keys) ?? placeIn(settings, [...keys, 0]),
  };
}

function contextOf({ project, config }: Pick<ProjectSettings, 'project' | 'config'>): WorkspacePath {
  const wanted = config.image?.context ?? 'project';
  return wanted === 'project' ? project.root : wanted === 'workspace' ? '' : joinPath(project.root, wanted);
}

/** What nobody means by a whole folder. */
const neverMeant = ['**/node_modules', '**/.git', '**/.nx', '**/.turbo', '**/.slipway'];

interface Dependencies {
  readonly inputs: readonly Input[];
  readonly problems: readonly Problem[];
}

function dependenciesOf(request: CustomRequest, says: string): Dependencies {
  const { project, config } = request;
  const { command, go, paths = (command ?? go) ? [] : ['.'], ignore = [] } = config.image?.custom?.dependencies ?? {};
  const isIgnored = matcherOf(project.root, [...neverMeant, ...ignore]);
  const named = paths.map((path): Input => {
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
  const { inputs, problems } = command === undefined && go === undefined ? noneListed : listedInputs(request, says);
  return { inputs: [...inputs, ...named], problems };
}

const noneListed: Dependencies = { inputs: [], problems: [] };

/** What a tool says the build reads. */
function listedInputs(request: CustomRequest, says: string): Dependencies {
  const { artifact, config, files, listed, imageKey } = request;
  const { go } = config.image?.custom?.dependencies ?? {};
  const works = go === undefined ? [] : goWork(request);
  const answer = listed?.get(artifact);
  if (!answer) return noneListed;
  if (!answer.ok) {
    for (const pattern of [go ?? []].flat()) followMissing(request, pattern);
    return { inputs: [], problems: [answer.problem] };
  }
  const listing = answer.value;
  switch (listing.kind) {
    case 'paths': {
      const because = `its build reads it, says the command of ${imageKey}.custom.dependencies (${says})`;
      return { inputs: [{ path: '', onChange: 'rebuild', because, accepts: oneOf(listing.paths) }], problems: [] };
    }
    case 'go':
      // Another go.mod may lead to other packages.
      for (const module of listing.modules) files.textOf(joinPath(module, 'go.mod'));
      return { inputs: inputsOfGo(listing, { says, works }), problems: [] };
  }
}

/** The `go.work` that Go finds for a project, and its checksums. What it would find instead is asked for too, so that it is followed. */
function goWork({ project, files }: CustomRequest): readonly WorkspacePath[] {
  for (const folder of [project.root, ...foldersAbove(project.root).toReversed(), '']) {
    files.textOf(joinPath(folder, 'go.mod'));
    const work = joinPath(folder, 'go.work');
    if (files.textOf(work) !== undefined) return [work, joinPath(folder, 'go.work.sum')];
  }
  return [];
}

/** A package that is not there to be listed may come. */
function followMissing({ project, files }: CustomRequest, pattern: string): void {
  const folder = joinPath(project.root, pattern.replace(/(^|\/)\.\.\.$/, ''));
  if (files.kindOf(folder) === 'dir') files.manifestsIn(folder);
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
