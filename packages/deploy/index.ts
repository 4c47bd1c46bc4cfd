export { approachCluster, type ApproachedCluster, type EnteredCluster } from './approachCluster';
export { contextMemoryFile } from './contextMemory';
export { judge, type Evidence, type GuardRequest, type Verdict } from './guard';
export { isNamespaced, isTracked, nameOf, trackedKinds, transientKinds } from './kinds';
export type { DeployContext } from './deployer';
export { imagesByName, imageVariables, type KnownImages } from './imageVariables';
export { applyRelease, makeManifests, namespacesOf, removeRelease } from './deployRelease';
export type { Applied, ApplyRequest } from './kubectl/apply';
export { readManifests, type ManifestText } from './kubectl/manifest';
export type { Removed, RemoveRequest } from './kubectl/remove';
export { render, unusedArtifacts, type RenderedObject, type RenderRequest } from './kubectl/render';
export { inApplyOrder, manifestStream } from './manifestStream';
export { sharedLists, type ListWorkspace } from './sharedLists';
export { localTool, type NodeIdentity } from './localTool';
export { ownedReleases, type OwnedRelease } from './ownedReleases';
export {
  annotations,
  helmReleaseOf,
  isKept,
  isOwned,
  labels,
  labelValue,
  ownerSelector,
  selectorOf,
  stampOf,
  templateLabels,
  type AppliedStamp,
  type Owner,
} from './ownership';
