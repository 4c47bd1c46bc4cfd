import { playEndurance } from './playEndurance';

describe('a short day', () => {
  playEndurance({ seed: 1, rounds: 1, awayMs: 2000 });
});
