import type { ArtifactName } from '../model';
import { nameOf, parseReference } from '../tag';

/** A reference in the parts that charts and commands take. */
export interface ImageParts {
  readonly whole: string;
  readonly registry: string;
  /** Without the registry. */
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

export interface KnownImages {
  readonly images: Readonly<Record<ArtifactName, { readonly ref: string }>>;
  /** Artifact → its image's name as it stands in manifests, without tag. */
  readonly imageNames: Readonly<Record<ArtifactName, string>>;
}

/** Images by their name as manifests have it. */
export function imagesByName({ images, imageNames }: KnownImages): ReadonlyMap<string, ImageParts> {
  return new Map(
    Object.entries(images).flatMap(([artifact, { ref }]) => {
      const parsed = parseReference(ref);
      const name = imageNames[artifact];
      if (!parsed.ok || name === undefined) return [];
      const { registry = '', repository, tag = '', digest = '' } = parsed.value;
      return [[name, { whole: ref, registry, path: repository, tag, digest }] as const];
    }),
  );
}

export function repositoryOf({ registry, path }: ImageParts): string {
  return nameOf({ registry: registry === '' ? undefined : registry, repository: path, tag: undefined, digest: undefined });
}

/** What templates and hooks know of images: `IMAGE_TAG_shop_pricing`, and for the project's own also `IMAGE_TAG`. */
export function imageVariables(known: ReadonlyMap<string, ImageParts>, own: string | undefined): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, image] of known) {
    const suffixes = [`_${name.replace(/\W/g, '_')}`, ...(name === own ? [''] : [])];
    for (const suffix of suffixes) {
      variables[`IMAGE${suffix}`] = image.whole;
      variables[`IMAGE_REGISTRY${suffix}`] = image.registry;
      variables[`IMAGE_REPO${suffix}`] = repositoryOf(image);
      variables[`IMAGE_TAG${suffix}`] = image.tag;
      variables[`IMAGE_DIGEST${suffix}`] = image.digest;
    }
  }
  return variables;
}
