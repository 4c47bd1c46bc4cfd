import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine } from './dockerHost';

const folder = mkdtempSync(join(tmpdir(), 'docker-'));
afterAll(() => rmSync(folder, { recursive: true }));

function addContext(name: string, host: string): void {
  const meta = join(folder, 'contexts', 'meta', createHash('sha256').update(name).digest('hex'));
  mkdirSync(meta, { recursive: true });
  writeFileSync(join(meta, 'meta.json'), JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }));
}

describe('findEngine', () => {
  addContext('colima', 'unix:///home/me/.colima/docker.sock');
  addContext('remote', 'ssh://me@build.example');
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ currentContext: 'colima' }));
  const env = { DOCKER_CONFIG: folder };

  it.each([
    [
      'a socket that was asked for',
      { socketPath: '/x.sock', env: { ...env, DOCKER_HOST: 'tcp://other' } },
      'unix:///x.sock',
      { socketPath: '/x.sock' },
    ],
    ['DOCKER_HOST before any context', { env: { ...env, DOCKER_HOST: 'unix:///y.sock' } }, 'unix:///y.sock', { socketPath: '/y.sock' }],
    [
      'a host and its port',
      { env: { DOCKER_HOST: 'tcp://build.example:2375' } },
      'tcp://build.example:2375',
      { protocol: 'http', host: 'build.example', port: '2375' },
    ],
    [
      'DOCKER_CONTEXT before the current one',
      { env: { ...env, DOCKER_CONTEXT: 'remote' } },
      'ssh://me@build.example',
      { protocol: 'ssh', host: 'build.example', username: 'me' },
    ],
    ['the current context', { env }, 'unix:///home/me/.colima/docker.sock', { socketPath: '/home/me/.colima/docker.sock' }],
  ])('takes %s', (_name, options, name, expected) => {
    expect(findEngine(options)).toMatchObject({ ok: true, value: { name, options: expected } });
  });

  it('uses TLS where the port or a variable says so', () => {
    const found = findEngine({ env: { DOCKER_HOST: 'tcp://build.example:2376', DOCKER_CERT_PATH: folder } });
    expect(found).toMatchObject({ ok: true, value: { options: { protocol: 'https' } } });
  });

  it('says that a context does not exist', () => {
    expect(findEngine({ env: { ...env, DOCKER_CONTEXT: 'gone' } })).toMatchObject({
      ok: false,
      problem: { code: 'engineUnreachable', message: 'there is no docker context gone', exitCode: 3 },
    });
  });

  it('says that DOCKER_HOST is no address', () => {
    expect(findEngine({ env: { DOCKER_HOST: 'ftp://x' } })).toMatchObject({ ok: false, problem: { code: 'engineUnreachable' } });
  });
});
