import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeProcesses } from '../testkit/fakeProcesses';
import { registryLogins, type RegistryLogin } from './registryLogin';

const folder = mkdtempSync(join(tmpdir(), 'docker-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What helpers know, by their names and by what they are asked for. */
const helpers: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  'docker-credential-cloud': {
    'cloud.test': { Username: '_json_key', Secret: 'a:b' },
    'tokens.test': { Username: '<token>', Secret: 't' },
  },
  'docker-credential-desktop': {
    'https://index.docker.io/v1/': { Username: 'me', Secret: 'hub' },
    'https://other.test': { Username: 'me', Secret: 'other' },
    'cloud.test': { Username: 'me', Secret: 'old' },
  },
};

function logins(config: object) {
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const processes = fakeProcesses(({ command, input }) => {
    const helper = helpers[command];
    const known = helper?.[input ?? ''];
    if (!helper) return undefined;
    return known ? { stdout: JSON.stringify(known) } : { exitCode: 1, stdout: 'credentials not found in native keychain' };
  });
  return { known: registryLogins({ DOCKER_CONFIG: folder }, processes), runs: processes.runs };
}

describe('a login', () => {
  const config = {
    credsStore: 'desktop',
    credHelpers: { 'cloud.test': 'cloud', 'tokens.test': 'cloud', 'silent.test': 'missing' },
    auths: {
      'file.test': { auth: Buffer.from('bob:pass:word').toString('base64') },
      'https://long.test/v2/': { username: 'ann', password: 'p' },
      'silent.test': { identitytoken: 'i' },
    },
  };
  const password = (username: string, secret: string): RegistryLogin => ({ kind: 'password', username, password: secret });

  it.each<[string, string, RegistryLogin | undefined]>([
    ['the helper of the registry, before the store', 'cloud.test', password('_json_key', 'a:b')],
    ['a helper that has a token', 'tokens.test', { kind: 'identityToken', token: 't' }],
    ['the store, by the old address of Docker Hub', 'docker.io', password('me', 'hub')],
    ['the store, by an address with a scheme', 'other.test', password('me', 'other')],
    ['the file, where the store knows nothing', 'file.test', password('bob', 'pass:word')],
    ['the file, by a whole address', 'long.test', password('ann', 'p')],
    ['the file, where the helper is not there', 'silent.test', { kind: 'identityToken', token: 'i' }],
    ['nobody', 'unknown.test', undefined],
  ])('comes from %s', async (_, registry, login) => {
    expect(await logins(config).known.find(registry)).toEqual(login);
  });

  it('is asked of a helper once for many requests', async () => {
    const { known, runs } = logins(config);
    await Promise.all([known.find('cloud.test'), known.find('cloud.test')]);
    expect(await known.find('cloud.test')).toEqual(password('_json_key', 'a:b'));
    expect(runs).toHaveLength(1);
  });
});
