import { activeProfiles, withProfiles, type ProfileChoice } from '../config';
import { nearest, type Problem } from '../model';
import { isSaid, type ConfigAt } from './settings';

/** A config as its active profiles make it; what a profile says leads to where the profile says it. */
export function profiled(at: ConfigAt, choice: ProfileChoice): ConfigAt {
  const { config } = at;
  const active = config ? activeProfiles(config, choice) : [];
  if (!config || active.length === 0) return at;
  const written = (keys: readonly (string | number)[]): readonly (string | number)[] => {
    const saying = keys.length === 0 ? undefined : active.findLast((name) => isSaid(config.profiles?.[name], keys));
    return saying === undefined ? keys : ['profiles', saying, ...keys];
  };
  return {
    ...at,
    config: withProfiles(config, active),
    active,
    locate: (keys) => at.locate(written(keys)),
    locateIn: (keys, offset) => at.locateIn(written(keys), offset),
  };
}

/** What is wrong with the names that were asked for: nothing may be done as if they had not been. */
export function unknownProfiles(configs: readonly ConfigAt[], asked: readonly string[]): Problem | undefined {
  const known = new Set(configs.flatMap(({ config }) => Object.keys(config?.profiles ?? {})));
  const unknown = [...new Set(asked.map((name) => name.replace(/^-/, '')))].filter((name) => !known.has(name));
  const [first] = unknown;
  if (first === undefined) return undefined;
  const meant = unknown.length === 1 ? nearest(first, known) : undefined;
  const there = known.size === 0 ? 'no slipway.yaml has profiles' : `profiles that are there: ${[...known].sort().join(', ')}`;
  return {
    code: 'profileUnknown',
    message: `there is no profile ${unknown.join(' and none called ')} in this workspace`,
    hint: meant === undefined ? there : `perhaps ${meant} was meant`,
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
