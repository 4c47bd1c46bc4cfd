import type { Config, ImageConfig } from '../../config';
import { withoutScope, type Project } from '../../model';

export type ImportedImageConfig = ImageConfig & Pick<Config, 'sync'>;

/** An image by its name, and what its project says of it. */
export interface NamedImage {
  readonly image: string;
  readonly config: ImportedImageConfig;
}

/** What a project says of its images: `image`, or `images` with a name for each. */
export function imagesSaid(images: readonly NamedImage[], project: Project): Pick<Config, 'image' | 'images' | 'sync'> {
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
