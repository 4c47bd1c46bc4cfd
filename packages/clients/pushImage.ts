import type { IncomingMessage } from 'node:http';
import { type Problem, type Result, failed, succeeded } from '../model';
import type { Engine } from './engine';
import { type EngineApi, abortedEngine } from './engineApi';
import { parseImageRef } from './imageRef';
import { eachLine } from './lines';
import type { RegistryLogin, RegistryLogins } from './registryLogin';

type PushRequest = Parameters<Engine['push']>[0];

/** One line of the engine's answer to a push. */
interface PushMessage {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number };
  readonly aux?: { readonly Digest?: string };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

export async function pushImage(
  api: EngineApi,
  logins: RegistryLogins,
  request: PushRequest,
): Promise<Result<{ readonly digest: string }>> {
  const { ref, signal } = request;
  if (signal.aborted) return failed(abortedEngine);
  const { registry, tag = 'latest' } = parseImageRef(ref);
  const name = ref.endsWith(`:${tag}`) ? ref.slice(0, -tag.length - 1) : ref;
  const login = await logins.find(registry);
  const answer = await api.stream({
    method: 'POST',
    path: `/images/${name}/push`,
    query: { tag },
    headers: {
      'X-Registry-Auth': Buffer.from(JSON.stringify(authOf(login, registry)))
        .toString('base64')
        .replaceAll('+', '-')
        .replaceAll('/', '_'),
    },
    signal,
  });
  if (answer.kind === 'failed') return failed(answer.problem);
  if (answer.kind === 'refused') return failed(refusedPush(request, registry, answer.refusal.message));
  return readPush(answer.value, request, registry);
}

/** The engine wants the header even when there is nothing to say. */
function authOf(login: RegistryLogin | undefined, registry: string): Readonly<Record<string, string>> {
  if (!login) return {};
  const serveraddress = registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
  return login.kind === 'password'
    ? { username: login.username, password: login.password, serveraddress }
    : { identitytoken: login.token, serveraddress };
}

function readPush(answer: IncomingMessage, request: PushRequest, registry: string): Promise<Result<{ readonly digest: string }>> {
  let digest: string | undefined;
  let error: string | undefined;
  answer.on('error', () => undefined);
  eachLine(answer, (line) => {
    const message = parsedMessage(line);
    digest = message.aux?.Digest ?? digest;
    error ??= message.errorDetail?.message ?? message.error;
    if (message.status !== undefined && message.progressDetail?.current === undefined) {
      request.onLine(message.id === undefined ? message.status : `${message.id}: ${message.status}`);
    }
  });
  return new Promise((resolve) => {
    answer.once('close', () => {
      if (request.signal.aborted) resolve(failed(abortedEngine));
      else if (error !== undefined) resolve(failed(refusedPush(request, registry, error)));
      else if (digest !== undefined) resolve(succeeded({ digest }));
      else resolve(failed(refusedPush(request, registry, 'the engine did not say which digest it pushed')));
    });
  });
}

function parsedMessage(line: string): PushMessage {
  try {
    return JSON.parse(line) as PushMessage;
  } catch {
    return {};
  }
}

function refusedPush({ ref }: PushRequest, registry: string, said: string): Problem {
  return {
    code: 'pushRefused',
    message: `${ref} was not pushed: ${said.trim().replace(/\.$/, '')}`,
    hint: hintFor(said, registry),
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function hintFor(said: string, registry: string): string {
  if (/denied|unauthorized|authentication required|no basic auth|forbidden/i.test(said)) return `Log in with: docker login ${registry}`;
  if (said.includes('does not exist locally')) return 'Build it first: the engine does not have it';
  return `Check that the registry ${registry} runs and that the engine reaches it`;
}
