import { assemble, dependenciesCommands, type ListedDependencies } from '.';
import type { Input } from '../model';

const project = (name: string) => ({ name, root: name, dependencies: [], targets: new Map() });

function run(custom: string, more: Readonly<Record<string, string>> = {}, listedDependencies?: ListedDependencies) {
  const texts: Readonly<Record<string, string>> = { 'api/slipway.yaml': `version: 1\nimage:\n  custom: ${custom}\n`, ...more };
  const paths = Object.keys(texts);
  const facts = {
    root: '/w',
    graph: { projects: ['api', ...('base/Dockerfile' in more ? ['base'] : [])].map(project) },
    files: {
      textOf: (path: string) => texts[path],
      kindOf: (path: string) =>
        path in texts ? ('file' as const) : path === '' || paths.some((each) => each.startsWith(`${path}/`)) ? ('dir' as const) : undefined,
      namesIn: () => [],
    },
    mode: 'dev' as const,
    env: { CI: 'yes' },
    ...(listedDependencies && { listedDependencies }),
  };
  const { workspace } = assemble(facts);
  const problems = workspace.problems.map(({ message, location }) => `${location?.file}:${location?.line}:${location?.column} ${message}`);
  return { facts, artifact: workspace.artifacts.get('api'), problems };
}

function takes(inputs: readonly Input[], path: string): boolean {
  return inputs.some((input) => {
    const isBelow = input.path === '' || path === input.path || path.startsWith(`${input.path}/`);
    const folders = path.split('/').map((_, index, parts) => parts.slice(0, index).join('/'));
    const isReached = folders.every((folder) => folder.length <= input.path.length || (input.accepts?.(folder, 'dir') ?? true));
    return isBelow && isReached && (input.accepts?.(path, 'file') ?? true);
  });
}

describe('an image that a command makes', () => {
  it('has the command with its variables, and any change of what it reads makes a new one', () => {
    const { artifact, problems } = run('{command: ./build.sh, env: {A: "${CI}", B: "${IMAGE_TAG}"}}');
    expect(problems).toEqual([]);
    expect(artifact).toMatchObject({
      image: 'api',
      recipe: {
        builder: 'custom/1',
        context: 'api',
        command: { run: './build.sh', folder: 'api', config: 'api/slipway.yaml', env: { A: 'yes' }, lateEnv: { B: '${IMAGE_TAG}' } },
      },
      builderBecause: 'image.custom has a command (api/slipway.yaml:3)',
      reload: { kind: 'rebuild' },
    });
    expect(artifact?.inputs.every(({ onChange }) => onChange === 'rebuild')).toBe(true);
  });

  it.each([
    ['the folder of the project', '', ['api/a.go', 'api/deep/b'], ['base/a', 'api/node_modules/x/y', 'api/.git/HEAD']],
    [
      'paths',
      'paths: [src, "*.mod", ../libs/*/go], ignore: ["**/*_test.go"]',
      ['api/src/a.go', 'api/go.mod', 'libs/x/go/a'],
      ['api/a.go', 'api/src/a_test.go', 'libs/x/b'],
    ],
    ['what a command names', 'command: [list]', ['libs/x/a', 'api/one.go'], ['api/two.go', 'libs/y']],
  ])('reads %s', (_, dependencies, taken, left) => {
    const listed: ListedDependencies = new Map([['api', { paths: ['api/one.go', 'libs/x'] }]]);
    const { artifact, problems } = run(`{command: make, dependencies: {${dependencies}}}`, {}, listed);
    expect(problems).toEqual([]);
    const inputs = artifact?.inputs ?? [];
    expect(taken.filter((path) => !takes(inputs, path))).toEqual([]);
    expect(left.filter((path) => takes(inputs, path))).toEqual([]);
  });

  it('of a Dockerfile takes what that takes, and is copied into containers', () => {
    const { artifact } = run('{command: make, dependencies: {dockerfile: Dockerfile.dev}}\nreload: hot', {
      'api/Dockerfile.dev': 'FROM node\nCOPY src /app\n',
      'api/src/a.js': '',
    });
    expect(artifact?.recipe).toMatchObject({ builder: 'custom/1', dockerfile: 'api/Dockerfile.dev', args: {} });
    expect(artifact?.inputs).toContainEqual(expect.objectContaining({ path: 'api/src', containerPath: '/app', onChange: 'sync' }));
  });

  it('gets the reference of another image as a variable', () => {
    const { artifact } = run('{command: make}\n  requires: [{project: base, arg: BASE}]', { 'base/Dockerfile': 'FROM scratch\n' });
    expect(artifact).toMatchObject({ requires: ['base'], recipe: { baseArgs: { BASE: 'base' } } });
  });

  it('is asked what it reads before', () => {
    const { facts } = run('\n    command: make\n    dependencies: {command: [bazel, query]}');
    expect(dependenciesCommands(facts)).toEqual([
      {
        project: 'api',
        artifact: 'api',
        folder: 'api',
        command: ['bazel', 'query'],
        location: { file: 'api/slipway.yaml', line: 5, column: 30 },
      },
    ]);
  });

  it.each([
    [
      '{command: make, dependencies: {paths: [a], dockerfile: b}}',
      /image.custom.dependencies must have one of paths, dockerfile and command/,
    ],
    ['{env: {}}', /image.custom.command is missing/],
    ['{command: make, env: {A: "${NOPE}"}}', /^api\/slipway.yaml:3:37 api: the variable A needs the variable NOPE, which is not set$/],
    ['{command: make, dependencies: {dockerfile: None}}', /there is no api\/None/],
  ])('is wrong: %s', (custom, expected) => {
    const { artifact, problems } = run(custom);
    expect(artifact).toBeUndefined();
    expect(problems).toEqual([expect.stringMatching(expected)]);
  });

  it('is nothing without a command', () => {
    const { problems } = run('{command: x}', {
      'api/slipway.yaml': 'version: 1\nimage: {builder: custom}\n',
      'api/Dockerfile': 'FROM scratch\n',
    });
    expect(problems).toEqual([expect.stringMatching(/^api\/slipway.yaml:2:18 api: image.builder is custom, and image.custom.command/)]);
  });
});
