import { playDockerfiles } from './playDockerfiles';

describe('where files of the context land, and which of them are inputs, is what the engine does', () => {
  playDockerfiles({ engine: 'docker', runs: 20, seed: 1 });
});
