import { createHash } from 'node:crypto';
import { type Problem, type Result, failed, succeeded } from '../model';
import { bytesOf, textOf } from './httpRequest';
import { type ImageRef, parseImageRef } from './imageRef';
import type { Registry, RegistryManifest } from './registry';
import { type RegistryHttp, type RegistryRequest, registryHttp } from './registryHttp';
import { registryBlobs } from './registryBlobs';
import { registryLogins } from './registryLogin';
import { processes } from './runProcess';

/** Every form a reference can point to; a registry that is not told of one answers as if it was not there. */
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

export interface RegistryOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Registries that may be spoken to in plain http, and whose certificates are not checked. */
  readonly insecure?: readonly string[];
}

/** Registries as their references name them, with the logins of Docker's config. */
export function openRegistry({ env = process.env, insecure = [] }: RegistryOptions = {}): Registry {
  const http = registryHttp(registryLogins(env, processes), new Set(insecure));
  const blobs = registryBlobs(http);
  return {
    ...blobs,
    manifest: (ref, signal) => readManifest(http, parseImageRef(ref), signal),
    async tag(ref, tag, signal) {
      const image = parseImageRef(ref);
      const read = await readManifest(http, image, signal);
      if (!read.ok) return read;
      // Byte for byte, so that the digest stays.
      return read.value ? blobs.putManifest(`${image.registry}/${image.repository}:${tag}`, read.value, signal) : failed(notThere(ref));
    },
    async digest(ref, signal) {
      const image = parseImageRef(ref);
      return digestOf(http, image, signal);
    },
    tags: (repository) => allTags(http, parseImageRef(repository)),
    async remove(ref) {
      const image = parseImageRef(ref);
      const digest = await digestOf(http, image, undefined);
      if (!digest.ok) return digest;
      if (digest.value === undefined) return succeeded(undefined);
      const answer = await http.send({ image, method: 'DELETE', path: `/manifests/${digest.value}`, access: 'delete' });
      if (!answer.ok) return answer;
      answer.value.resume();
      const status = answer.value.statusCode ?? 0;
      if (status < 300 || status === 404) return succeeded(undefined);
      return failed(refused(image, status === 405 ? 'it does not allow deleting' : `HTTP ${status}`));
    },
  };
}

function manifestRequest(image: ImageRef, method: 'HEAD' | 'GET'): RegistryRequest {
  return { image, method, path: `/manifests/${image.digest ?? image.tag ?? 'latest'}`, access: 'pull', accept: manifestTypes };
}

async function readManifest(
  http: RegistryHttp,
  image: ImageRef,
  signal: AbortSignal | undefined,
): Promise<Result<RegistryManifest | undefined>> {
  const answer = await http.send({ ...manifestRequest(image, 'GET'), ...(signal ? { signal } : {}) });
  if (!answer.ok) return answer;
  const status = answer.value.statusCode ?? 0;
  const content = await bytesOf(answer.value);
  if (status === 404) return succeeded(undefined);
  if (status !== 200) return failed(refused(image, `HTTP ${status}`));
  if (!content) return failed(refused(image, 'the manifest was cut off'));
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return succeeded({ mediaType: mediaTypeOf(answer.value.headers['content-type'], content), digest, content });
}

/** Some registries call everything JSON; then the manifest says itself what it is. */
function mediaTypeOf(header: string | undefined, content: Buffer): string {
  const told = header?.replace(/;.*/s, '').trim() ?? '';
  if (manifestTypes.includes(told) && told !== '') return told;
  return (JSON.parse(content.toString('utf8')) as { readonly mediaType?: string }).mediaType ?? told;
}

async function digestOf(http: RegistryHttp, image: ImageRef, signal: AbortSignal | undefined): Promise<Result<string | undefined>> {
  const request = (method: 'HEAD' | 'GET'): RegistryRequest => ({ ...manifestRequest(image, method), ...(signal ? { signal } : {}) });
  const head = await http.send(request('HEAD'));
  if (!head.ok) return head;
  head.value.resume();
  const status = head.value.statusCode ?? 0;
  if (status === 404) return succeeded(undefined);
  if (status !== 200) return failed(refused(image, `HTTP ${status}`));
  const told = head.value.headers['docker-content-digest'];
  if (typeof told === 'string') return succeeded(told);
  // Some registries do not say it: the digest is that of the manifest's bytes.
  const whole = await http.send(request('GET'));
  if (!whole.ok) return whole;
  const text = await textOf(whole.value);
  if (text === undefined) return failed(refused(image, 'the manifest was cut off'));
  return succeeded(`sha256:${createHash('sha256').update(text).digest('hex')}`);
}

async function allTags(http: RegistryHttp, image: ImageRef): Promise<Result<readonly string[]>> {
  const tags: string[] = [];
  let path: string | undefined = '/tags/list?n=1000';
  while (path !== undefined) {
    const answer: Awaited<ReturnType<RegistryHttp['send']>> = await http.send({ image, method: 'GET', path, access: 'pull' });
    if (!answer.ok) return answer;
    const status = answer.value.statusCode ?? 0;
    const text = await textOf(answer.value);
    if (status === 404) return succeeded([]);
    if (status !== 200 || text === undefined) return failed(refused(image, `HTTP ${status}`));
    tags.push(...((JSON.parse(text) as { readonly tags?: readonly string[] | null }).tags ?? []));
    // The next page's address is relative to the host; its query is what counts.
    const next = /<[^>]*(\?[^>]*)>;\s*rel="?next/.exec(String(answer.value.headers.link ?? ''))?.[1];
    path = next === undefined ? undefined : `/tags/list${next}`;
  }
  return succeeded(tags);
}

function refused(image: ImageRef, reason: string): Problem {
  return {
    code: 'registryRefused',
    message: `the registry ${image.registry} refuses ${image.repository}: ${reason}`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function notThere(ref: string): Problem {
  return {
    code: 'imageNotFound',
    message: `the registry has no ${ref}`,
    hint: 'build it again',
    retry: 'afterDelay',
    exitCode: 1,
  };
}
