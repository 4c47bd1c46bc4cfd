export { default as Docker } from 'dockerode';

/** True in the bundle that tools/bundle.mjs makes of this file, false as long as tsc alone has compiled it. */
export const bundled = process.env['SLIPWAY_BUNDLED'] === 'yes';
