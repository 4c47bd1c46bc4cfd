import type { OtherObject } from '../config';
import { eachTextAt, type ImageField } from '../model';

/** The names of images in objects of kinds that the config says where to look in. */
export function imagesInFields(objects: readonly OtherObject[], fields: readonly ImageField[] = []): ReadonlySet<string> {
  const images = new Set<string>();
  for (const { kind, path } of fields)
    for (const { object } of objects.filter((each) => each.kind === kind)) eachTextAt(object, path, (image) => images.add(image));
  return images;
}
