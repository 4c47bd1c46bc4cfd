import { randomInt } from 'node:crypto';
import { playDockerfiles } from './playDockerfiles';

describe('where files of the context land, and which of them are inputs, is what the engine does with many Dockerfiles', () => {
  playDockerfiles({ engine: 'docker', runs: 200, seed: randomInt(1, 1_000_000) });
});

describe('and what the newest BuildKit does, with all that it knows', () => {
  playDockerfiles({ engine: 'buildkit', runs: 200, seed: randomInt(1, 1_000_000) });
});
