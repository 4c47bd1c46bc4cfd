import picomatch from 'picomatch';
import type { ActivationConfig, Config, ProfileConfig } from './config';
import { formsBelow, withoutRivals, type Form } from './rivals';
import { rootSchema } from './schema';

/** What decides which profiles are active. */
export interface ProfileChoice {
  /** As they were asked for: `staging` is active, `-staging` is not, whatever would make it so. */
  readonly asked: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly mode: 'dev' | 'deploy';
  /** The context of the kubeconfig; only asked when a profile wants to know. */
  readonly context: () => string | undefined;
}

/** The names of the profiles of a config that are active: first those by themselves, in the order of the file, then those asked for, as asked. */
export function activeProfiles({ profiles = {} }: Pick<Config, 'profiles'>, choice: ProfileChoice): readonly string[] {
  const asked = choice.asked.filter((name) => Object.hasOwn(profiles, name));
  const byThemselves = Object.entries(profiles)
    .filter(([name, profile]) => !asked.includes(name) && !choice.asked.includes(`-${name}`) && isActive(profile ?? {}, choice))
    .map(([name]) => name);
  return [...new Set([...byThemselves, ...asked])];
}

/**
 * The config with what its active profiles say: maps are merged key by key, all else is replaced, and the later profile wins. Of keys
 * that may not stand together, as the taggers of an image, the profile's replaces the other one.
 */
export function withProfiles(config: Config, active: readonly string[]): Config {
  return active.reduce<Config>((over, name) => {
    const says = Object.entries(config.profiles?.[name] ?? {}).filter(([key]) => key !== 'activation');
    return overlay(over, Object.fromEntries(says), [rootSchema]) as Config;
  }, config);
}

/** Any entry will do; of one entry all must hold. */
function isActive({ activation = [] }: ProfileConfig, choice: ProfileChoice): boolean {
  return activation.some((each) => holds(each, choice));
}

function holds({ env, context, mode }: ActivationConfig, choice: ProfileChoice): boolean {
  if (mode !== undefined && mode !== choice.mode) return false;
  if (env !== undefined && !hasVariable(env, choice.env)) return false;
  return context === undefined || picomatch.isMatch(choice.context() ?? '', context);
}

/** `NAME`: it is there and not empty. `NAME=value`: it is this. */
function hasVariable(wanted: string, env: ProfileChoice['env']): boolean {
  const at = wanted.indexOf('=');
  return at < 0 ? (env[wanted] ?? '') !== '' : env[wanted.slice(0, at)] === wanted.slice(at + 1);
}

type Mapping = Readonly<Record<string, unknown>>;

/** `forms`: what the schema allows there. */
function overlay(under: unknown, over: unknown, forms: readonly Form[]): unknown {
  if (!isMapping(under) || !isMapping(over)) return over;
  const kept = withoutRivals(under, Object.keys(over), forms);
  const both = Object.entries(over).map(([key, value]) => [
    key,
    Object.hasOwn(kept, key) ? overlay(kept[key], value, formsBelow(forms, key)) : value,
  ]);
  return { ...kept, ...Object.fromEntries(both) };
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
