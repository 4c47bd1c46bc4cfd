import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { failed, succeeded, type Problem } from '../model';
import type { Buildkit, BuildkitRequest, BuildkitResult } from './buildkit';
import { problemOfBuild } from './buildProblem';
import { openBuildSession } from './buildSession';
import { buildTrace } from './buildTrace';
import { grpcClient, type GrpcClient } from './grpcClient';
import { reasonOf } from './httpRequest';
import { decodeFields, encodeBytes, encodeEach, encodeMap, encodeStrings, messagesIn, stringIn } from './protobuf';
import { registryLogins } from './registryLogin';
import { processes } from './runProcess';

export interface BuildkitOptions {
  /** Opens a connection to it; each build has one of its own, and closing it ends the build. */
  readonly connect: (
    signal: AbortSignal,
  ) => Promise<{ readonly ok: true; readonly value: Duplex } | { readonly ok: false; readonly problem: Problem }>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const control = '/moby.buildkit.v1.Control';

/** A buildkitd, spoken to by its own API: whoever started it need not have a folder, a login or a secret of ours. */
export function connectBuildkit({ connect, env }: BuildkitOptions): Buildkit {
  const logins = registryLogins(env, processes);
  return {
    async build(request) {
      const { signal, context, secrets, ssh } = request;
      if (signal.aborted) return failed(aborted);
      // A context that cannot be read ends the build; without this its error would end the process.
      let contextError: unknown;
      context.once('error', (error) => (contextError = error));
      const connection = await connect(signal);
      if (!connection.ok) return connection;
      const client = grpcClient(connection.value);
      const stop = (): void => client.close();
      signal.addEventListener('abort', stop, { once: true });
      const session = openBuildSession((headers) => Promise.resolve(client.tunnel(`${control}/Session`, lowerCased(headers))), {
        logins,
        secrets,
        ssh,
        upload: context,
      });
      try {
        const solved = await solve(client, session.id, request);
        if (contextError === undefined) return solved;
        return failed({
          code: 'contextUnreadable',
          message: `the build context cannot be read: ${reasonOf(contextError)}`,
          retry: 'afterDelay',
          exitCode: 1,
        });
      } finally {
        signal.removeEventListener('abort', stop);
        session.close();
        client.close();
        context.destroy();
      }
    },
  };
}

async function solve(client: GrpcClient, session: string, request: BuildkitRequest): Promise<BuildkitResult> {
  const { dockerfile, onLine, signal, repository } = request;
  const ref = randomUUID();
  const trace = buildTrace(onLine);
  const told = client.call(`${control}/Status`, encodeStrings({ 1: ref }), (message) => trace.add(message));
  let digest = '';
  const ended = await client.call(`${control}/Solve`, solveRequest(ref, session, request), (message) => {
    for (const entry of messagesIn(decodeFields(message), 1)) {
      if (stringIn(entry, 1) === 'containerimage.digest') digest = stringIn(entry, 2);
    }
  });
  // What it printed last says why it failed, and comes after the end.
  if (ended.status !== undefined) await told;
  const step = trace.end();
  if (signal.aborted) return failed(aborted);
  if (ended.status === undefined) return failed(lost(ended.message));
  if (ended.status === 0) return succeeded({ digest });
  if (/failed to push|unexpected status from (HEAD|PUT|POST) request/.test(ended.message))
    return failed(pushRefused(repository, ended.message));
  return failed(problemOfBuild(ended.message, step, dockerfile));
}

/**
 * `SolveRequest` of BuildKit's api/services/control/control.proto: 1 ref, 3 exporter, 4 its attributes, 5 session, 6 frontend, 7 its
 * attributes, 8 caches (4 exports), 9 entitlements. The image is pushed without a name: it gets one when it is known what it
 * was made of.
 */
function solveRequest(ref: string, session: string, request: BuildkitRequest): Buffer {
  const { repository, isInsecure = false, cache, cacheTo = [], network } = request;
  const exporter = { name: repository, push: 'true', 'push-by-digest': 'true', ...(isInsecure && { 'registry.insecure': 'true' }) };
  const caches = [...(cache === undefined ? [] : [cache]), ...cacheTo];
  const insecure = isInsecure ? { 'registry.insecure': 'true' } : {};
  const exports = caches.map((to) => [4, cacheEntry({ ref: to, mode: 'max', ...insecure })] as const);
  return encodeEach([
    [1, Buffer.from(ref)],
    [3, Buffer.from('image')],
    ...encodeMap(4, exporter),
    [5, Buffer.from(session)],
    [6, Buffer.from('dockerfile.v0')],
    ...encodeMap(7, frontendAttributes(session, request)),
    [8, encodeEach(exports)],
    ...(network === 'host' ? [[9, Buffer.from('network.host')] as const] : []),
  ]);
}

function cacheEntry(attributes: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat([encodeBytes({ 1: Buffer.from('registry') }), encodeEach(encodeMap(2, attributes))]);
}

/** As the engine of Docker passes them on. */
function frontendAttributes(session: string, request: BuildkitRequest): Readonly<Record<string, string>> {
  const { dockerfile, target, args, labels, platform, network, addHosts, inlineCache, pull, noCache, cache, cacheFrom = [] } = request;
  const imports = [...cacheFrom, ...(cache === undefined ? [] : [cache])];
  return {
    context: `http://buildkit-session/${session}`,
    filename: dockerfile,
    ...(target !== undefined && { target }),
    ...prefixed('build-arg:', args),
    ...prefixed('label:', labels),
    ...(platform !== undefined && { platform }),
    ...(network !== undefined && network !== 'default' && { 'force-network-mode': network }),
    ...(addHosts && {
      'add-hosts': Object.entries(addHosts)
        .map(([name, address]) => `${name}=${address}`)
        .join(','),
    }),
    ...(inlineCache === true && { 'build-arg:BUILDKIT_INLINE_CACHE': '1' }),
    ...(pull === true && { 'image-resolve-mode': 'pull' }),
    ...(noCache === true && { 'no-cache': '' }),
    ...(imports.length > 0 && { 'cache-imports': JSON.stringify(imports.map((ref) => ({ Type: 'registry', Attrs: { ref } }))) }),
  };
}

function prefixed(prefix: string, texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).map(([name, value]) => [prefix + name, value]));
}

/** HTTP/2 has no other names. */
function lowerCased<T>(headers: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

const aborted: Problem = { code: 'aborted', message: 'the build was told to stop', retry: 'afterDelay', exitCode: 1 };

function lost(reason: string): Problem {
  return {
    code: 'buildkitLost',
    message: `buildkitd went away during the build${reason === '' ? '' : `: ${reason}`}`,
    retry: 'afterDelay',
    exitCode: 3,
  };
}

function pushRefused(repository: string, text: string): Problem {
  return {
    code: 'pushRefused',
    message: `the registry does not take the image ${repository}: ${text.split('\n')[0] ?? ''}`,
    hint: 'log in with docker login; a registry without TLS has to be among insecureRegistries of slipway.yaml',
    retry: 'afterDelay',
    exitCode: 1,
  };
}
