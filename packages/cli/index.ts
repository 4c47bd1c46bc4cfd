export { commands, type Commands } from './commands';
export { slipway, type Surroundings } from './slipway';
