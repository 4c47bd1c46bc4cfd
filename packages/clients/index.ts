export {
  announce,
  announcementsFolder,
  askToStop,
  heard,
  type Announced,
  type Announcement,
  type AnnouncementOptions,
} from './announcements';
export * from './connectEngine';
export * from './connectKube';
export type * from './buildkit';
export * from './connectBuildkit';
export { dialProgram } from './dialProgram';
export type * from './engine';
export * from './imageRef';
export type * from './kube';
export { contextName, type KubeconfigOptions } from './kubeconfig';
export { exceededQuota } from './kubeProblem';
export * from './lines';
export { loadAhead } from './loadAhead';
export * from './meeting';
export * from './openRegistry';
export { isLocalHost } from './registryHttp';
export * from './openWatcher';
export * from './outlivingProcess';
export * from './ownPlatform';
export * from './commandLine';
export type * from './processes';
export type * from './registry';
export { processes } from './runProcess';
export type * from './watcher';
