import type { ContentDigest } from '../model';

/** What is known of one file that a container may have made, each by the digest of its content; undefined where there is none. */
export interface PullFacts {
  /** What the container holds. */
  readonly there: ContentDigest;
  /** What this machine holds. */
  readonly here: ContentDigest | undefined;
  /** What was pulled last, by this or an earlier session. */
  readonly pulled: ContentDigest | undefined;
  /** What its image, or a sync, brought to the container. */
  readonly brought: readonly ContentDigest[];
  /** What the container held when this session looked there last. */
  readonly before: ContentDigest | undefined;
  /** What this session's last sync to the path left there. */
  readonly synced: ContentDigest | undefined;
}

/** `keep`: there is nothing new. `conflict`: both sides have changed it. */
export type PullDecision = 'pull' | 'keep' | 'conflict';

/** Only what the container has made is news, and only what is here as it was brought or pulled is written over. */
export function decidePull({ there, here, pulled, brought, before, synced }: PullFacts): PullDecision {
  if (there === here || there === synced) return 'keep';
  const isNews = before === undefined ? there !== pulled && !brought.includes(there) : there !== before;
  if (!isNews) return 'keep';
  return here === undefined || here === pulled || brought.includes(here) ? 'pull' : 'conflict';
}
