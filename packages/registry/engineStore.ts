import type { Engine } from '../clients';
import { failed, succeeded } from '../model';
import type { Delivery } from './delivery';

/** For a cluster whose nodes run containers from the engine's own store: what is built is there. */
export function leaveInEngine(because: string, engine: Engine): Delivery {
  const lookUp: Delivery['lookUp'] = async (ref) => {
    const id = await engine.imageId(ref);
    if (!id.ok) return id;
    // Without a registry there is no digest to pull by; the tag is made from content, and the id says the rest.
    return succeeded(id.value === undefined ? undefined : { ref, digest: id.value });
  };
  return {
    because,
    repo: undefined,
    refFor: (image, tag) => `${image}:${tag}`,
    lookUp,
    async deliver({ image: { ref } }) {
      const there = await lookUp(ref);
      if (!there.ok) return there;
      if (there.value) return succeeded(there.value);
      return failed({
        code: 'imageNotFound',
        message: `the engine no longer has ${ref}`,
        hint: 'build it again',
        retry: 'afterDelay',
        exitCode: 1,
      });
    },
  };
}
