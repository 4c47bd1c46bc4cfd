import { Document, isMap, LineCounter, parseAllDocuments } from 'yaml';
import type { Config } from '../../config';
import { joinPath, type WorkspaceFiles } from '../../graph';
import { withoutScope, type Location, type Problem, type Project, type WorkspacePath } from '../../model';
import { deploymentsOf } from './deployments';
import { Field, type Sheet } from './field';
import { imageOf, type ImportedImage, type ImportedImageConfig } from './images';
import type { Place } from './place';
import { tagOf } from './tags';

export interface ImportRequest {
  readonly files: WorkspaceFiles;
  readonly projects: readonly Project[];
  /** Paths of skaffold.yaml files. */
  readonly from: readonly WorkspacePath[];
}

/** A slipway.yaml that is made. */
export interface ImportedConfig {
  readonly path: WorkspacePath;
  readonly text: string;
  /** Where what it says comes from. */
  readonly because: readonly string[];
}

/** What was not taken over, or is otherwise here than in Skaffold. */
export interface ImportNote {
  readonly location: Location;
  /** As `build.artifacts[0].jib`. */
  readonly field: string;
  readonly sentence: string;
}

export interface Imported {
  readonly configs: readonly ImportedConfig[];
  readonly notes: readonly ImportNote[];
  readonly problems: readonly Problem[];
}

type Configs = Map<WorkspacePath, Config>;
type Says = Omit<Config, 'version'>;
type Activation = NonNullable<NonNullable<NonNullable<Config['profiles']>[string]>['activation']>[number];

/**
 * Makes slipway.yaml files of those of Skaffold: each project gets what is its own, the root what holds for all. A file that is there already
 * is never written over. Everything that has no counterpart is told with its place.
 */
export function importSkaffold({ files, projects, from }: ImportRequest): Imported {
  const notes: ImportNote[] = [];
  const problems: Problem[] = [];
  const configs: Configs = new Map();
  const read = new Set(from);
  // What is found to be required is read too.
  for (const file of read) {
    const text = files.textOf(file);
    if (text === undefined) {
      problems.push(notThere(file));
      continue;
    }
    const lines = new LineCounter();
    for (const document of parseAllDocuments(text, { lineCounter: lines }) as readonly Document.Parsed[]) {
      const [error] = document.errors;
      if (error) {
        const { line, col } = lines.linePos(error.pos[0]);
        problems.push(notReadable({ file, line, column: col }, error.message));
        continue;
      }
      const sheet: Sheet = { file, document, lines, taken: new Set() };
      const folder = file.slice(0, Math.max(0, file.lastIndexOf('/')));
      const root = new Field(sheet, document.contents, '');
      const apiVersion = root.at('apiVersion')?.text() ?? '';
      if (!isMap(document.contents) || !apiVersion.startsWith('skaffold/')) {
        problems.push(notSkaffold(root.location()));
        continue;
      }
      const note = (field: Field, sentence: string): void => void notes.push({ location: field.location(), field: field.path, sentence });
      for (const required of requiredFiles(root, { files, folder })) read.add(required);
      importDocument(root, { files, projects, folder, note }, configs);
      for (const field of root.untaken()) note(field, 'was not taken over');
    }
  }
  const made = problems.length > 0 ? [] : [...configs].filter(([, config]) => Object.keys(config).length > 1);
  const isThere = ([path]: readonly [WorkspacePath, Config]): boolean => files.kindOf(path) !== undefined;
  for (const [path, config] of made.filter(isThere))
    notes.push({
      location: { file: path },
      field: '',
      sentence: `is there already and stays as it is; what Skaffold's says would be\n${textOf(config, [...read])}`,
    });
  return {
    configs: made
      .filter((each) => !isThere(each))
      .map(([path, config]) => ({ path, text: textOf(config, [...read]), because: [`from ${[...read].join(', ')}`] })),
    notes: notes.sort(byPlace),
    problems,
  };
}

function byPlace({ location: one }: ImportNote, { location: other }: ImportNote): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

/** Files of other modules in this workspace. */
function requiredFiles(root: Field, { files, folder }: Pick<Place, 'files' | 'folder'>): readonly WorkspacePath[] {
  return (root.at('requires')?.items() ?? []).flatMap((each) => {
    const path = each.at('path')?.text();
    if (path === undefined) return [];
    const at = joinPath(folder, path);
    return files.kindOf(at) === 'dir' ? [joinPath(at, 'skaffold.yaml')] : [at];
  });
}

function importDocument(root: Field, place: Place, configs: Configs): void {
  for (const key of ['kind', 'metadata']) root.at(key)?.skip();
  const images = importInto(root, { place, configs, known: [], isProfile: false, into: (says) => ({ version: 1, ...says }) });
  for (const profile of root.at('profiles')?.items() ?? []) importProfile(profile, { place, configs, images });
}

interface Target {
  readonly place: Place;
  readonly configs: Configs;
  /** Images of the document that a profile is of. */
  readonly known: readonly ImportedImage[];
  readonly isProfile: boolean;
  /** Where in a config it is said. */
  readonly into: (says: Says, before: Config) => Config;
}

/** What a config of Skaffold, or a profile, says. */
function importInto(root: Field, { place, configs, known, isProfile, into }: Target): readonly ImportedImage[] {
  const build = root.at('build');
  const say = (folder: WorkspacePath, says: Says): void => {
    if (Object.keys(says).length === 0) return;
    const path = joinPath(folder, 'slipway.yaml');
    const before = configs.get(path) ?? { version: 1 };
    configs.set(path, { ...before, ...into(says, before) });
  };
  const projectByImage = new Map(known.map(({ image, project }) => [image, project]));
  const artifacts = build?.at('artifacts')?.items() ?? [];
  // Once to know which projects there are, as one may require another that comes later.
  const quiet: Place = { ...place, note: () => undefined };
  for (const artifact of artifacts) {
    const found = imageOf(artifact, quiet, projectByImage);
    if (found) projectByImage.set(found.image, found.project);
  }
  const images = artifacts.flatMap((artifact) => imageOf(artifact, place, projectByImage) ?? []);
  const { byProject, root: deployment } = deploymentsOf(root, { images: [...known, ...images], isProfile, place });
  for (const project of new Set([...images.map((each) => each.project), ...byProject.keys()])) {
    const { hooks, ...deployed } = byProject.get(project) ?? {};
    const mine = images.filter((each) => each.project === project);
    const allHooks = Object.assign({}, hooks, ...mine.map((each) => each.hooks)) as NonNullable<Config['hooks']>;
    say(project.root, {
      ...imagesSaid(mine, project),
      ...withoutDefaults(deployed),
      ...(Object.keys(allHooks).length > 0 && { hooks: allHooks }),
    });
  }
  say('', { ...(build && buildSaid(build, place)), ...deployment });
  return images;
}

function imagesSaid(images: readonly ImportedImage[], project: Project): Pick<Config, 'image' | 'images' | 'sync'> {
  const [only, ...others] = images;
  if (!only) return {};
  if (others.length === 0) {
    const { sync, ...image } = only.config;
    return { ...(Object.keys(image).length > 0 && { image }), ...(sync && { sync }) };
  }
  const named = images.map(({ image, config }): readonly [string, ImportedImageConfig] => {
    const last = image.slice(image.lastIndexOf('/') + 1);
    return [last === withoutScope(project.name) ? last : last.replace(`${withoutScope(project.name)}-`, ''), { name: image, ...config }];
  });
  return { images: Object.fromEntries(named) };
}

/** What holds without being said need not be said. */
function withoutDefaults(says: Says): Says {
  const { manifests, ...rest } = says;
  return manifests?.length === 1 && manifests[0] === 'k8s/*.yaml' ? rest : says;
}

/** What `build` says of all images. */
function buildSaid(build: Field, place: Place): Says {
  const policy = build.at('tagPolicy');
  const tag = policy && tagOf(policy, place);
  const platforms = build.at('platforms')?.texts() ?? [];
  const insecureRegistries = build.at('insecureRegistries')?.texts() ?? [];
  const local = build.at('local');
  const push = local?.at('push')?.text();
  const concurrency = local?.at('concurrency')?.text();
  const buildkit = local?.at('useBuildkit')?.text();
  const image = {
    ...(tag !== undefined && { tag }),
    ...(platforms.length > 0 && { platforms }),
    ...(buildkit !== undefined && { docker: { buildkit: buildkit === 'true' } }),
  };
  return {
    ...(Object.keys(image).length > 0 && { image }),
    ...(insecureRegistries.length > 0 && { insecureRegistries }),
    ...(push !== undefined && { push: push === 'true' }),
    ...(concurrency !== undefined && { build: { concurrency: Number(concurrency) } }),
  };
}

function importProfile(
  profile: Field,
  { place, configs, images }: { readonly place: Place; readonly configs: Configs; readonly images: readonly ImportedImage[] },
): void {
  const name = profile.at('name')?.text();
  if (name === undefined) return;
  const into = (says: Says, before: Config): Config => ({
    ...before,
    profiles: { ...before.profiles, [name]: { ...before.profiles?.[name], ...says } },
  });
  importInto(profile, { place, configs, known: images, isProfile: true, into });
  const activation = (profile.at('activation')?.items() ?? []).flatMap((each) => activationOf(each, place) ?? []);
  if (activation.length === 0) return;
  // The root's is active in every project that has one of its name.
  const root = configs.get('slipway.yaml') ?? { version: 1 };
  const active = { ...root.profiles?.[name], activation };
  configs.set('slipway.yaml', { ...root, profiles: { ...root.profiles, [name]: active } });
}

function activationOf(field: Field, place: Place): Activation | undefined {
  const env = field.at('env')?.text();
  const context = field.at('kubeContext')?.text();
  const command = field.at('command')?.text();
  const glob = context?.replaceAll('.*', '*');
  const isPlain = (text: string): boolean => /^[\w@:/.*-]+$/.test(text);
  const modes: Readonly<Record<string, 'dev' | 'deploy'>> = { dev: 'dev', run: 'deploy', deploy: 'deploy', build: 'deploy' };
  const mode = command === undefined ? undefined : modes[command];
  const understood = [
    env === undefined || /^\w+=[\w@:/.-]+$/.test(env),
    glob === undefined || isPlain(glob),
    command === undefined || mode !== undefined,
  ];
  if (understood.includes(false)) {
    place.note(field, 'is a pattern that has no counterpart: ask for the profile with --profile, or write its activation');
    return undefined;
  }
  const made = { ...(env !== undefined && { env }), ...(glob !== undefined && { context: glob }), ...(mode !== undefined && { mode }) };
  return Object.keys(made).length === 0 ? undefined : made;
}

function textOf(config: Config, from: readonly WorkspacePath[]): string {
  const document = new Document(config);
  document.commentBefore = ` From ${from.join(', ')}.`;
  return document.toString({ lineWidth: 0 });
}

function notThere(file: WorkspacePath): Problem {
  return {
    code: 'fileNotFound',
    message: `there is no ${file}`,
    hint: 'name a skaffold.yaml, relative to the workspace',
    retry: 'never',
    exitCode: 2,
  };
}

function placeOf({ file, line }: Location): string {
  return `${file}:${String(line ?? 1)}`;
}

function notReadable(location: Location, message: string): Problem {
  return {
    code: 'invalidYaml',
    message: `${placeOf(location)}: not valid YAML: ${message.split('\n')[0] ?? ''}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}

function notSkaffold(location: Location): Problem {
  return {
    code: 'notSkaffold',
    message: `${placeOf(location)}: it is no config of Skaffold, which begins with apiVersion: skaffold/…`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}
