import { stringify } from 'yaml';
import { fillTemplate } from '../../config';
import type { HelmSource } from '../../model';
import { nameOf, parseReference } from '../../tag';
import type { DeployContext } from '../deployer';

/** Arguments that give helm its values, and what it reads from standard input. Order of helm's: files, then what is set. Pure. */
export function helmValues(
  source: HelmSource,
  context: Pick<DeployContext, 'images' | 'imageNames' | 'ownImage'>,
): { readonly args: readonly string[]; readonly input: string } {
  const images = imagesByName(context);
  const templated = templatesOf(source, { images, own: context.ownImage });
  const set = [...Object.entries(imageValues(source, images)), ...Object.entries(source.setValues), ...Object.entries(templated)];
  return {
    args: [
      ...source.valuesFiles.flatMap((file) => ['--values', file]),
      '--values',
      '-',
      // As JSON a value keeps its type, and its commas are no separators.
      ...set.flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]),
      ...Object.entries(source.setFiles).flatMap(([path, file]) => ['--set-file', `${path}=${file}`]),
    ],
    input: stringify(source.values),
  };
}

/** A reference in the parts that charts take. */
interface ImageParts {
  readonly whole: string;
  readonly registry: string;
  /** Without the registry. */
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

function imagesByName({ images, imageNames }: Pick<DeployContext, 'images' | 'imageNames'>): ReadonlyMap<string, ImageParts> {
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

function imageValues({ images, imageStrategy }: HelmSource, known: ReadonlyMap<string, ImageParts>): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const [path, name] of Object.entries(images)) {
    const image = known.get(name);
    if (!image) continue;
    // `repository:tag` of a chart is a whole reference with its digest, too.
    const tag = image.digest === '' ? image.tag : `${image.tag}@${image.digest}`;
    switch (imageStrategy) {
      case 'fqn':
        values[path] = image.whole;
        break;
      case 'repository+tag':
        values[`${path}.repository`] = repositoryOf(image);
        values[`${path}.tag`] = tag;
        break;
      case 'registry+repository+tag':
        values[`${path}.registry`] = image.registry;
        values[`${path}.repository`] = image.path;
        values[`${path}.tag`] = tag;
    }
  }
  return values;
}

function repositoryOf({ registry, path }: ImageParts): string {
  return nameOf({ registry: registry === '' ? undefined : registry, repository: path, tag: undefined, digest: undefined });
}

function templatesOf(
  { setValueTemplates }: HelmSource,
  { images, own }: { readonly images: ReadonlyMap<string, ImageParts>; readonly own: string | undefined },
): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, image] of images) {
    const suffixes = [`_${name.replace(/\W/g, '_')}`, ...(name === own ? [''] : [])];
    for (const suffix of suffixes) {
      variables[`IMAGE${suffix}`] = image.whole;
      variables[`IMAGE_REGISTRY${suffix}`] = image.registry;
      variables[`IMAGE_REPO${suffix}`] = repositoryOf(image);
      variables[`IMAGE_TAG${suffix}`] = image.tag;
      variables[`IMAGE_DIGEST${suffix}`] = image.digest;
    }
  }
  return Object.fromEntries(
    Object.entries(setValueTemplates).map(([path, template]) => [path, fillTemplate(template, { value: (name) => variables[name] }).text]),
  );
}
