import type { IncomingMessage } from 'node:http';
import { type Problem, type Result, failed, succeeded } from '../model';
import { problemOfBuild } from './buildProblem';
import { type OpenSession, openBuildSession } from './buildSession';
import { buildTrace } from './buildTrace';
import { hasBuildkit, neededFor, readSteps, withoutBuildkit } from './buildWithSteps';
import type { BuildRequest, BuildResult } from './engine';
import { type EngineApi, abortedEngine } from './engineApi';
import { readMessages } from './engineMessages';
import { reasonOf } from './httpRequest';
import { authOf, headerOf, serverAddress } from './moveImage';
import type { RegistryLogins } from './registryLogin';

/** Aborting closes the connection, which makes the engine stop. */
export async function buildImage(api: EngineApi, logins: RegistryLogins, request: BuildRequest): Promise<BuildResult> {
  const { context, signal } = request;
  if (signal.aborted) return failed(abortedEngine);
  // A context that cannot be read ends the build; without this its error would end the process.
  let contextError: unknown;
  context.once('error', (error) => (contextError = error));
  try {
    const way = await chooseWay(api, request);
    if (!way.ok) return way;
    const built = way.value === 'buildkit' ? await withBuildkit(api, logins, request) : await stepByStep(api, logins, request);
    if (built.ok || contextError === undefined || built.problem.code !== 'engineUnreachable') return built;
    return failed({
      ...built.problem,
      code: 'contextUnreadable',
      message: `the build context cannot be read: ${reasonOf(contextError)}`,
      exitCode: 1,
    });
  } finally {
    context.destroy();
  }
}

async function chooseWay(api: EngineApi, request: BuildRequest): Promise<Result<'buildkit' | 'steps'>> {
  const there = await hasBuildkit(api);
  if (there.kind === 'failed') return failed(there.problem);
  if (request.buildkit === 'none') return { ok: true, value: 'steps' };
  if (there.kind === 'answered' && there.value) return { ok: true, value: 'buildkit' };
  const wanted = request.buildkit === 'needed' ? 'image.docker.buildkit: true' : neededFor(request);
  return wanted === undefined ? { ok: true, value: 'steps' } : failed(withoutBuildkit(api.name, wanted));
}

/** With the BuildKit inside the engine. */
async function withBuildkit(api: EngineApi, logins: RegistryLogins, request: BuildRequest): Promise<BuildResult> {
  const { secrets, ssh, inlineCache } = request;
  const openSession: OpenSession = async (headers) => {
    const opened = await api.connect({ path: '/session', protocol: 'h2c', headers });
    if (opened.kind === 'answered') return opened.value;
    throw new Error('the engine opens no session');
  };
  const session = openBuildSession(openSession, { logins, secrets, ssh });
  try {
    const args = { ...request.args, ...(inlineCache && { BUILDKIT_INLINE_CACHE: '1' }) };
    return await build(api, request, { query: { version: '2', session: session.id, buildargs: JSON.stringify(args) }, read: readTrace });
  } finally {
    session.close();
  }
}

/** With the engine's older builder, which asks for no logins: they are sent. */
async function stepByStep(api: EngineApi, logins: RegistryLogins, request: BuildRequest): Promise<BuildResult> {
  const known = (request.registries ?? []).map(async (registry) => [registry, await logins.find(registry)] as const);
  const auths = (await Promise.all(known)).flatMap(([registry, login]) =>
    login ? [[serverAddress(registry), authOf(login, registry)] as const] : [],
  );
  return build(api, request, {
    query: { version: '1', rm: '1', forcerm: '1', buildargs: JSON.stringify(request.args) },
    headers: { 'X-Registry-Config': headerOf(Object.fromEntries(auths)) },
    read: readSteps,
  });
}

interface Way {
  readonly query: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the answer says in the end; undefined: it was cut off before that. */
  readonly read: (answer: IncomingMessage, request: BuildRequest) => Promise<BuildResult | undefined>;
}

async function build(api: EngineApi, request: BuildRequest, { query, headers, read }: Way): Promise<BuildResult> {
  const { context, dockerfile, signal } = request;
  const answer = await api.stream({
    method: 'POST',
    path: '/build',
    query: {
      ...query,
      dockerfile,
      t: request.tags,
      target: request.target,
      platform: request.platform,
      labels: JSON.stringify(request.labels),
      networkmode: request.network,
      extrahosts: Object.entries(request.addHosts ?? {}).map(([name, address]) => `${name}:${address}`),
      cachefrom: request.cacheFrom && JSON.stringify(request.cacheFrom),
      pull: request.pull ? '1' : undefined,
      nocache: request.noCache ? '1' : undefined,
    },
    ...(headers && { headers }),
    body: context,
    signal,
  });
  // It has just answered.
  if (answer.kind === 'failed') return failed(answer.problem.code === 'engineUnreachable' ? wentAway(api.name) : answer.problem);
  if (answer.kind === 'refused') return failed(problemOfBuild(answer.refusal.message, undefined, dockerfile));
  return (await read(answer.value, request)) ?? failed(wentAway(api.name));
}

async function readTrace(answer: IncomingMessage, { signal, onLine, dockerfile }: BuildRequest): Promise<BuildResult | undefined> {
  const trace = buildTrace(onLine);
  let imageId: string | undefined;
  const error = await readMessages(answer, ({ id, aux }) => {
    if (id === 'moby.buildkit.trace' && typeof aux === 'string') trace.add(Buffer.from(aux, 'base64'));
    else if (typeof aux === 'object') imageId = aux.ID ?? imageId;
  });
  const step = trace.end();
  if (signal.aborted) return failed(abortedEngine);
  if (error !== undefined) return failed(problemOfBuild(error, step, dockerfile));
  return imageId === undefined ? undefined : succeeded({ imageId });
}

function wentAway(engine: string): Problem {
  return {
    code: 'engineUnreachable',
    message: `the Docker engine at ${engine} went away during the build`,
    hint: 'look whether it runs, and had enough memory; the steps that were done are not lost',
    retry: 'afterDelay',
    exitCode: 3,
  };
}
