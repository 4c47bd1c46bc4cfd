import type { Config, ReadConfig } from '../config';
import type { Location, WorkspacePath } from '../model';
import type { GraphProject } from './graphSource';

export type ConfigAt = ReadConfig & {
  readonly path: WorkspacePath;
  /** Its profiles that are active. */
  readonly active?: readonly string[];
};

export interface ProjectSettings {
  readonly project: GraphProject;
  /** The project's own over the root's. */
  readonly config: Config;
  /** The project's own slipway.yaml, when it has one. */
  readonly own: ConfigAt | undefined;
  /** The root's. */
  readonly inherited: ConfigAt | undefined;
}

/** Where a sign of a text of the config stands, in the file that it comes from. */
export function placeIn(
  { own, inherited }: Pick<ProjectSettings, 'own' | 'inherited'>,
  keys: readonly (string | number)[],
  offset = 0,
): Location | undefined {
  return own?.locateIn(keys, offset) ?? inherited?.locateIn(keys, offset);
}

/** Whether a config, or a part of it, has something under these keys. */
export function isSaid(value: unknown, keys: readonly (string | number)[]): boolean {
  let at = value;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = (at as Readonly<Record<string | number, unknown>>)[key];
  }
  return true;
}
