import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DockerOptions } from 'dockerode';
import { type Problem, type Result, failed, succeeded } from '../model';
import { dockerConfigFolder, readJson } from './registryLogin';

/** Where the engine is. */
export interface EngineAddress {
  /** As a person would write it: `unix:///var/run/docker.sock`. */
  readonly name: string;
  /** Who said so: `DOCKER_HOST`, `the docker context colima`. */
  readonly because: string;
  readonly options: DockerOptions;
}

type Env = Readonly<Record<string, string | undefined>>;

interface ContextMeta {
  readonly Endpoints?: { readonly docker?: { readonly Host?: string } };
}

/** Finds the engine as `docker` does: DOCKER_HOST, then DOCKER_CONTEXT, then the current context of Docker's config, then the usual socket. */
export function findEngine({ env, socketPath }: { readonly env: Env; readonly socketPath?: string }): Result<EngineAddress> {
  if (socketPath !== undefined) return parseHost(`unix://${socketPath}`, 'asked for', tlsFiles(undefined));
  const host = env['DOCKER_HOST'];
  if (host) {
    const verify = Boolean(env['DOCKER_TLS_VERIFY']) || host.endsWith(':2376');
    return parseHost(host, 'DOCKER_HOST', tlsFiles(verify ? (env['DOCKER_CERT_PATH'] ?? dockerConfigFolder(env)) : undefined));
  }
  const folder = dockerConfigFolder(env);
  const config = (readJson(join(folder, 'config.json')) ?? {}) as { readonly currentContext?: string };
  const context = env['DOCKER_CONTEXT'] ?? config.currentContext ?? 'default';
  return context === 'default' || context === ''
    ? parseHost(usualSocket(), 'the usual place', tlsFiles(undefined))
    : ofContext(folder, context);
}

/** Contexts are filed under the hash of their name. */
function ofContext(folder: string, name: string): Result<EngineAddress> {
  const hash = createHash('sha256').update(name).digest('hex');
  const meta = readJson(join(folder, 'contexts', 'meta', hash, 'meta.json')) as ContextMeta | undefined;
  const host = meta?.Endpoints?.docker?.Host;
  if (host === undefined) {
    return failed({
      code: 'engineUnreachable',
      message: `there is no docker context ${name}`,
      hint: 'choose one that exists: docker context ls',
      retry: 'afterDelay',
      exitCode: 3,
    });
  }
  const tls = join(folder, 'contexts', 'tls', hash, 'docker');
  return parseHost(host, `the docker context ${name}`, tlsFiles(existsSync(tls) ? tls : undefined));
}

function usualSocket(): string {
  if (process.platform === 'win32') return 'npipe:////./pipe/docker_engine';
  const own = join(homedir(), '.docker', 'run', 'docker.sock');
  return !existsSync('/var/run/docker.sock') && existsSync(own) ? `unix://${own}` : 'unix:///var/run/docker.sock';
}

type TlsFiles = Pick<DockerOptions, 'ca' | 'cert' | 'key'>;

function tlsFiles(folder: string | undefined): TlsFiles | undefined {
  if (folder === undefined) return undefined;
  const read = (name: string): Buffer | undefined => (existsSync(join(folder, name)) ? readFileSync(join(folder, name)) : undefined);
  return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

/** Every option is set, because the package fills what is absent from the DOCKER_HOST of this process. */
function parseHost(host: string, because: string, tls: TlsFiles | undefined): Result<EngineAddress> {
  const local = /^(?:unix|npipe):\/\/(.*)$/.exec(host)?.[1];
  if (local !== undefined) return succeeded({ name: host, because, options: { socketPath: local, host: undefined, protocol: 'http' } });
  try {
    const url = new URL(host.includes('://') ? host : `tcp://${host}`);
    if (url.protocol === 'ssh:') {
      const agent = process.env['SSH_AUTH_SOCK'];
      const sshOptions = agent === undefined ? {} : { agent };
      return succeeded({
        name: host,
        because,
        options: { protocol: 'ssh', host: url.hostname, port: url.port || 22, username: url.username, sshOptions },
      });
    }
    if (url.protocol === 'tcp:' || url.protocol === 'http:' || url.protocol === 'https:') {
      const secure = tls !== undefined || url.protocol === 'https:';
      const port = url.port || (secure ? 2376 : 2375);
      return succeeded({ name: host, because, options: { protocol: secure ? 'https' : 'http', host: url.hostname, port, ...tls } });
    }
  } catch {
    return failed(invalidHost(host, because));
  }
  return failed(invalidHost(host, because));
}

function invalidHost(host: string, because: string): Problem {
  return {
    code: 'engineUnreachable',
    message: `${host}, from ${because}, is not an address of a Docker engine`,
    hint: 'it looks like unix:///var/run/docker.sock, tcp://host:2375 or ssh://user@host',
    retry: 'afterDelay',
    exitCode: 3,
  };
}
