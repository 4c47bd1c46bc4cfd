import type { Engine, Registry } from '../clients';
import { succeeded, type DeliveredImage } from '../model';
import type { Delivery } from './delivery';

/** Through a registry that the cluster pulls from. Tags are made from content, so a tag that is there is the image that is wanted. */
export function pushTo(
  repo: string,
  because: string,
  { engine, registry }: { readonly engine: Engine; readonly registry: Registry },
): Delivery {
  const lookUp: Delivery['lookUp'] = async (ref, signal) => {
    const digest = await registry.digest(ref, signal);
    if (!digest.ok) return digest;
    return succeeded(digest.value === undefined ? undefined : pinned(ref, digest.value));
  };
  return {
    because,
    repo,
    refFor: (image, tag) => `${repo}/${image}:${tag}`,
    lookUp,
    async deliver({ image: { ref }, signal, onLine }) {
      const there = await lookUp(ref, signal);
      if (!there.ok) return there;
      if (there.value) return succeeded(there.value);
      const pushed = await engine.push({ ref, signal, onLine });
      return pushed.ok ? succeeded(pinned(ref, pushed.value.digest)) : pushed;
    },
  };
}

/** With the digest a pod gets exactly this image, whatever the tag points to later. */
function pinned(ref: string, digest: string): DeliveredImage {
  return { ref: `${ref}@${digest}`, digest };
}
