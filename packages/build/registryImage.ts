import { buffer } from 'node:stream/consumers';
import { parseImageRef, type Registry, type RegistryManifest } from '../clients';
import { contentDigest, failed, succeeded, type Problem, type Result } from '../model';
import type { ImageFile, ImageManifest, LayerRef } from './layers/imageFile';

/** An image as a registry describes it, without what is in its layers. */
export interface RegistryImage {
  readonly file: ImageFile;
  readonly layers: readonly LayerRef[];
  /** Of its manifest. */
  readonly mediaType: string;
  /** With its registry. */
  readonly repository: string;
}

export interface RegistrySearch {
  readonly registry: Registry;
  /** `linux/amd64`. */
  readonly platform: string;
  readonly signal: AbortSignal;
}

/** Undefined: the registry has none. Failures beside the registry's own: `platformNotFound`. */
export async function registryImage(ref: string, search: RegistrySearch): Promise<Result<RegistryImage | undefined>> {
  const { registry, platform, signal } = search;
  const top = await registry.manifest(ref, signal);
  if (!top.ok || !top.value) return top.ok ? succeeded(undefined) : top;
  const { registry: host, repository: name } = parseImageRef(ref);
  const repository = `${host}/${name}`;
  const chosen = manifestFor(top.value, platform);
  if (chosen === undefined) return failed(notForPlatform(ref, platform));
  const manifest = typeof chosen === 'string' ? await registry.manifest(`${repository}@${chosen}`, signal) : succeeded(chosen);
  if (!manifest.ok || !manifest.value) return manifest.ok ? succeeded(undefined) : manifest;
  const { mediaType, content } = manifest.value;
  const { config, layers } = JSON.parse(content.toString('utf8')) as ImageManifest;
  const file = await readBlob(repository, config.digest, search);
  if (!file.ok) return file;
  return succeeded({ file: JSON.parse(file.value.toString('utf8')) as ImageFile, layers, mediaType, repository });
}

/** An index names a manifest for each platform. Undefined: none for this one. */
function manifestFor(top: RegistryManifest, platform: string): RegistryManifest | string | undefined {
  if (!/index|list/.test(top.mediaType)) return top;
  const [os, architecture, variant] = platform.split('/');
  const { manifests } = JSON.parse(top.content.toString('utf8')) as {
    readonly manifests: readonly {
      readonly digest: string;
      readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
    }[];
  };
  const fitting = manifests.filter((each) => each.platform?.os === os && each.platform?.architecture === architecture);
  return (fitting.find((each) => each.platform?.variant === variant) ?? fitting[0])?.digest;
}

async function readBlob(repository: string, digest: string, { registry, signal }: RegistrySearch): Promise<Result<Buffer>> {
  const answer = await registry.readBlob({ repository, digest }, signal);
  if (!answer.ok) return answer;
  const content = answer.value && (await buffer(answer.value).catch(() => undefined));
  return content && `sha256:${contentDigest(content)}` === digest ? succeeded(content) : failed(damagedBlob(repository, digest));
}

export const platformNotFound = 'platformNotFound';

/** A base image that is made for other platforms. */
export function notForPlatform(ref: string, platform: string): Problem {
  return {
    code: platformNotFound,
    message: `there is no base image ${ref} for ${platform}`,
    hint: 'stand on an image that is made for it, or take it out of the platforms of slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

/** What came of a blob is not what its digest says. */
export function damagedBlob(repository: string, digest: string): Problem {
  return {
    code: 'registryRefused',
    message: `the registry did not give ${digest.slice(0, 19)}… of ${repository} whole`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}
