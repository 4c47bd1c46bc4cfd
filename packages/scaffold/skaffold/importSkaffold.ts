import type { Config } from '../../config';
import { joinPath } from '../../graph';
import { folderOf, type Location, type Problem, type WorkspacePath } from '../../model';
import { deploymentsOf } from './deployments';
import type { Field } from '../imports/field';
import {
  importedFrom,
  placeOf,
  readSheets,
  type Configs,
  type Imported,
  type ImportNote,
  type ImportRequest,
  type Sheets,
} from '../imports/imported';
import { homesOf, imageOf, type ImportedImage } from './images';
import { imagesSaid } from '../imports/images';
import type { Place } from '../imports/place';
import { tagOf } from './tags';

type Says = Omit<Config, 'version'>;
type Activation = NonNullable<NonNullable<NonNullable<Config['profiles']>[string]>['activation']>[number];

/**
 * Makes slipway.yaml files of those of Skaffold: each project gets what is its own, the root what holds for all. A file that is there already
 * is never written over. Everything that has no counterpart is told with its place.
 */
export function importSkaffold({ files, projects, from }: ImportRequest, sheets: readonly Sheets[]): Imported {
  const notes: ImportNote[] = [];
  const problems: Problem[] = [];
  const configs: Configs = new Map();
  const read = new Set(from);
  // What is found to be required is read too.
  for (const file of read) {
    const { roots, problem } = sheets.find((each) => each.file === file) ?? readSheets(file, files);
    if (problem) problems.push(problem);
    const folder = folderOf(file);
    for (const root of roots) {
      if (!isSkaffold(root)) {
        problems.push(notSkaffold(root.location()));
        continue;
      }
      const note = (field: Field, sentence: string): void => void notes.push({ location: field.location(), field: field.path, sentence });
      for (const required of requiredFiles(root, { files, folder })) read.add(required);
      importDocument(root, { files, projects, folder, note }, configs);
      for (const field of root.untaken()) note(field, 'was not taken over');
    }
  }
  return importedFrom({ files, read: [...read] }, { configs, notes, problems });
}

/** Whether it is a document of Skaffold. */
export function isSkaffold(root: Field): boolean {
  return root.at('apiVersion')?.text()?.startsWith('skaffold/') === true;
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
  const artifacts = build?.at('artifacts')?.items() ?? [];
  const homes = homesOf(
    artifacts,
    place,
    known.map(({ image, project }) => [image, project]),
  );
  const images = artifacts.flatMap((artifact) => imageOf(artifact, place, homes) ?? []);
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

function notSkaffold(location: Location): Problem {
  return {
    code: 'notSkaffold',
    message: `${placeOf(location)}: it is no config of Skaffold, which begins with apiVersion: skaffold/…`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}
