import type { Engine } from '../clients';
import { failed, succeeded } from '../model';
import { nameOfRef } from '../tag';
import type { Delivery } from './delivery';

export interface EngineStore {
  readonly because: string;
  /** As images are called; the repository alone counts, as nothing is pushed. */
  readonly nameOf: Delivery['nameOf'];
  readonly engine: Engine;
}

/** For a cluster whose nodes run containers from the engine's own store: what is built is there. */
export function leaveInEngine({ because, nameOf, engine }: EngineStore): Delivery {
  const lookUp: Delivery['lookUp'] = async (ref) => {
    const id = await engine.imageId(ref);
    if (!id.ok) return id;
    // Without a registry there is no digest to pull by; the tag is made from content, and the id says the rest.
    return succeeded(id.value === undefined ? undefined : { ref, digest: id.value });
  };
  const retag: Delivery['retag'] = async ({ ref, digest }, tag) => {
    const wanted = `${nameOfRef(ref)}:${tag}`;
    const tagged = await engine.tag(ref, wanted);
    return tagged.ok ? succeeded({ ref: wanted, digest }) : tagged;
  };
  return {
    because,
    repo: undefined,
    engine,
    nameOf,
    lookUp,
    async deliver({ image: { ref }, tag, ...request }) {
      const there = await lookUp(ref);
      if (!there.ok) return there;
      if (there.value) return tag === undefined ? succeeded(there.value) : retag(there.value, tag, request);
      return failed({
        code: 'imageNotFound',
        message: `the engine no longer has ${ref}`,
        hint: 'build it again',
        retry: 'afterDelay',
        exitCode: 1,
      });
    },
    retag,
  };
}
