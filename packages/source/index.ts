export { keepConfigs, recallConfigs } from './configMemory';
export { filesBelow } from './filesBelow';
export { gitIgnore } from './gitIgnore';
export * from './openSource';
export * from './readEntry';
export type { SeenPath } from './changes';
export type { Scope } from './scope';
export { neverFollowed } from './scope';
