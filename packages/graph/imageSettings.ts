import { mergeImage, type Config, type NamedImageConfig } from '../config';
import { withoutScope, type ArtifactName } from '../model';
import type { ConfigAt, ProjectSettings } from './settings';

/** The settings of one image of a project: their `image`, `sync` and `reload` are those of this image, and lead to where they are written. */
export interface ImageSettings extends ProjectSettings {
  readonly artifact: ArtifactName;
  /** Its name as manifests have it, also when it cannot be made. */
  readonly image: string;
  /** What it is called in `images`. Absent: the project has one image. */
  readonly nameInProject?: string;
  /** Where it is described, for people: `image`, or `images.migrate`. */
  readonly imageKey: string;
}

/** The images of a project as its config names them. One, when it names none. */
export function imagesOf(settings: ProjectSettings): readonly ImageSettings[] {
  const { config } = settings;
  return namedIn(settings).map(({ nameInProject, ...names }): ImageSettings => {
    if (nameInProject === undefined) return { ...settings, ...names, imageKey: 'image' };
    const named = config.images?.[nameInProject] ?? {};
    return {
      ...settings,
      ...names,
      config: { ...withNamed(config, named), image: mergeImage(config.image, named) },
      own: settings.own && viewOf(settings.own, { nameInProject, named }),
      nameInProject,
      imageKey: `images.${nameInProject}`,
    };
  });
}

/** What the images of a project are called in manifests. */
export function imageNamesOf(settings: NamedSettings): readonly string[] {
  return namedIn(settings).map(({ image }) => image);
}

interface NamedSettings {
  readonly project: { readonly name: string };
  readonly config: Config;
}

function namedIn({ project: { name }, config }: NamedSettings): readonly Pick<ImageSettings, 'artifact' | 'image' | 'nameInProject'>[] {
  const bare = withoutScope(name);
  if (!config.images) return [{ artifact: name, image: config.image?.name ?? bare }];
  return Object.entries(config.images).map(([nameInProject, named]) => {
    const isMain = nameInProject === bare;
    return {
      artifact: isMain ? name : `${name}/${nameInProject}`,
      image: named?.name ?? (isMain ? bare : `${bare}-${nameInProject}`),
      nameInProject,
    };
  });
}

function withNamed(config: Config, { sync, reload }: NamedImageConfig): Config {
  return { ...config, ...(sync && { sync: { ...config.sync, ...sync } }), ...(reload !== undefined && { reload }) };
}

interface Named {
  readonly nameInProject: string;
  readonly named: NamedImageConfig;
}

/** The config as if it were that of a project with this image alone. */
function viewOf(own: ConfigAt, { nameInProject, named }: Named): ConfigAt {
  const isNamed = ([first, second]: readonly (string | number)[]): boolean =>
    first === 'image' ||
    (first === 'reload' && named.reload !== undefined) ||
    (first === 'sync' && named.sync !== undefined && (second === undefined || Object.hasOwn(named.sync, second)));
  const written = (keys: readonly (string | number)[]): readonly (string | number)[] => {
    if (!isNamed(keys)) return keys;
    return ['images', nameInProject, ...(keys[0] === 'image' ? keys.slice(1) : keys)];
  };
  return {
    path: own.path,
    config: own.config && { ...withNamed(own.config, named), image: named },
    problems: own.problems,
    locate: (keys) => own.locate(written(keys)),
    locateIn: (keys, offset) => own.locateIn(written(keys), offset),
  };
}
