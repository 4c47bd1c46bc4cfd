export { filesBelow } from './filesBelow';
export * from './openSource';
export * from './readEntry';
export type { SeenPath } from './changes';
export type { Scope } from './scope';
