import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Processes } from './processes';

/** How to be let in: a name and a password, or a token that is exchanged for others. */
export type RegistryLogin =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identityToken'; readonly token: string };

export interface RegistryLogins {
  /** What Docker's config knows for a registry (`docker.io`, `localhost:5000`), or undefined. */
  find(registry: string): Promise<RegistryLogin | undefined>;
}

interface DockerConfig {
  readonly auths?: Readonly<
    Record<string, { readonly auth?: string; readonly identitytoken?: string; readonly username?: string; readonly password?: string }>
  >;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** A helper takes up to a second, and what it hands out lasts for an hour or more. */
const rememberMs = 120_000;

/** Where Docker's own config is. */
export function dockerConfigFolder(env: Readonly<Record<string, string | undefined>>): string {
  return env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.docker');
}

/** The parsed JSON of a file, or undefined when there is none or it is not JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads logins as `docker` does: the registry's own helper, the common store, then what is in the file. */
export function registryLogins(env: Readonly<Record<string, string | undefined>>, processes: Processes): RegistryLogins {
  const remembered = new Map<string, { readonly until: number; readonly login: Promise<RegistryLogin | undefined> }>();
  return {
    find(registry) {
      const known = remembered.get(registry);
      if (known && known.until > Date.now()) return known.login;
      const login = findLogin(registry, env, processes);
      remembered.set(registry, { until: Date.now() + rememberMs, login });
      return login;
    },
  };
}

async function findLogin(
  registry: string,
  env: Readonly<Record<string, string | undefined>>,
  processes: Processes,
): Promise<RegistryLogin | undefined> {
  const folder = dockerConfigFolder(env);
  const config = (readJson(join(folder, 'config.json')) ?? {}) as DockerConfig;
  const keys = keysOf(registry);
  const helper = keys.map((key) => config.credHelpers?.[key]).find((name) => name !== undefined) ?? config.credsStore;
  if (helper) {
    for (const key of keys) {
      const login = await askHelper(helper, key, env, processes);
      if (login) return login;
    }
  }
  for (const [key, entry] of Object.entries(config.auths ?? {})) {
    if (!keys.includes(key) && !keys.includes(key.replace(/^https?:\/\//, '').replace(/\/.*$/, ''))) continue;
    if (entry.identitytoken) return { kind: 'identityToken', token: entry.identitytoken };
    const [username = '', ...rest] = entry.auth
      ? Buffer.from(entry.auth, 'base64').toString('utf8').split(':')
      : [entry.username, entry.password ?? ''];
    if (username) return { kind: 'password', username, password: rest.join(':') };
  }
  return undefined;
}

/** Docker Hub goes by an old address in Docker's config. */
function keysOf(registry: string): readonly string[] {
  return registry === 'docker.io'
    ? ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io']
    : [registry, `https://${registry}`];
}

/** A helper that is missing or knows nothing is no login: the registry then says what it wants. */
async function askHelper(
  name: string,
  key: string,
  env: Readonly<Record<string, string | undefined>>,
  processes: Processes,
): Promise<RegistryLogin | undefined> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const ran = await processes.run({
    command: `docker-credential-${name}`,
    args: ['get'],
    cwd: homedir(),
    env: Object.fromEntries(set),
    input: key,
  });
  if (!ran.ok || ran.value.exitCode !== 0) return undefined;
  const { Username: username = '', Secret: secret = '' } = parsedAnswer(ran.value.stdout);
  if (secret === '') return undefined;
  return username === '<token>' ? { kind: 'identityToken', token: secret } : { kind: 'password', username, password: secret };
}

function parsedAnswer(text: string): { readonly Username?: string; readonly Secret?: string } {
  try {
    return JSON.parse(text) as { Username?: string; Secret?: string };
  } catch {
    return {};
  }
}
