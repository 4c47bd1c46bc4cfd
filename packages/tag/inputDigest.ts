import { createHash } from 'node:crypto';

/** The content tag of an image: the same for the same inputs everywhere, and another when the way tags are made changes. */
export function inputDigestTag(inputsHash: string): string {
  return createHash('sha256').update('slipway/1\0').update(inputsHash).digest('hex').slice(0, 24);
}

/** Whether a tag has the form of those that are made from content; nobody else gives such. */
export function isInputDigestTag(tag: string): boolean {
  return /^[0-9a-f]{24}$/.test(tag);
}
