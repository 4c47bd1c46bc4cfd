import { mergeConfig, readConfig, type Config, type ImageConfig } from '../config';
import { readDockerfile, readIgnore, wildcard, type DockerfileFacts } from '../dockerfile';
import type { WorkspacePath } from '../model';
import { contextOf, dockerfilePath } from './context';
import { imagesOf } from './imageSettings';
import { manifestPatterns, toolInputs } from './manifestSources';
import { joinPath, recorded, type WorkspaceFiles } from './workspaceFiles';

/** Files of the workspace, as globs with paths from its root. */
export interface ImageFiles {
  readonly included: readonly string[];
  readonly excluded: readonly string[];
}

export interface ImageFilesRequest {
  /** Root of the project. */
  readonly root: WorkspacePath;
  readonly files: WorkspaceFiles;
}

const configName = 'slipway.yaml';

/**
 * What the images of a project are made from, by what it and its Dockerfiles say before anything is built: for task runners, which want
 * globs. Never less than what they take. Undefined when something cannot be read or is not known; the command then says what is wrong.
 */
export function imageFiles({ root, files }: ImageFilesRequest): ImageFiles | undefined {
  const config = configOf(root, files);
  if (!config) return undefined;
  const project = { name: '', root, dependencies: [], targets: new Map() };
  const images = imagesOf({ project, config, own: undefined, inherited: undefined }).map((image) =>
    filesOfImage(image.config.image ?? {}, { root, files }),
  );
  const known = images.filter((each) => each !== undefined);
  const [first] = known;
  if (!first || known.length < images.length) return undefined;
  return {
    included: unique(known.flatMap(({ included }) => included)),
    // What one leaves out may be what another is made from.
    excluded: first.excluded.filter((glob) => known.every(({ excluded }) => excluded.includes(glob))),
  };
}

function filesOfImage({ context: wanted, docker, custom }: ImageConfig, { root, files }: ImageFilesRequest): ImageFiles | undefined {
  // What a command reads may be anything.
  if (custom && custom.dependencies?.dockerfile === undefined) return undefined;
  const dockerfile = dockerfilePath({ file: custom?.dependencies?.dockerfile ?? docker?.file, root, context: wanted, files });
  const text = files.textOf(dockerfile);
  if (text === undefined) return undefined;
  const contexts = wanted === undefined ? [root, ''] : [contextOf(wanted, root)];
  const args = Object.fromEntries(Object.entries(docker?.args ?? {}).map(([name, value]) => [name, String(value)]));
  if (Object.entries(args).some(([name, value]) => value.includes('$') && choosesFiles(name, text))) return undefined;
  const read = [...new Set(contexts)].map((context) => {
    const { facts } = readDockerfile(text, {
      file: dockerfile,
      args,
      ...(docker?.target !== undefined && { target: docker.target }),
      kindOf: (path) => files.kindOf(joinPath(context, path)),
      namesIn: (directory) => files.namesIn(joinPath(context, directory)),
    });
    return facts && { context, facts, missing: missingIn(context, facts, files) };
  });
  if (read.some((each) => each === undefined)) return undefined;
  const known = read.filter((each) => each !== undefined);
  const [own, whole] = known;
  // What a build has still to make is in neither; what else is missing in one of them tells that the other is meant.
  const isIn = (some: readonly string[], others: readonly string[] | undefined) => some.every((path) => others?.includes(path) ?? true);
  const meant = !own || !whole ? known : isIn(own.missing, whole.missing) ? [own] : isIn(whole.missing, own.missing) ? [whole] : known;
  const taken = meant.map(({ context, facts }) => takenFrom(context, facts, { dockerfile, files }));
  return {
    included: unique([dockerfile, joinPath(root, configName), ...taken.flatMap(({ included }) => included)]),
    // Of two, one may take what the other leaves out.
    excluded: taken.length === 1 ? unique(taken.flatMap(({ excluded }) => excluded)) : [],
  };
}

/** Whether the value of an argument may decide which files are taken; one that comes from the environment is not known here. */
function choosesFiles(name: string, dockerfile: string): boolean {
  return dockerfile
    .split('\n')
    .some((line) => /^\s*(FROM|COPY|ADD|ARG|ENV)\b|--mount/i.test(line) && new RegExp(`\\$\\{?${name}\\b`).test(line));
}

/** Where what a project deploys is written, and what else says how it is deployed. Undefined when its config cannot be read. */
export function manifestFiles({ root, files }: ImageFilesRequest): readonly string[] | undefined {
  const config = configOf(root, files);
  if (!config) return undefined;
  const request = { project: { name: '', root }, config, own: undefined, files: recorded(files), env: {} };
  const patterns = manifestPatterns(request).map((pattern) => joinPath(root, pattern));
  const inputs = toolInputs(request).map(({ path }) => (files.kindOf(path) === 'dir' ? everythingIn(literal(path)) : literal(path)));
  return unique([joinPath(root, configName), ...patterns.flatMap((pattern) => [pattern, everythingIn(pattern)]), ...inputs]);
}

function unique(globs: readonly string[]): readonly string[] {
  return [...new Set(globs)];
}

function configOf(root: WorkspacePath, files: WorkspaceFiles): Config | undefined {
  const configs = [configName, joinPath(root, configName)].map((path) => {
    const text = files.textOf(path);
    return text === undefined ? { config: { version: 1 as const } } : readConfig({ path, text, isRoot: path === configName });
  });
  const [ofWorkspace, own] = configs;
  if (!ofWorkspace?.config || !own?.config) return undefined;
  return root === '' ? ofWorkspace.config : mergeConfig(ofWorkspace.config, own.config);
}

function missingIn(context: WorkspacePath, { sources }: DockerfileFacts, files: WorkspaceFiles): readonly string[] {
  return sources.flatMap(({ path, wildcard: isPattern }) => {
    const isThere = isPattern ? matchesIn(context, path, files) : files.kindOf(joinPath(context, path)) !== undefined;
    return isThere ? [] : [path];
  });
}

function matchesIn(context: WorkspacePath, path: string, files: WorkspaceFiles): boolean {
  const pattern = wildcard(path);
  if (!pattern) return false;
  if (pattern.depth > 1) return files.kindOf(joinPath(context, pattern.directory)) !== undefined;
  return files
    .namesIn(joinPath(context, pattern.directory))
    .some((name) => pattern.matches(pattern.directory === '' ? name : `${pattern.directory}/${name}`));
}

interface Where {
  readonly dockerfile: WorkspacePath;
  readonly files: WorkspaceFiles;
}

function takenFrom(context: WorkspacePath, facts: DockerfileFacts, { dockerfile, files }: Where): ImageFiles {
  const ignores = [`${dockerfile}.dockerignore`, joinPath(context, '.dockerignore')];
  const ignoreText = ignores.map((path) => files.textOf(path)).find((text) => text !== undefined);
  const included = facts.sources.flatMap(({ path, wildcard: isPattern }) => {
    const at = isPattern ? joinPath(context, path) : literal(joinPath(context, path));
    if (path === '') return [everythingIn(at)];
    return !isPattern && files.kindOf(joinPath(context, path)) === 'file' ? [at] : [at, everythingIn(at)];
  });
  // Where a path is not known before the build, or a link leads elsewhere, anything may be read.
  const anything =
    facts.landings.some((landing) => landing.source === '' && !landing.filter) && !facts.sources.some(({ path }) => path === '');
  return {
    included: [...ignores, ...included, ...(anything ? [everythingIn(literal(context))] : [])],
    excluded: ignoreText === undefined ? [] : ignoredIn(context, ignoreText),
  };
}

function everythingIn(glob: string): string {
  return glob === '' ? '**/*' : `${glob}/**/*`;
}

/** A path as a glob that matches it. */
function literal(path: WorkspacePath): string {
  return path.replace(/[*?[\]{}()!\\]/g, '?');
}

/** The patterns of an ignore file that nothing takes back: in globs an exclusion is the last word. */
function ignoredIn(context: WorkspacePath, text: string): readonly string[] {
  const patterns = readIgnore(text)
    .matcher.definition.split('\n')
    .filter((pattern) => pattern !== '');
  const exceptions = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  return patterns
    .filter((pattern) => !pattern.startsWith('!') && !exceptions.some((exception) => mayMeet(pattern, exception)))
    .flatMap((pattern) => {
      const glob = context === '' ? pattern : `${literal(context)}/${pattern}`;
      return pattern.endsWith('**') ? [`${glob}/*`] : [glob, `${glob}/**/*`];
    });
}

/** Whether a pattern may match what an exception takes back, or a folder that it is in. */
function mayMeet(pattern: string, exception: string): boolean {
  const [segments, opposites] = [pattern.split('/'), exception.split('/')];
  for (const [index, segment] of segments.entries()) {
    const opposite = opposites[index];
    if (opposite === undefined || opposite.includes('**')) return true;
    if (segment.includes('**')) {
      const last = segments.at(-1) ?? '';
      return last.includes('**') || opposites.slice(index).some((each) => each.includes('**') || mayBeEqual(last, each));
    }
    if (!mayBeEqual(segment, opposite)) return false;
  }
  return true;
}

const wild = /[*?[\]\\]/;

function mayBeEqual(one: string, other: string): boolean {
  if (!wild.test(one) && !wild.test(other)) return one === other;
  // `*.md` and `*.js` end differently.
  const [end = '', otherEnd = ''] = [one, other].map((text) => /[^*?[\]\\]*$/.exec(text)?.[0]);
  return end.endsWith(otherEnd) || otherEnd.endsWith(end);
}
