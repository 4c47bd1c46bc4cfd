import type { ManifestContainer } from '../config';
import { fullName, type ArtifactName } from '../model';
import type { ProjectImage } from './artifact';
import type { ImageSettings } from './imageSettings';
import type { SourceFacts } from './manifestSources';
import type { ProjectSettings } from './settings';

/** Projects that were asked for, and those whose services they require. Undefined where a name is none: what there is has to be told then. */
export function neededProjects(only: readonly string[], settings: readonly ProjectSettings[]): ReadonlySet<string> | undefined {
  const byName = new Map(settings.map((each) => [each.project.name, each] as const));
  const names = [...byName.keys()];
  const needed = new Set<string>();
  const add = (name: string): void => {
    const found = byName.get(name);
    if (!found || needed.has(name)) return;
    needed.add(name);
    for (const one of found.config.requires ?? []) add(fullName(typeof one === 'string' ? one : one.project, names));
  };
  if (only.some((name) => !byName.has(name))) return undefined;
  only.forEach(add);
  return needed;
}

interface WithManifests {
  readonly project: { readonly name: string };
  readonly manifests: SourceFacts;
}

/** The containers of all manifests that may run an image. Of projects that are not needed only manifests with its name in them are read. */
export function containersBy(
  all: readonly WithManifests[],
  needed: ReadonlySet<string> | undefined,
): (image: string) => readonly ManifestContainer[] {
  let every: readonly ManifestContainer[] | undefined;
  return (image) => {
    if (!needed) return (every ??= all.flatMap(({ manifests }) => manifests.containers));
    // Whatever stands before it: a repository may be written in several ways.
    const word = image.slice(image.lastIndexOf('/') + 1);
    return all
      .filter(({ project, manifests }) => needed.has(project.name) || manifests.mentions(word))
      .flatMap(({ manifests }) => manifests.containers);
  };
}

/** Makes the images that are needed, those that they stand on, and those whose names could be taken for one of theirs; in the order of all. */
export function makeImages<Settings extends ImageSettings>(
  all: readonly Settings[],
  {
    isNeeded,
    makeImage,
  }: { readonly isNeeded: (image: Settings) => boolean; readonly makeImage: (image: Settings) => ProjectImage | undefined },
): readonly ProjectImage[] {
  const made = new Map<Settings, ProjectImage | undefined>();
  const required = new Set<ArtifactName>();
  const names = new Set<string>();
  const make = (settings: Settings): void => {
    const image = makeImage(settings);
    made.set(settings, image);
    names.add(settings.image);
    for (const name of [settings.artifact, ...(image?.required ?? []).map((each) => each.name)]) required.add(name);
  };
  let next = all.filter(isNeeded);
  while (next.length > 0) {
    next.forEach(make);
    next = all.filter((each) => !made.has(each) && (required.has(each.artifact) || names.has(each.image)));
  }
  return all.flatMap((each) => made.get(each) ?? []);
}
