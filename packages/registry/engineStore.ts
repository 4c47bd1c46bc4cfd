import type { Engine } from '../clients';
import { failed, succeeded } from '../model';
import type { Delivery } from './delivery';
import { imageInEngine, underTag } from './engineImage';

export interface EngineStore {
  readonly because: string;
  /** As images are called; the repository alone counts, as nothing is pushed. */
  readonly nameOf: Delivery['nameOf'];
  readonly engine: Engine;
}

/** For a cluster whose nodes run containers from the engine's own store: what is built is there. */
export function leaveInEngine({ because, nameOf, engine }: EngineStore): Delivery {
  const lookUp: Delivery['lookUp'] = (ref) => imageInEngine(engine, ref);
  const retag: Delivery['retag'] = (image, tag) => underTag(image, tag, (named) => engine.tag(image.ref, named));
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
