import { playStorm } from './playStorm';

describe('a short storm', () => {
  playStorm({ seed: 1, operations: Number(process.env['SLIPWAY_OPERATIONS'] ?? 300), checkEvery: 100, restartsApi: false });
});
