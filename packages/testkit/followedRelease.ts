import { watchRelease, type ReleaseFollowing, type ReleaseSighting, type WatchReleaseRequest } from '../status';

/** The release that is followed. */
export const owner = { workspaceId: 'ws1', release: 'shop' };

/** The labels of pods and of what controllers make, and of what was applied itself. */
export const template = { 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop' };
export const labels = { ...template, 'app.kubernetes.io/managed-by': 'slipway' };

/** The annotations of an apply. */
export const applied = (fingerprint: string, at: number, objects: number) => ({
  'slipway.dev/fingerprint': fingerprint,
  'slipway.dev/applied': JSON.stringify({ at, objects }),
});

export interface FollowedRelease {
  /** Everything seen of it, oldest first. */
  readonly seen: readonly ReleaseSighting[];
  readonly until: (wanted: (sighting: ReleaseSighting) => boolean) => Promise<ReleaseSighting>;
  readonly watch: ReleaseFollowing;
  readonly stop: () => void;
}

/** Follows the release, and can wait for something to be seen of it. */
export function followRelease(kube: WatchReleaseRequest['kube'], more: Partial<WatchReleaseRequest> = {}): FollowedRelease {
  const seen: ReleaseSighting[] = [];
  let wake: () => void = () => undefined;
  const watch = watchRelease({
    kube,
    owner,
    namespaces: ['shop'],
    snapshotOf: () => undefined,
    ...more,
    onSeen: (sighting) => {
      seen.push(sighting);
      wake();
    },
  });
  const until = async (wanted: (sighting: ReleaseSighting) => boolean): Promise<ReleaseSighting> => {
    for (;;) {
      const last = seen.at(-1);
      if (last && wanted(last)) return last;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { seen, until, watch, stop: () => watch.stop() };
}

export const rolloutIs = (state: string) => (sighting: ReleaseSighting) =>
  sighting.live.state === 'found' && sighting.live.value.rollout.state === state;
