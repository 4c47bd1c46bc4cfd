import { assemble, dependenciesQuestions, type ListedDependencies } from '.';
import { failed, succeeded, type Input } from '../model';

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
    const listed: ListedDependencies = new Map([['api', succeeded({ kind: 'paths', paths: ['api/one.go', 'libs/x'] })]]);
    const { artifact, problems } = run(`{command: make, dependencies: {${dependencies}}}`, {}, listed);
    expect(problems).toEqual([]);
    const inputs = artifact?.inputs ?? [];
    expect(taken.filter((path) => !takes(inputs, path))).toEqual([]);
    expect(left.filter((path) => takes(inputs, path))).toEqual([]);
  });

  it('reads the packages of the workspace that Go lists, with what they embed, and the files of their modules', () => {
    const packages = [
      { name: 'x.org/api/cmd', folder: 'api/cmd', embeds: [] },
      { name: 'x.org/lib/pages', folder: 'libs/go/pages', embeds: ['static/*.html', 'all:deep', 'open'] },
    ];
    const listed: ListedDependencies = new Map([['api', succeeded({ kind: 'go', packages, modules: ['api', 'libs/go'] })]]);
    const { artifact, problems } = run('{command: make, dependencies: {go: ./cmd, paths: [build.sh]}}', { 'go.work': '' }, listed);
    expect(problems).toEqual([]);
    const inputs = artifact?.inputs ?? [];
    const taken = [
      ...[
        'api/cmd/main.go',
        'api/cmd/new_windows.go',
        'api/cmd/asm.s',
        'api/build.sh',
        'api/go.mod',
        'api/go.sum',
        'libs/go/go.mod',
        'go.work',
        'go.work.sum',
      ],
      ...['libs/go/pages/static/a.html', 'libs/go/pages/deep/x/.hidden', 'libs/go/pages/open/x/y'],
    ];
    const left = [
      ...['api/main.go', 'api/cmd/main_test.go', 'api/cmd/README.md', 'api/cmd/inner/x.go', 'libs/go/other/x.go', 'libs/go/x.go'],
      ...['libs/go/pages/static/a.css', 'libs/go/pages/static/in/a.html', 'libs/go/pages/open/.hidden', 'libs/go/pages/open/_x/y'],
    ];
    expect(taken.filter((path) => !takes(inputs, path))).toEqual([]);
    expect(left.filter((path) => takes(inputs, path))).toEqual([]);
    expect(inputs.find(({ path }) => path === 'libs/go/pages')?.because).toBe(
      'the build compiles the package x.org/lib/pages (api/slipway.yaml:3)',
    );
  });

  it('has Go asked again for what was not there: a go.mod, a go.work, a package', () => {
    const problem = { code: 'dependenciesNotListed', message: 'no', retry: 'whenInputChanges', exitCode: 2 } as const;
    const { facts, problems } = run(
      '{command: make, dependencies: {go: [./cmd, ./none/...]}}',
      { 'api/cmd/README.md': '' },
      new Map([['api', failed(problem)]]),
    );
    expect(problems).toHaveLength(1);
    expect(assemble(facts).configFiles).toEqual(expect.arrayContaining(['api/go.mod', 'api/go.work', 'go.work', 'api/cmd', 'api/none']));
  });

  it.each([
    [
      '{platform: linux/arm64, custom: {command: make, env: {GOFLAGS: -tags=x, TAG: "${IMAGE_TAG}", CGO_ENABLED: 0}, dependencies: {go: ./cmd}}}',
      { GOARCH: 'arm64', GOFLAGS: '-tags=x', CGO_ENABLED: '0' },
    ],
    ['{custom: {command: make, dependencies: {go: [./cmd]}}}', { CGO_ENABLED: '1' }],
  ])('has Go asked for what it would compile for the image: %s', (image, env) => {
    const { facts } = run('{command: make}', { 'api/slipway.yaml': `version: 1\nimage: ${image}\n` });
    expect(dependenciesQuestions(facts)).toMatchObject([
      { artifact: 'api', folder: 'api', asks: { kind: 'go', packages: ['./cmd'], env: { GOOS: 'linux', ...env } }, location: { line: 2 } },
    ]);
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
    expect(dependenciesQuestions(facts)).toEqual([
      {
        project: 'api',
        artifact: 'api',
        folder: 'api',
        asks: { kind: 'command', command: ['bazel', 'query'] },
        location: { file: 'api/slipway.yaml', line: 5, column: 30 },
      },
    ]);
  });

  it.each([
    ['{command: make, dependencies: {go: ./cmd, command: list}}', /one of paths, dockerfile, go and command; only paths go with go/],
    [
      '{command: make, dependencies: {paths: [a], dockerfile: b}}',
      /image.custom.dependencies must have one of paths, dockerfile, go and command/,
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
