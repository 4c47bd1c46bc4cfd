/** All that a process of Slipway may be started for, each part loaded when it is used. `tools/bundle.mjs` makes one file of it. */
export { default as build } from '../nx/executors/build/build';
export { default as remove } from '../nx/executors/delete/delete';
export { default as deploy } from '../nx/executors/deploy/deploy';
export { default as dev } from '../nx/executors/dev/dev';
export { default as logs } from '../nx/executors/logs/logs';
export { default as render } from '../nx/executors/render/render';
export { default as sync } from '../nx/executors/sync/sync';

/** The `slipway` command, which takes this process. */
export const slipway = (): Promise<unknown> => import('../cli/main.js');
