import { engineRefused, pullRefused, pushRefused } from './engineRefusals';

const full = 'write /var/lib/docker/tmp/export/VERSION: no space left on device';

describe('what an engine refuses', () => {
  it.each([
    [
      engineRefused('to hand out the image a:1', full),
      'diskFull',
      'the Docker engine refuses to hand out the image a:1: no space is left on its disk',
    ],
    [
      engineRefused('to hand out the image a:1', 'it is odd'),
      'engineRefused',
      'the Docker engine refuses to hand out the image a:1: it is odd',
    ],
    [
      pullRefused('r/a:1', 'r', `failed to register layer: ${full}`),
      'diskFull',
      'r/a:1 cannot be pulled into the engine: no space is left on its disk',
    ],
    [pullRefused('r/a:1', 'r', 'manifest unknown.'), 'pullRefused', 'r/a:1 cannot be pulled into the engine: manifest unknown'],
    [pushRefused('r/a:1', 'r', full), 'pushRefused', `r/a:1 was not pushed: ${full}`],
  ])('is told as what it is: %#', (problem, code, message) => {
    expect(problem).toMatchObject({ code, message, retry: 'afterDelay' });
  });

  it.each([
    [engineRefused('tagging a as b', full).hint, /docker builder prune/],
    [pushRefused('r/a:1', 'r', full).hint, /make room on the disk of the registry r, or of the engine/],
    [pushRefused('r/a:1', 'r', 'no basic auth credentials').hint, /docker login r/],
    [pullRefused('r/a:1', 'r', 'received unexpected HTTP status: 500').hint, /its disk may be full/],
    [pullRefused('r/a:1', 'r', 'dial tcp: i\/o timeout').hint, /that the engine reaches it/],
  ])('has a next thing to do: %#', (hint, expected) => {
    expect(hint).toMatch(expected);
  });
});
