export { createNodes, createNodesV2, type PluginOptions } from './inference';
export { nxCommand, nxGraph } from './nxGraph';

/** The plugin's name as Nx reports it. */
export const name = 'nx-slipway';
