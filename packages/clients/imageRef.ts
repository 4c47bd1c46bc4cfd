/** An image reference taken apart: `localhost:5000/shop/api:1.0@sha256:…`. */
export interface ImageRef {
  /** As it is written; `docker.io` when there is none. */
  readonly registry: string;
  /** Without the registry; with `library/` for Docker Hub's own. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/** By the rule of the distribution project: the first part is a registry when it has a dot or a colon, or is `localhost`. */
export function parseImageRef(ref: string): ImageRef {
  const [named = '', digest] = ref.split('@', 2);
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === 'localhost';
  const path = hasRegistry ? named.slice(slash + 1) : named;
  const colon = path.lastIndexOf(':');
  const name = colon < 0 ? path : path.slice(0, colon);
  const registry = !hasRegistry || first === 'index.docker.io' ? 'docker.io' : first;
  return {
    registry,
    repository: registry === 'docker.io' && !name.includes('/') ? `library/${name}` : name,
    tag: colon < 0 ? undefined : path.slice(colon + 1),
    digest,
  };
}
