import { inputDigestTag } from './inputDigest';

/** `sha256-` and twelve digits of the content: short, and recognisable as what it is. (Skaffold's own `sha256` is `latest`, which says nothing.) */
export function sha256Tag(inputsHash: string): string {
  return `sha256-${inputDigestTag(inputsHash).slice(0, 12)}`;
}
