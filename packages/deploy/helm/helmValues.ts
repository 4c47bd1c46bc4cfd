import { stringify } from 'yaml';
import { fillTemplate } from '../../config';
import type { HelmSource } from '../../model';
import type { DeployContext } from '../deployer';
import { imagesByName, imageVariables, repositoryOf, type ImageParts, type KnownImages } from '../imageVariables';

/** Arguments that give helm its values, and what it reads from standard input. Order of helm's: files, then what is set. Pure. */
export function helmValues(
  source: HelmSource,
  context: KnownImages & Pick<DeployContext, 'ownImage'>,
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

function templatesOf(
  { setValueTemplates }: HelmSource,
  { images, own }: { readonly images: ReadonlyMap<string, ImageParts>; readonly own: string | undefined },
): Readonly<Record<string, string>> {
  const variables = imageVariables(images, own);
  return Object.fromEntries(
    Object.entries(setValueTemplates).map(([path, template]) => [path, fillTemplate(template, { value: (name) => variables[name] }).text]),
  );
}
