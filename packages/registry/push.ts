import type { Engine, Registry } from '../clients';
import { succeeded, type DeliveredImage } from '../model';
import { nameOfRef, underRepo, type RepoRule } from '../tag';
import type { Delivery } from './delivery';

/** Through a registry that the cluster pulls from. Tags are made from content, so a tag that is there is the image that is wanted. */
export function pushTo(
  rule: RepoRule,
  because: string,
  { engine, registry }: { readonly engine: Engine; readonly registry: Registry },
): Delivery {
  const lookUp: Delivery['lookUp'] = async (ref, signal) => {
    const digest = await registry.digest(ref, signal);
    if (!digest.ok) return digest;
    return succeeded(digest.value === undefined ? undefined : pinned(ref, digest.value));
  };
  const retag: Delivery['retag'] = async ({ ref, digest }, tag, { signal }) => {
    const name = nameOfRef(ref);
    const wanted = `${name}:${tag}`;
    const before = await registry.digest(wanted, signal);
    if (!before.ok) return before;
    if (before.value !== digest) {
      const written = await registry.tag(`${name}@${digest}`, tag, signal);
      if (!written.ok) return written;
    }
    return succeeded(pinned(wanted, digest));
  };
  return {
    because,
    repo: rule.repo,
    nameOf: (image) => underRepo(image, rule),
    lookUp,
    async deliver({ image: { ref }, tag, signal, onLine }) {
      const there = await lookUp(ref, signal);
      if (!there.ok) return there;
      let delivered = there.value;
      if (!delivered) {
        const pushed = await engine.push({ ref, signal, onLine });
        if (!pushed.ok) return pushed;
        delivered = pinned(ref, pushed.value.digest);
      }
      return tag === undefined ? succeeded(delivered) : retag(delivered, tag, { signal, onLine });
    },
    retag,
  };
}

/** With the digest a pod gets exactly this image, whatever the tag points to later. */
function pinned(ref: string, digest: string): DeliveredImage {
  return { ref: `${ref}@${digest}`, digest };
}
