import { randomInt } from 'node:crypto';
import { playEndurance } from './playEndurance';

describe('a long day', () => {
  playEndurance({ seed: randomInt(1, 1_000_000), rounds: Number(process.env['SLIPWAY_ROUNDS'] ?? 4), awayMs: 35_000, restarts: true });
});
