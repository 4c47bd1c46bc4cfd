export { contextMemoryFile } from './contextMemory';
export { guard, judge, type Evidence, type GuardRequest, type Verdict } from './guard';
export { isTracked, nameOf, trackedKinds } from './kinds';
export { apply, type Applied, type ApplyRequest } from './kubectl/apply';
export type { ManifestText } from './kubectl/manifest';
export { remove, type Removed, type RemoveRequest } from './kubectl/remove';
export { render, type RenderedObject, type RenderRequest } from './kubectl/render';
export { inApplyOrder, manifestStream } from './manifestStream';
export { localTool, type NodeIdentity } from './localTool';
export { ownedReleases, type OwnedRelease } from './ownedReleases';
export {
  annotations,
  isOwned,
  labels,
  labelValue,
  ownerSelector,
  selectorOf,
  templateLabels,
  type AppliedStamp,
  type Owner,
} from './ownership';
