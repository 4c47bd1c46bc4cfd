import type { IncomingMessage } from 'node:http';
import { type Result, failed, succeeded } from '../model';
import { problemOfBuild } from './buildProblem';
import { type OpenSession, openBuildSession } from './buildSession';
import { buildTrace } from './buildTrace';
import type { BuildRequest } from './engine';
import { type EngineApi, abortedEngine } from './engineApi';
import { reasonOf } from './httpRequest';
import { eachLine } from './lines';
import type { RegistryLogins } from './registryLogin';

/** One line of the engine's answer to a build. */
interface BuildMessage {
  readonly id?: string;
  readonly aux?: string | { readonly ID?: string };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Builds with the BuildKit inside the engine. Aborting closes the connection, which makes the engine stop. */
export async function buildImage(
  api: EngineApi,
  logins: RegistryLogins,
  request: BuildRequest,
): Promise<Result<{ readonly imageId: string }>> {
  const { context, dockerfile, signal } = request;
  if (signal.aborted) return failed(abortedEngine);
  const { secrets, ssh } = request;
  const openSession: OpenSession = async (headers) => {
    const opened = await api.connect({ path: '/session', protocol: 'h2c', headers });
    if (opened.kind === 'answered') return opened.value;
    throw new Error('the engine opens no session');
  };
  const session = openBuildSession(openSession, { logins, secrets, ssh });
  // A context that cannot be read ends the build; without this its error would end the process.
  let contextError: unknown;
  context.once('error', (error) => (contextError = error));
  try {
    const answer = await api.stream({
      method: 'POST',
      path: '/build',
      query: {
        version: '2',
        session: session.id,
        dockerfile,
        t: request.tags,
        target: request.target,
        platform: request.platform,
        buildargs: JSON.stringify({ ...request.args, ...(request.inlineCache && { BUILDKIT_INLINE_CACHE: '1' }) }),
        labels: JSON.stringify(request.labels),
        networkmode: request.network,
        extrahosts: Object.entries(request.addHosts ?? {}).map(([name, address]) => `${name}:${address}`),
        cachefrom: request.cacheFrom && JSON.stringify(request.cacheFrom),
        pull: request.pull ? '1' : undefined,
        nocache: request.noCache ? '1' : undefined,
      },
      body: context,
      signal,
    });
    if (answer.kind === 'failed') {
      if (contextError === undefined) return failed(answer.problem);
      return failed({
        ...answer.problem,
        code: 'contextUnreadable',
        message: `the build context cannot be read: ${reasonOf(contextError)}`,
        exitCode: 1,
      });
    }
    if (answer.kind === 'refused') return failed(problemOfBuild(answer.refusal.message, undefined, dockerfile));
    return await readBuild(answer.value, request);
  } finally {
    session.close();
    context.destroy();
  }
}

function readBuild(answer: IncomingMessage, { signal, onLine, dockerfile }: BuildRequest): Promise<Result<{ readonly imageId: string }>> {
  const trace = buildTrace(onLine);
  let imageId: string | undefined;
  let error: string | undefined;
  answer.on('error', () => undefined);
  eachLine(answer, (line) => {
    const message = parsedMessage(line);
    if (message.id === 'moby.buildkit.trace' && typeof message.aux === 'string') trace.add(Buffer.from(message.aux, 'base64'));
    else if (typeof message.aux === 'object') imageId = message.aux.ID ?? imageId;
    error ??= message.errorDetail?.message ?? message.error;
  });
  return new Promise((resolve) => {
    answer.once('close', () => {
      const step = trace.end();
      if (signal.aborted) resolve(failed(abortedEngine));
      else if (error !== undefined) resolve(failed(problemOfBuild(error, step, dockerfile)));
      else if (imageId !== undefined) resolve(succeeded({ imageId }));
      else
        resolve(
          failed({
            code: 'engineUnreachable',
            message: 'the Docker engine went away during the build',
            hint: 'look whether it runs, and had enough memory; the steps that were done are not lost',
            retry: 'afterDelay',
            exitCode: 3,
          }),
        );
    });
  });
}

/** The last line of an answer that was cut is no JSON. */
function parsedMessage(line: string): BuildMessage {
  try {
    return JSON.parse(line) as BuildMessage;
  } catch {
    return {};
  }
}
