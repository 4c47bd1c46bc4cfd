import type { Notice } from '../model';
import { heldByProject, inheritedFrom } from './saidSettings';
import { isSaid, type ConfigAt } from './settings';

/**
 * What the root's config says that is no default for projects, such as `hooks` or `image.name`: it is of a project at the root, and where
 * there is none, of nobody.
 */
export function unheeded({ config, locate }: ConfigAt): readonly Notice[] {
  if (!config) return [];
  const places = missingIn(inheritedFrom(config), heldByProject(config)).map((keys) => ({ keys, at: locate(keys) }));
  return places
    .sort((one, other) => (one.at.line ?? 0) - (other.at.line ?? 0))
    .map(({ keys, at }) => ({
      message: `${at.file}:${at.line ?? 1}: ${keys.join('.')} counts for nobody: it is no default for projects, and no project is at the root`,
      hint: 'write it in the slipway.yaml of the project that it is meant for',
    }));
}

/** The keys of a map that another one does not have; of a map that is missing its own key alone. */
function missingIn(other: object, map: object, keys: readonly string[] = []): readonly (readonly string[])[] {
  return Object.entries(map).flatMap(([key, value]: [string, unknown]) => {
    const at = [...keys, key];
    if (!isSaid(other, at)) return [at];
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? missingIn(other, value, at) : [];
  });
}
