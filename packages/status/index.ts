export { statusOf, type ObjectStatus } from './compute';
export { podTrouble } from './podTrouble';
export { viewRelease, watchedKinds, type ReleaseEvidence, type ReleaseTrouble, type ReleaseView } from './releaseView';
export { isReady, type Pod, type Service } from './shapes';
export { shareWatches, type WatchedKube } from './shareWatches';
export { placesOfTaughtKinds } from './taughtKinds';
export type { PodTrouble } from './trouble';
export { watchPods, type WatchPodsRequest } from './watchPods';
export { watchRelease, type ReleaseFollowing, type ReleaseSighting, type WatchReleaseRequest } from './watchRelease';
