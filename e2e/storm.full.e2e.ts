import { randomInt } from 'node:crypto';
import { playStorm } from './playStorm';

describe('a long storm', () => {
  playStorm({
    seed: randomInt(1, 1_000_000),
    operations: Number(process.env['SLIPWAY_OPERATIONS'] ?? 10_000),
    checkEvery: 500,
    restartsApi: true,
  });
});
