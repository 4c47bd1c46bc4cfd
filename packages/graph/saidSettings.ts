import { mergeConfig, type Config } from '../config';
import type { Location } from '../model';
import { isSaid, type ConfigAt, type ProjectSettings } from './settings';

/** A setting that a slipway.yaml has, and where it stands: `image.docker.args.VERSION`. */
export interface SaidSetting {
  readonly key: string;
  readonly value: unknown;
  readonly location: Location;
}

/** What holds for a project, of its own config, of the root's and of active profiles. */
export function saidOfProject({ config, own, inherited }: ProjectSettings): readonly SaidSetting[] {
  return leaves(heldByProject(config)).flatMap(({ keys, value }) => {
    const says = own && isSaid(own.config, keys) ? own : inherited;
    return says ? [{ key: nameOf(keys), value, location: says.locate(keys) }] : [];
  });
}

/** What the root's config says of the whole workspace, and not of each project. */
export function saidOfWorkspace(root: ConfigAt | undefined): readonly SaidSetting[] {
  if (!root?.config) return [];
  const ofProjects = heldByProject(root.config);
  return leaves(root.config)
    .filter(({ keys: [first] }) => first !== undefined && !Object.hasOwn(ofProjects, first))
    .map(({ keys, value }) => ({ key: nameOf(keys), value, location: root.locate(keys) }));
}

/** Lists are of one piece. */
function leaves(value: unknown, keys: readonly string[] = []): readonly { readonly keys: readonly string[]; readonly value: unknown }[] {
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ keys, value }];
  return Object.entries(value)
    .filter(([key]) => keys.length > 0 || !['version', 'profiles'].includes(key))
    .flatMap(([key, each]) => leaves(each, [...keys, key]));
}

/** What a config says for a project whose own it is: without what only the root can say of the workspace. */
export function heldByProject(config: Config): Config {
  return mergeConfig({ version: 1 }, config);
}

/** What the root's config says for projects that say nothing themselves. */
export function inheritedFrom(root: Config): Config {
  return mergeConfig(root, { version: 1 });
}

function nameOf(keys: readonly string[]): string {
  return keys.join('.');
}
