import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fakeProcesses, type FakeProgramOfMachine } from '../testkit/fakeProcesses';
import { turboGraph } from './turboGraph';

describe('the graph of a Turborepo', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-turbo-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const put = (files: Record<string, unknown>) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), JSON.stringify(content));
    }
  };
  const shop = () =>
    put({
      'package.json': { workspaces: ['apps/*', 'libs/*'] },
      'turbo.json': {
        tasks: {
          build: { dependsOn: ['^build', 'k8s:codegen', 'money#check', '$HOME', '//#setup'], outputs: ['dist/**', '!dist/cache/**'] },
          dev: { persistent: true },
          'k8s:build': { outputs: ['x/**'] },
        },
      },
      'apps/api/package.json': {
        name: '@shop/api',
        scripts: { build: 'tsup', dev: 'slipway dev', 'k8s:build': 'slipway build', serve: 'node .', lint: 'eslint' },
        dependencies: { money: '*' },
      },
      'apps/api/turbo.json': { extends: ['//'], tasks: { serve: { persistent: true, outputs: ['$TURBO_ROOT$/out/api/**'] } } },
      'libs/money/package.json': { name: 'money' },
    });
  /** Answers as turbo 2.11 does. */
  const turbo: FakeProgramOfMachine = ({ args }) => {
    const item = (name: string, path: string, ...dependencies: readonly string[]) => ({
      name,
      path,
      directDependencies: { items: dependencies.map((each) => ({ name: each })) },
    });
    const items = [item('//', '', '//'), item('@shop/api', 'apps/api', 'money'), item('money', 'libs/money', '//')];
    return args.includes('query') ? { stdout: JSON.stringify({ version: '2.11.11', data: { packages: { items } } }, null, 2) } : undefined;
  };

  it('has its packages and edges from turbo, and its tasks from turbo.json where a script is behind them', async () => {
    shop();
    const facts = await turboGraph(root, fakeProcesses(turbo)).read();
    expect(facts).toEqual({
      ok: true,
      value: {
        runsDependencies: true,
        projects: [
          {
            name: '@shop/api',
            root: 'apps/api',
            dependencies: ['money'],
            targets: new Map([
              [
                'build',
                {
                  name: 'build',
                  outputs: ['apps/api/dist/**', '!apps/api/dist/cache/**'],
                  dependsOn: ['^build', '@shop/api:k8s:codegen', 'money:check'],
                  continuous: false,
                },
              ],
              ['serve', { name: 'serve', outputs: ['out/api/**'], dependsOn: [], continuous: true }],
            ]),
          },
          { name: 'money', root: 'libs/money', dependencies: [], targets: new Map() },
        ],
      },
    });
  });

  const failures: { what: string; program: FakeProgramOfMachine; message: string; hint: string }[] = [
    {
      what: 'is not installed',
      program: () => undefined,
      message: 'turbo is not installed, though there is a turbo.json',
      hint: 'install the packages of the workspace',
    },
    {
      what: 'refuses',
      program: () => ({
        exitCode: 1,
        stderr:
          '  x Could not resolve workspace.\n  `-> Missing `devEngines.packageManager` or legacy `packageManager` field\n      in package.json\n',
      }),
      message:
        'turbo does not tell its packages: Could not resolve workspace. Missing `devEngines.packageManager` or legacy `packageManager` field in package.json',
      hint: 'add "packageManager": "npm@VERSION" to package.json',
    },
    {
      what: 'does not know the question',
      program: () => ({ exitCode: 2, stdout: '{"data": null}', stderr: '  x Unknown field "packages"\n' }),
      message: 'turbo does not tell its packages: Unknown field "packages"',
      hint: 'run `npx turbo query',
    },
  ];
  it.each(failures)('is that of the package manager where turbo $what, and says so', async ({ program, message, hint }) => {
    shop();
    const graph = turboGraph(root, fakeProcesses(program));
    const facts = await graph.read();
    expect(facts).toMatchObject({
      ok: true,
      value: {
        runsDependencies: false,
        projects: [
          { name: '@shop/api', dependencies: ['money'] },
          { name: 'money', dependencies: [] },
        ],
        notices: [
          {
            message: expect.stringContaining(`${message}; the packages are those of the package manager's workspaces`) as string,
            hint: expect.stringContaining(hint) as string,
          },
        ],
      },
    });
    expect(facts.ok && [...(facts.value.projects[0]?.targets.keys() ?? [])]).toEqual(['build', 'serve']);
    expect(graph.runTarget('@shop/api', 'build')).toEqual({ command: 'npm', args: ['run', 'build', '--workspace', '@shop/api'] });
  });

  it('runs a task through turbo, with its cache and without its full screen', async () => {
    shop();
    const graph = turboGraph(root, fakeProcesses(turbo));
    await graph.read();
    const { command, args } = graph.runTarget('@shop/api', 'build');
    expect([command, ...args].join(' ')).toBe(
      'turbo run build --filter=@shop/api --ui=stream --output-logs=new-only --no-update-notifier --log-prefix=none',
    );
  });

  const inputs: { what: string; turbo: object; counts: object }[] = [
    { what: 'is not known, where turbo.json does not say it', turbo: { tasks: { build: {} } }, counts: [] },
    {
      what: 'is what turbo.json says of the task in a package and in those below it',
      turbo: { tasks: { build: { inputs: ['src/**', '../../shared/*.ts', '$TURBO_ROOT$/tsconfig.json'] }, 'money#build': {} } },
      counts: [
        { project: '@shop/api', patterns: ['apps/api/src/**'] },
        { project: '', patterns: ['shared/*.ts', 'tsconfig.json'] },
        { project: 'money', patterns: ['libs/money/**'] },
      ],
    },
    {
      what: 'is the whole package without what is taken away',
      turbo: { tasks: { build: { inputs: ['$TURBO_DEFAULT$', '!**/*.md'] } } },
      counts: [
        { project: '@shop/api', patterns: ['apps/api/**', '!apps/api/**/*.md'] },
        { project: 'money', patterns: ['libs/money/**', '!libs/money/**/*.md'] },
      ],
    },
    {
      what: 'is also what counts for every task',
      turbo: { globalDependencies: ['.env', '!x'], tasks: { build: {} } },
      counts: [
        { project: '@shop/api', patterns: ['apps/api/**'] },
        { project: 'money', patterns: ['libs/money/**'] },
        { project: '', patterns: ['.env', '!x'] },
      ],
    },
  ];
  it.each(inputs)('what counts for a task $what', async ({ turbo: config, counts }) => {
    shop();
    put({ 'turbo.json': config });
    const facts = await turboGraph(root, fakeProcesses(turbo)).read();
    const build = facts.ok ? facts.value.projects[0]?.targets.get('build') : undefined;
    expect(build?.inputs ?? []).toEqual(counts);
  });

  it('starts the program that is installed, past the script in front of it', async () => {
    shop();
    const name = `@turbo/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch === 'x64' ? '64' : process.arch}`;
    const program = `node_modules/${name}/bin/turbo${process.platform === 'win32' ? '.exe' : ''}`;
    put({ 'node_modules/turbo/package.json': { name: 'turbo' }, [program]: '' });
    const processes = fakeProcesses(turbo);
    await turboGraph(root, processes).read();
    expect(processes.runs).toMatchObject([
      { command: join(root, program), cwd: root, args: ['--skip-infer', 'query', expect.anything(), expect.anything()] },
    ]);
  });

  it('is a problem with its place where a turbo.json is wrong, whatever turbo says', async () => {
    shop();
    writeFileSync(join(root, 'apps/api/turbo.json'), '{ "extends": ["//"]\n  "tasks": {} }');
    expect(await turboGraph(root, fakeProcesses(turbo)).read()).toMatchObject({
      ok: false,
      problem: { code: 'turboConfigInvalid', location: { file: 'apps/api/turbo.json', line: 2, column: 3 } },
    });
  });
});
