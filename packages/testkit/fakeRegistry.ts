import { createHash } from 'node:crypto';
import { type Registry, parseImageRef } from '../clients';
import { type Problem, failed, succeeded } from '../model';

/** Registries in memory: what was pushed stays, by tag and by digest. */
export interface FakeRegistry extends Registry {
  /** Puts an image there, as a push does, and gives its digest: the same content has the same one. */
  put(ref: string, content: string): string;
  /** Every reference that exists. */
  readonly refs: readonly string[];
  /** Whether it answers. */
  reachable: boolean;
}

export function fakeRegistry(): FakeRegistry {
  const digests = new Map<string, string>();
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
  return {
    put(ref, content) {
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
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
