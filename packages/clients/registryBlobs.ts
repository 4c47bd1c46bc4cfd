import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Problem, type Result, failed, succeeded } from '../model';
import { reasonOf, sendRequest, textOf } from './httpRequest';
import { type ImageRef, parseImageRef } from './imageRef';
import type { Registry } from './registry';
import type { RegistryHttp } from './registryHttp';

const manyRedirects = 5;

/** Blobs and the writing of manifests: https://github.com/opencontainers/distribution-spec. */
export function registryBlobs(http: RegistryHttp): Pick<Registry, 'putManifest' | 'hasBlob' | 'readBlob' | 'mountBlob' | 'writeBlob'> {
  const signalOf = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

  /** Where the bytes are to go; undefined when there is nothing left to send, because a mount was granted. */
  const startUpload = async (image: ImageRef, query: string, signal: AbortSignal | undefined): Promise<Result<URL | undefined>> => {
    const started = await http.send({ image, method: 'POST', path: `/blobs/uploads/${query}`, access: 'push', ...signalOf(signal) });
    if (!started.ok) return started;
    const text = await textOf(started.value);
    const { statusCode = 0, headers } = started.value;
    if (statusCode === 201) return succeeded(undefined);
    if (statusCode !== 202 || headers.location === undefined) return failed(refused(image, statusCode, text));
    return succeeded(new URL(headers.location, http.origin(image)));
  };

  return {
    async putManifest(ref, { mediaType, content }, signal) {
      const image = parseImageRef(ref);
      const path = `/manifests/${image.digest ?? image.tag ?? 'latest'}`;
      const answer = await http.send({
        image,
        method: 'PUT',
        path,
        access: 'push',
        body: { type: mediaType, content },
        ...signalOf(signal),
      });
      if (!answer.ok) return answer;
      const text = await textOf(answer.value);
      const status = answer.value.statusCode ?? 0;
      if (status === 201 || status === 200) return succeeded(undefined);
      const problem = refused(image, status, text);
      return failed(/BLOB_UNKNOWN/.test(text ?? '') ? { ...problem, code: 'registryBlobMissing' } : problem);
    },
    async hasBlob({ repository, digest }, signal) {
      const image = parseImageRef(repository);
      const answer = await http.send({ image, method: 'HEAD', path: `/blobs/${digest}`, access: 'pull', ...signalOf(signal) });
      if (!answer.ok) return answer;
      answer.value.resume();
      const status = answer.value.statusCode ?? 0;
      // Where blobs lie elsewhere, the registry says so only of those that it has.
      if (status === 200 || (status >= 300 && status < 400)) return succeeded(true);
      return status === 404 ? succeeded(false) : failed(refused(image, status, undefined));
    },
    async readBlob({ repository, digest }, signal) {
      const image = parseImageRef(repository);
      const first = await http.send({ image, method: 'GET', path: `/blobs/${digest}`, access: 'pull', ...signalOf(signal) });
      if (!first.ok) return first;
      const answer = await redirected(first.value, { image, at: http.origin(image), signal });
      if (!answer.ok) return answer;
      const status = answer.value.statusCode ?? 0;
      if (status === 200) return succeeded(answer.value);
      const text = await textOf(answer.value);
      return status === 404 ? succeeded(undefined) : failed(refused(image, status, text));
    },
    async mountBlob({ repository, digest, from }, signal) {
      const image = parseImageRef(repository);
      const query = new URLSearchParams({ mount: digest, from: parseImageRef(from).repository }).toString();
      const started = await startUpload(image, `?${query}`, signal);
      return started.ok ? succeeded(started.value === undefined) : started;
    },
    async writeBlob({ repository, digest, size, open }, signal) {
      const image = parseImageRef(repository);
      const started = await startUpload(image, '', signal);
      if (!started.ok) return started;
      if (started.value === undefined) return succeeded(undefined);
      const path = started.value;
      path.searchParams.set('digest', digest);
      const body = { type: 'application/octet-stream', content: { size, open } };
      const answer = await http.send({ image, method: 'PUT', path, access: 'push', body, ...signalOf(signal) });
      if (!answer.ok) return answer;
      const text = await textOf(answer.value);
      const status = answer.value.statusCode ?? 0;
      return status === 201 ? succeeded(undefined) : failed(refused(image, status, text));
    },
  };
}

/** Storage elsewhere has its own key in the address; it is not told the registry's. */
async function redirected(
  first: IncomingMessage,
  { image, at: origin, signal }: { readonly image: ImageRef; readonly at: URL; readonly signal: AbortSignal | undefined },
): Promise<Result<IncomingMessage>> {
  let answer = first;
  let at = origin;
  for (let followed = 0; followed < manyRedirects && isRedirect(answer); followed += 1) {
    answer.resume();
    at = new URL(answer.headers.location ?? '', at);
    const agent = at.protocol === 'http:' ? new HttpAgent() : new HttpsAgent();
    const sent = await sendRequest({ url: at, method: 'GET', headers: { 'User-Agent': 'slipway' }, agent, ...(signal ? { signal } : {}) });
    if (sent.kind === 'failed') return failed(refused(image, undefined, `${at.host}: ${reasonOf(sent.error)}`));
    answer = sent.answer;
  }
  return succeeded(answer);
}

function isRedirect({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 300 && statusCode < 400 && headers.location !== undefined;
}

/** In words, or by the number of the error of its file system. */
const noSpace = /no space left on device|ENOSPC|"Err":28\b/i;

function full({ registry, repository }: ImageRef, text: string): Problem {
  return {
    code: 'registryFull',
    message: `the registry ${registry} has no space left for ${repository}`,
    hint: 'make room there; `slipway prune --images` removes images of this workspace that nothing uses',
    retry: 'afterDelay',
    exitCode: 1,
    detail: text,
  };
}

/** The registry's own words, where it has some. */
function refused(image: ImageRef, status: number | undefined, text: string | undefined): Problem {
  if (noSpace.test(text ?? '')) return full(image, text ?? '');
  const said = /"message"\s*:\s*"([^"]*)"/.exec(text ?? '')?.[1] ?? (status === undefined ? text : undefined);
  return {
    code: 'registryRefused',
    message: `the registry ${image.registry} refuses ${image.repository}: ${said ?? `HTTP ${status ?? 0}`}`,
    retry: 'afterDelay',
    exitCode: 1,
    ...(text !== undefined && text !== '' && said !== text && { detail: text }),
  };
}
