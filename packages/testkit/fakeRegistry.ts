import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Registry, type RegistryBlob, type RegistryManifest, parseImageRef } from '../clients';
import { type Problem, type Result, failed, succeeded } from '../model';

/** Registries in memory: what was pushed stays, by tag and by digest. */
export interface FakeRegistry extends Registry {
  /** Puts an image there, as a push does, and gives its digest: the same content has the same one. */
  put(ref: string, content: string): string;
  /** Every reference that exists. */
  readonly refs: readonly string[];
  /** `repository digest` of every blob. */
  readonly blobs: readonly string[];
  /** As when somebody tidies up. */
  forgetBlobs(repository: string): void;
  /** Whether it answers. */
  reachable: boolean;
}

export function fakeRegistry(): FakeRegistry {
  const digests = new Map<string, string>();
  const manifests = new Map<string, RegistryManifest>();
  const blobs = new Map<string, Buffer>();
  const state = { reachable: true };
  const keyOf = (ref: string): string => {
    const { registry, repository, tag = 'latest', digest } = parseImageRef(ref);
    return digest === undefined ? `${registry}/${repository}:${tag}` : `${registry}/${repository}@${digest}`;
  };
  const unreachable = (ref: string): Problem => ({
    code: 'registryUnreachable',
    message: `the registry ${parseImageRef(ref).registry} does not answer`,
    retry: 'afterDelay',
    exitCode: 3,
  });
  const blobKey = ({ repository, digest }: RegistryBlob): string => {
    const { registry, repository: name } = parseImageRef(repository);
    return `${registry}/${name} ${digest}`;
  };
  const answer = <T>(ref: string, value: () => Result<T>): Promise<Result<T>> =>
    Promise.resolve(state.reachable ? value() : failed(unreachable(ref)));
  const missing = (ref: string): Problem => ({
    code: 'registryBlobMissing',
    message: `the registry refuses ${ref}: blob unknown to registry`,
    retry: 'afterDelay',
    exitCode: 1,
  });
  return {
    get blobs() {
      return [...blobs.keys()];
    },
    forgetBlobs(repository) {
      for (const key of blobs.keys()) if (key.startsWith(`${repository} `)) blobs.delete(key);
    },
    manifest: (ref) => answer(ref, () => succeeded(manifests.get(digests.get(keyOf(ref)) ?? ''))),
    putManifest(ref, { mediaType, content }) {
      return answer(ref, () => {
        const { registry, repository } = parseImageRef(ref);
        const { config, layers = [] } = JSON.parse(content.toString()) as { config?: { digest: string }; layers?: { digest: string }[] };
        const needed = [...(config ? [config] : []), ...layers];
        if (needed.some(({ digest }) => !blobs.has(blobKey({ repository: `${registry}/${repository}`, digest }))))
          return failed(missing(ref));
        const digest = sha256(content);
        manifests.set(digest, { mediaType, digest, content });
        digests.set(keyOf(ref), digest);
        digests.set(`${registry}/${repository}@${digest}`, digest);
        return succeeded(undefined);
      });
    },
    hasBlob: (blob) => answer(blob.repository, () => succeeded(blobs.has(blobKey(blob)))),
    readBlob: (blob) =>
      answer(blob.repository, () => {
        const content = blobs.get(blobKey(blob));
        return succeeded(content && Readable.from([content], { objectMode: false }));
      }),
    mountBlob: (blob) =>
      answer(blob.repository, () => {
        const content = blobs.get(blobKey({ repository: blob.from, digest: blob.digest }));
        if (content) blobs.set(blobKey(blob), content);
        return succeeded(content !== undefined);
      }),
    async writeBlob(blob) {
      if (!state.reachable) return failed(unreachable(blob.repository));
      const content = await buffer(blob.open());
      if (sha256(content) !== blob.digest || content.length !== blob.size) return failed(missing(blob.repository));
      blobs.set(blobKey(blob), content);
      return succeeded(undefined);
    },
    put(ref, content) {
      const digest = sha256(content);
      const { registry, repository } = parseImageRef(ref);
      digests.set(keyOf(ref), digest);
      digests.set(`${registry}/${repository}@${digest}`, digest);
      return digest;
    },
    get refs() {
      return [...digests.keys()];
    },
    get reachable() {
      return state.reachable;
    },
    set reachable(value) {
      state.reachable = value;
    },
    digest: (ref) => Promise.resolve(state.reachable ? succeeded(digests.get(keyOf(ref))) : failed(unreachable(ref))),
    tag(ref, tag) {
      if (!state.reachable) return Promise.resolve(failed(unreachable(ref)));
      const digest = digests.get(keyOf(ref));
      const { registry, repository } = parseImageRef(ref);
      const problem: Problem = { code: 'imageNotFound', message: `the registry has no ${ref}`, retry: 'afterDelay', exitCode: 1 };
      if (digest === undefined) return Promise.resolve(failed(problem));
      digests.set(`${registry}/${repository}:${tag}`, digest);
      return Promise.resolve(succeeded(undefined));
    },
    tags(repository) {
      if (!state.reachable) return Promise.resolve(failed(unreachable(repository)));
      const { registry, repository: name } = parseImageRef(repository);
      const prefix = `${registry}/${name}:`;
      return Promise.resolve(succeeded([...digests.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))));
    },
    remove(ref) {
      if (!state.reachable) return Promise.resolve(failed(unreachable(ref)));
      const removed = digests.get(keyOf(ref));
      const { registry, repository } = parseImageRef(ref);
      // A registry deletes manifests: every tag of the same one goes with it.
      for (const [key, digest] of digests) if (digest === removed && key.startsWith(`${registry}/${repository}`)) digests.delete(key);
      return Promise.resolve(succeeded(undefined));
    },
  };
}

function sha256(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
