export { KubeConfig } from '@kubernetes/client-node/dist/config.js';
export type { Cluster, Context, User } from '@kubernetes/client-node/dist/config_types.js';

/** True in the bundle that tools/bundle.mjs makes of this file, false as long as tsc alone has compiled it. */
export const bundled = process.env['SLIPWAY_BUNDLED'] === 'yes';
