import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BuildRequest } from '../../clients';
import { failed, messageOf, succeeded, type BuildSecret, type BuildSsh, type Problem, type Result } from '../../model';
import type { BuildJob, BuildTools } from '../builder';

export type EngineOptions = Pick<
  BuildRequest,
  'platform' | 'network' | 'addHosts' | 'cacheFrom' | 'inlineCache' | 'pull' | 'noCache' | 'buildkit' | 'secrets' | 'ssh'
>;

/**
 * What an engine is told beside files, target and arguments. Secrets are read now, and go nowhere but to the engine.
 * Failures: `secretNotFound`, `sshAgentNotFound` (exit 2), where the config names them.
 */
export async function engineOptionsOf({ artifact, root }: BuildJob, env: BuildTools['env']): Promise<Result<EngineOptions>> {
  const { recipe, settings, project } = artifact;
  const { platform, network, addHosts } = recipe;
  const fixed = {
    ...(platform !== undefined && { platform }),
    ...(network !== undefined && { network }),
    ...(addHosts && { addHosts }),
  };
  if (!settings) return succeeded(fixed);
  const { cacheFrom, inlineCache, pull, noCache, buildkit } = settings;
  const secrets = new Map<string, Buffer>();
  for (const secret of settings.secrets) {
    const content = await contentOf(secret, { root, env });
    if (!content.ok) return failed({ ...content.problem, project });
    secrets.set(secret.id, content.value);
  }
  const ssh = new Map<string, string>();
  for (const agent of settings.ssh) {
    const socket = agent.socket === undefined ? env['SSH_AUTH_SOCK'] : placeOf(agent.socket, root);
    if (socket === undefined || socket === '') return failed({ ...noAgent(agent), project });
    ssh.set(agent.id, socket);
  }
  return succeeded({
    ...fixed,
    inlineCache,
    pull,
    noCache,
    ...(buildkit && { buildkit }),
    ...(cacheFrom.length > 0 && { cacheFrom }),
    ...(secrets.size > 0 && { secrets }),
    ...(ssh.size > 0 && { ssh }),
  });
}

type Places = Pick<BuildJob, 'root'> & Pick<BuildTools, 'env'>;

async function contentOf(secret: BuildSecret, { root, env }: Places): Promise<Result<Buffer>> {
  const { from } = secret;
  switch (from.kind) {
    case 'env': {
      const value = env[from.name];
      return value === undefined ? failed(noSecret(secret, `the variable ${from.name}, which is not set`)) : succeeded(Buffer.from(value));
    }
    case 'file':
      try {
        return succeeded(await readFile(placeOf(from.path, root)));
      } catch (error) {
        return failed({ ...noSecret(secret, `${from.path}, which cannot be read`), detail: messageOf(error) });
      }
  }
}

function placeOf(path: string, root: string): string {
  if (path.startsWith('~/')) return join(homedir(), path.slice(2));
  return path.startsWith('/') ? path : join(root, path);
}

function noSecret({ id, location }: BuildSecret, source: string): Problem {
  return {
    code: 'secretNotFound',
    message: `the build secret ${id} is to come from ${source}`,
    hint: 'provide it, or correct image.docker.secrets in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 2,
    ...(location && { location }),
  };
}

function noAgent({ id, location }: BuildSsh): Problem {
  return {
    code: 'sshAgentNotFound',
    message: `the build may use the keys of the agent ${id}, and SSH_AUTH_SOCK names none`,
    hint: 'start one: eval "$(ssh-agent)" && ssh-add',
    retry: 'whenInputChanges',
    exitCode: 2,
    ...(location && { location }),
  };
}
