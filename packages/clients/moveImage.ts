import type { IncomingMessage } from 'node:http';
import { type Problem, type Result, failed, succeeded } from '../model';
import type { MoveRequest } from './engine';
import { type EngineApi, abortedEngine } from './engineApi';
import { readMessages } from './engineMessages';
import { pullRefused, pushRefused } from './engineRefusals';
import { parseImageRef } from './imageRef';
import { moveProgress } from './moveProgress';
import type { RegistryLogin, RegistryLogins } from './registryLogin';

export async function pushImage(
  api: EngineApi,
  logins: RegistryLogins,
  request: MoveRequest,
): Promise<Result<{ readonly digest: string }>> {
  const { ref } = request;
  const { registry, tag = 'latest' } = parseImageRef(ref);
  const name = ref.endsWith(`:${tag}`) ? ref.slice(0, -tag.length - 1) : ref;
  const refused = (said: string): Problem => pushRefused(ref, registry, said);
  const moved = await moveImage({ api, logins, request, path: `/images/${name}/push`, query: { tag }, refused });
  if (!moved.ok) return moved;
  const { digest } = moved.value;
  return digest === undefined ? failed(refused('the engine did not say which digest it pushed')) : succeeded({ digest });
}

export async function pullImage(api: EngineApi, logins: RegistryLogins, request: MoveRequest): Promise<Result<void>> {
  const { ref } = request;
  const { registry, tag = 'latest', digest } = parseImageRef(ref);
  const name = ref.replace(/@.*$/, '').replace(/:[^/:]*$/, '');
  const query = { fromImage: name, tag: digest ?? tag };
  const moved = await moveImage({
    api,
    logins,
    request,
    path: '/images/create',
    query,
    refused: (said) => pullRefused(ref, registry, said),
  });
  return moved.ok ? succeeded(undefined) : moved;
}

interface Move {
  readonly api: EngineApi;
  readonly logins: RegistryLogins;
  readonly request: MoveRequest;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly refused: (said: string) => Problem;
}

/** The digest is known after a push. */
async function moveImage({ api, logins, request, path, query, refused }: Move): Promise<Result<{ readonly digest: string | undefined }>> {
  const { ref, signal } = request;
  if (signal.aborted) return failed(abortedEngine);
  const { registry } = parseImageRef(ref);
  const login = await logins.find(registry);
  const answer = await api.stream({
    method: 'POST',
    path,
    query,
    headers: {
      'X-Registry-Auth': headerOf(authOf(login, registry)),
    },
    signal,
  });
  if (answer.kind === 'failed') return failed(answer.problem);
  if (answer.kind === 'refused') return failed(refused(answer.refusal.message));
  return readMoved(answer.value, request, refused);
}

/** A login as the engine's headers have it, which it wants even when there is nothing to say. */
export function authOf(login: RegistryLogin | undefined, registry: string): Readonly<Record<string, string>> {
  if (!login) return {};
  const serveraddress = serverAddress(registry);
  return login.kind === 'password'
    ? { username: login.username, password: login.password, serveraddress }
    : { identitytoken: login.token, serveraddress };
}

/** As Docker's own config names registries. */
export function serverAddress(registry: string): string {
  return registry === 'docker.io' ? 'https://index.docker.io/v1/' : registry;
}

export function headerOf(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

async function readMoved(
  answer: IncomingMessage,
  request: MoveRequest,
  refused: Move['refused'],
): Promise<Result<{ readonly digest: string | undefined }>> {
  let digest: string | undefined;
  const progress = moveProgress();
  const error = await readMessages(answer, (message) => {
    const { aux } = message;
    if (typeof aux === 'object') digest = aux.Digest ?? digest;
    const line = progress(message);
    if (line !== undefined) request.onLine(line);
  });
  if (request.signal.aborted) return failed(abortedEngine);
  return error === undefined ? succeeded({ digest }) : failed(refused(error));
}
