import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { declaresWorkspaces } from './packageManager';
import { workspacesGraph } from './workspacesGraph';

describe("a package manager's workspaces", () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-workspaces-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const put = (files: Record<string, unknown>) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content));
    }
  };
  const projects = async () => {
    const facts = await workspacesGraph(root).read();
    if (!facts.ok) throw new Error(facts.problem.message);
    return facts.value.projects;
  };

  it('are packages by name, with their edges to one another and no others', async () => {
    put({
      'package.json': { workspaces: ['apps/*', 'libs/*'] },
      'apps/worker/package.json': {
        name: '@shop/worker',
        dependencies: { '@shop/money': '*', express: '5' },
        devDependencies: { '@shop/tools': '*' },
      },
      'libs/money/package.json': { name: '@shop/money' },
      'libs/tools/package.json': { name: '@shop/tools' },
    });
    expect(await projects()).toMatchObject([
      { name: '@shop/worker', root: 'apps/worker', dependencies: ['@shop/money', '@shop/tools'] },
      { name: '@shop/money', root: 'libs/money', dependencies: [] },
      { name: '@shop/tools', root: 'libs/tools', dependencies: [] },
    ]);
  });

  const builds = async () => Object.fromEntries((await projects()).map(({ name, targets }) => [name, [...targets.values()]]));

  it('have a build where a script is named so, after those of the packages below that have one', async () => {
    const manifest = (name: string, script: object, ...dependencies: readonly string[]) => ({
      [`packages/${name}/package.json`]: { name, ...script, dependencies: Object.fromEntries(dependencies.map((each) => [each, '*'])) },
    });
    const built = { scripts: { build: 'tsc', test: 'jest' } };
    put({
      'package.json': { workspaces: ['packages/*'] },
      ...manifest('app', built, 'between', 'lib'),
      ...manifest('between', { scripts: { test: 'jest' } }, 'deep', 'app'),
      ...manifest('deep', built),
      ...manifest('lib', built, 'deep'),
    });
    const build = (name: string, ...dependsOn: readonly string[]) => [
      { name: 'build', outputs: [`packages/${name}/dist`], dependsOn, continuous: false },
    ];
    expect(await builds()).toEqual({
      app: build('app', 'deep:build', 'lib:build'),
      between: [],
      deep: build('deep'),
      lib: build('lib', 'deep:build'),
    });
  });

  it.each(['slipway build', 'tsc && npx slipway build', 'node_modules/.bin/slipway run worker', 'STAGE=a slipway deploy'])(
    'have no build where that is Slipway itself: %s',
    async (build) => {
      put({ 'package.json': { workspaces: ['a'] }, 'a/package.json': { name: 'a', scripts: { build } } });
      expect(await builds()).toEqual({ a: [] });
    },
  );

  const shapes: { what: string; files: Record<string, unknown>; roots: string[] }[] = [
    {
      what: 'an object, as yarn had it',
      files: { 'package.json': { workspaces: { packages: ['a'] } }, 'a/package.json': {} },
      roots: ['a'],
    },
    {
      what: 'pnpm-workspace.yaml before package.json',
      files: {
        'pnpm-workspace.yaml': 'packages:\n  - "b"\n',
        'package.json': { workspaces: ['a'] },
        'a/package.json': {},
        'b/package.json': {},
      },
      roots: ['b'],
    },
    {
      what: 'any depth',
      files: {
        'package.json': { workspaces: ['libs/**'] },
        'libs/a/package.json': {},
        'libs/x/y/package.json': {},
        'libs/a/node_modules/z/package.json': {},
      },
      roots: ['libs/a', 'libs/x/y'],
    },
    {
      what: 'exceptions, and ./ and / at the ends',
      files: { 'package.json': { workspaces: ['./apps/*/', '!apps/old'] }, 'apps/new/package.json': {}, 'apps/old/package.json': {} },
      roots: ['apps/new'],
    },
    {
      what: 'only folders that have a package.json',
      files: { 'package.json': { workspaces: ['a', 'b'] }, 'a/package.json': {}, 'b/README.md': '' },
      roots: ['a'],
    },
    {
      what: 'parts of names',
      files: { 'package.json': { workspaces: ['packages/lib-*'] }, 'packages/lib-a/package.json': {}, 'packages/app/package.json': {} },
      roots: ['packages/lib-a'],
    },
  ];
  it.each(shapes)('may be declared as $what', async ({ files, roots }) => {
    put(files);
    expect(declaresWorkspaces(root)).toBe(true);
    expect((await projects()).map((project) => project.root)).toEqual(roots);
  });

  it('are told from a single package', () => {
    expect(declaresWorkspaces(root)).toBe(false);
    put({ 'package.json': { name: 'single' } });
    expect(declaresWorkspaces(root)).toBe(false);
    put({ 'pnpm-workspace.yaml': 'onlyBuiltDependencies: []\n' });
    expect(declaresWorkspaces(root)).toBe(false);
  });

  it('that cannot be read are a problem that names the file', async () => {
    put({ 'package.json': { workspaces: ['a'] }, 'a/package.json': '{' });
    expect(await workspacesGraph(root).read()).toMatchObject({
      ok: false,
      problem: { code: 'workspaceUnreadable', exitCode: 2, location: { file: 'a/package.json' } },
    });
  });

  it.each([
    ['npm', { 'package-lock.json': '{}' }, 'npm run build --workspace a'],
    ['pnpm', { 'pnpm-lock.yaml': '' }, 'pnpm --filter a run build'],
    ['yarn', { 'yarn.lock': '' }, 'yarn workspace a run build'],
    ['bun', { 'bun.lock': '' }, 'bun run --filter a build'],
    ['the named one', { 'package.json': { packageManager: 'pnpm@10.0.0' }, 'yarn.lock': '' }, 'pnpm --filter a run build'],
  ])('run scripts by %s', (_, files, line) => {
    put({ 'package.json': {}, ...files });
    const { command, args } = workspacesGraph(root).runTarget('a', 'build');
    expect([command, ...args].join(' ')).toBe(line);
  });
});
