import { assemble } from '.';

function chosen(dockerfile: string, config = '', mode: 'dev' | 'deploy' = 'dev') {
  const texts: Readonly<Record<string, string>> = {
    'api/Dockerfile': dockerfile,
    'api/src/a.js': '',
    'api/package.json': '{}',
    'slipway.yaml': `version: 1\n${config}`,
  };
  const paths = Object.keys(texts);
  const { workspace } = assemble({
    root: '/w',
    graph: { projects: [{ name: 'api', root: 'api', dependencies: [], targets: new Map() }] },
    files: {
      textOf: (path) => texts[path],
      kindOf: (path) => (path in texts ? 'file' : paths.some((each) => each.startsWith(`${path}/`)) || path === '' ? 'dir' : undefined),
      namesIn: () => [],
    },
    mode,
    machine: 'linux/arm64',
    env: {},
  });
  const artifact = workspace.artifacts.get('api');
  if (artifact) return `${artifact.recipe.builder}: ${artifact.builderBecause ?? ''}`;
  return workspace.problems.map(({ message, location }) => `${message} [${location?.file ?? ''}:${location?.line ?? 0}]`);
}

const copies = 'FROM a\nCOPY src src\n';
const runs = 'FROM a\nCOPY src src\nRUN make\n';
const both = 'FROM a\nCOPY package.json .\nRUN npm ci\nCOPY src src\n';
const cached = (setting: string) => `image: {docker: {${setting}}}`;
const want = (builder: string) => `image: {builder: ${builder}}`;

describe('what makes an image', () => {
  it.each<[string, string, string, string]>([
    ['layers, where nothing needs an engine', copies, '', 'layers/1: nothing in api/Dockerfile needs an engine'],
    ['the engine, where something at its end does', runs, '', 'docker/1: RUN make (api/Dockerfile:3) needs an engine'],
    ['both, where files are copied after it', both, '', 'docker+layers/1: RUN npm ci (api/Dockerfile:3) is the last that needs an engine'],
    ['the engine, where the config says so', copies, want('docker'), 'docker/1: image.builder is docker in slipway.yaml of the workspace'],
    ['layers, where the config says so', copies, want('layers'), 'layers/1: image.builder is layers in slipway.yaml of the workspace'],
    [
      'a pod of the cluster, where the config says so',
      both,
      want('buildkit'),
      'buildkit/1: image.builder is buildkit in slipway.yaml of the workspace',
    ],
    [
      'the engine, where no step is to be used again',
      both,
      cached('noCache: true'),
      'docker/1: image.docker.noCache is for the whole image',
    ],
    [
      'the engine, where its steps are to be known',
      both,
      cached('cacheTo: inline'),
      'docker/1: image.docker.cacheTo is for the whole image',
    ],
  ])('%s', (_, dockerfile, config, expected) => {
    expect(chosen(dockerfile, config)).toBe(expected);
  });

  it('is an error where the config asks for layers alone, and something has to run', () => {
    expect(chosen(both, want('layers'))).toEqual(['image.builder is layers, but RUN npm ci needs an engine [api/Dockerfile:3]']);
  });
});

describe('several platforms', () => {
  const several = 'image: {platforms: [linux/s390x, linux/arm64, linux/amd64]}';

  it.each([
    ['layers, where nothing needs an engine', copies, 'layers/1: nothing in api/Dockerfile needs an engine'],
    ['one engine for all of it, where something does', both, 'docker/1: RUN npm ci (api/Dockerfile:3) needs an engine'],
  ])('are made by %s', (_, dockerfile, expected) => {
    expect(chosen(dockerfile, several, 'deploy')).toBe(expected);
  });

  it('are one in dev, where an engine makes the first part alone', () => {
    expect(chosen(both, several)).toMatch(/^docker\+layers/);
  });
});
