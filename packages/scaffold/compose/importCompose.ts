import type { Config, ForwardConfig } from '../../config';
import { joinPath } from '../../graph';
import { folderOf, withoutScope, type Problem, type Project, type WorkspacePath } from '../../model';
import type { Field } from '../imports/field';
import { importedFrom, placeOf, type Configs, type Imported, type ImportNote, type ImportRequest, type Sheets } from '../imports/imported';
import { fromProject, ownerOf, type Place } from '../imports/place';
import { objectName } from '../objectName';
import { packagePatterns, serviceFolder } from '../packagePatterns';
import { imagesSaid, type NamedImage } from '../imports/images';
import { buildOf, imageSettingsOf, type ComposeBuild } from './buildSettings';
import { watchOf } from './watchRules';
import { workloadOf } from './workload';

export interface ComposeRequest extends ImportRequest {
  /** The file that makes a folder a project, and what stands in it. */
  readonly projectFile: (name: string) => { readonly name: string; readonly text: string };
}

/** A service, and the project that it is deployed with. */
interface Home {
  readonly name: string;
  readonly service: Field;
  readonly build: ComposeBuild | undefined;
  readonly project: Project;
  readonly isNew: boolean;
}

/**
 * Makes projects of the services of Compose files: what is built belongs to the project that has its Dockerfile; what is an image only, as a
 * database, gets a project of its own. Each gets manifests that say what the service says, and a slipway.yaml with what does not hold anyway.
 */
export function importCompose({ files, projects, from, projectFile }: ComposeRequest, sheets: readonly Sheets[]): Imported {
  const notes: ImportNote[] = [];
  const problems: Problem[] = [];
  const made: Parts = { configs: new Map(), others: [], projects: [] };
  for (const { file, roots, problem } of sheets) {
    if (problem) problems.push(problem);
    const folder = folderOf(file);
    const note = (field: Field, sentence: string): void => void notes.push({ location: field.location(), field: field.path, sentence });
    for (const root of roots) {
      if (!isCompose(root)) problems.push(notCompose(root));
      else importServices(root, { files, projects, folder, note }, { made, projectFile });
      for (const key of ['name', 'version', 'volumes', 'networks']) root.at(key)?.skip();
      for (const [key, field] of root.entries()) if (key.startsWith('x-')) field.skip();
      for (const field of root.untaken()) note(field, 'was not taken over');
    }
  }
  return importedFrom({ files, read: from }, { ...made, notes: withoutRepetition(notes), problems });
}

/** Whether it is a document of Compose. */
export function isCompose(root: Field): boolean {
  return (root.at('services')?.entries().length ?? 0) > 0 || root.has('include');
}

interface Parts {
  readonly configs: Configs;
  readonly others: { readonly path: WorkspacePath; readonly text: string }[];
  readonly projects: Project[];
}

function importServices(
  root: Field,
  place: Place,
  { made, projectFile }: { readonly made: Parts } & Pick<ComposeRequest, 'projectFile'>,
): void {
  const homes = (root.at('services')?.entries() ?? []).flatMap(([name, service]) => homeOf(name, service, place) ?? []);
  const homeByName = new Map(homes.map((home) => [home.name, home]));
  for (const project of new Set(homes.map((home) => home.project))) {
    const mine = homes.filter((home) => home.project === project);
    const imageBy = imagesOf(mine, place);
    const parts = mine.map((home) => {
      const image = imageBy.get(home)?.image ?? home.service.at('image')?.text() ?? '';
      return { home, ...workloadOf(home.service, { name: objectName(home.name), image, note: place.note }) };
    });
    const path = (home: Home): WorkspacePath => joinPath(project.root, `k8s/${objectName(home.name)}.yaml`);
    const hasManifests = place.files.namesIn(joinPath(project.root, 'k8s')).some((each) => /\.ya?ml$/.test(each));
    for (const { home, text } of parts) {
      if (hasManifests && place.files.kindOf(path(home)) === undefined)
        place.note(home.service, `${project.name} has manifests already: what would be ${path(home)} is\n${text}`);
      else made.others.push({ path: path(home), text });
      if (objectName(home.name) !== home.name)
        place.note(home.service, `is called ${objectName(home.name)}: other services reach it by that name`);
    }
    const dotEnv = joinPath(place.folder, '.env');
    for (const { home } of parts.filter(({ isTemplate }) => isTemplate && place.files.kindOf(dotEnv) === 'file'))
      place.note(
        home.service,
        `has variables, which are the environment's when it is deployed; ${dotEnv} is not read (set -a; . ./${dotEnv})`,
      );
    const templates = parts.filter(({ isTemplate }) => isTemplate).map(({ home }) => fromProject(project, path(home)));
    const requires = [...new Set(mine.flatMap((home) => needsOf(home, homeByName, place)))].filter((each) => each !== project.name);
    const portForward = parts.flatMap(({ home, ports }) =>
      ports.flatMap(({ container, local, protocol }): readonly ForwardConfig[] =>
        local === undefined || protocol === 'UDP'
          ? []
          : [{ resource: `service/${objectName(home.name)}`, port: container, localPort: local }],
      ),
    );
    const says: Omit<Config, 'version'> = {
      ...imagesSaid([...new Set(imageBy.values())], project),
      ...(templates.length > 0 && { apply: { hydrate: templates } }),
      ...(requires.length > 0 && { requires }),
      ...(portForward.length > 0 && { portForward }),
    };
    made.configs.set(joinPath(project.root, 'slipway.yaml'), { version: 1, ...says });
    if (mine.some(({ isNew }) => isNew)) {
      const { name, text } = projectFile(project.name);
      made.others.push({ path: joinPath(project.root, name), text });
      made.projects.push(project);
    }
  }
}

/** The project of a service. Undefined where it cannot be told, which is said. */
function homeOf(name: string, service: Field, place: Place): Home | undefined {
  const { projects, files } = place;
  const build = buildOf(service, place);
  const called = projects.find((project) => withoutScope(project.name) === name);
  if (!build) {
    if (called) return { name, service, build, project: called, isNew: false };
    const root = joinPath(serviceFolder(packagePatterns(files)), objectName(name));
    return { name, service, build, project: { name: objectName(name), root, dependencies: [] }, isNew: true };
  }
  const isWhole = ({ root }: Project): boolean => root === '';
  const found = [ownerOf(place, build.dockerfile), ownerOf(place, build.context)].find((project) => project && !isWhole(project)) ?? called;
  if (found) return { name, service, build, project: found, isNew: false };
  place.note(service, `is built from ${build.dockerfile}, which is in the folder of no project, so nothing is written for it`);
  service.skip();
  return undefined;
}

/** The images of a project, by service: those that are built in the same way share one. */
function imagesOf(homes: readonly Home[], place: Place): ReadonlyMap<Home, NamedImage> {
  const bySettings = new Map<string, NamedImage>();
  const byHome = new Map<Home, NamedImage>();
  for (const home of homes) {
    const { name, service, build, project } = home;
    if (!build) continue;
    const said = service.at('image')?.text();
    const settings = imageSettingsOf(build, project);
    const sync = watchOf(service, { project, context: build.context, dockerfile: build.dockerfile, place });
    const key = JSON.stringify(settings);
    const usual = withoutScope(project.name);
    const image = said !== undefined ? withoutTag(said) : bySettings.size === 0 ? usual : objectName(name);
    const made = bySettings.get(key) ?? {
      image,
      config: { ...(image !== usual && { name: image }), ...settings, ...(sync && { sync }) },
    };
    bySettings.set(key, made);
    byHome.set(home, made);
  }
  return byHome;
}

/** Without the tag and the registry's own variables: the tag is Slipway's. */
function withoutTag(reference: string): string {
  return reference.replace(/@.*$/, '').replace(/:[^/:{}]*(\$\{[^}]*\})?$/, '');
}

/** The projects of the services that one depends on. */
function needsOf({ service }: Home, homes: ReadonlyMap<string, Home>, place: Place): readonly string[] {
  const field = service.at('depends_on');
  const named = [...(field?.entries() ?? []).map(([name]) => name), ...(field?.texts() ?? [])];
  field?.skip();
  return named.flatMap((name) => {
    const home = homes.get(name);
    if (!home && field) place.note(field, `there is no service ${name}`);
    return home ? [home.project.name] : [];
  });
}

/** What stands once, and is taken over by several services, is told once. */
function withoutRepetition(notes: readonly ImportNote[]): readonly ImportNote[] {
  const key = ({ location, sentence }: ImportNote): string => JSON.stringify([location, sentence]);
  return [...new Map(notes.map((note) => [key(note), note])).values()];
}

function notCompose(root: Field): Problem {
  const location = root.location();
  return {
    code: 'notCompose',
    message: `${placeOf(location)}: it is no file of Compose, which has services`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}
