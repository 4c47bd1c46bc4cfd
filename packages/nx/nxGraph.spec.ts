import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { ProjectGraph } from '@nx/devkit';
import { devkitOf } from './devkit';
import { graphFacts, nxGraph } from './nxGraph';

const node = (name: string, root: string, targets: ProjectGraph['nodes'][string]['data']['targets'] = {}) => ({
  name,
  type: 'app' as const,
  data: { root, targets },
});
const factsOf = (graph: ProjectGraph) => {
  const devkit = devkitOf(__dirname);
  if (!devkit) throw new Error('Nx is not installed');
  return graphFacts(graph, devkit);
};
const edge = (source: string, target: string) => ({ source, target, type: 'static' });

describe('the graph of Nx', () => {
  it('is given without packages from outside, without loops, sorted, with the root as an empty path', () => {
    const facts = factsOf({
      nodes: { worker: node('worker', 'apps/worker'), money: node('money', 'libs/money'), root: node('root', '.') },
      dependencies: {
        worker: [
          edge('worker', 'npm:express'),
          edge('worker', 'root'),
          edge('worker', 'money'),
          edge('worker', 'money'),
          edge('worker', 'worker'),
        ],
      },
    });
    expect(facts.projects).toEqual([
      { name: 'money', root: 'libs/money', dependencies: [], targets: new Map() },
      { name: 'root', root: '', dependencies: [], targets: new Map() },
      { name: 'worker', root: 'apps/worker', dependencies: ['money', 'root'], targets: new Map() },
    ]);
  });

  it('has targets with their outputs as paths and their dependencies in short form', () => {
    const { projects } = factsOf({
      nodes: {
        worker: node('worker', 'apps/worker', {
          build: {
            outputs: ['{projectRoot}/dist', '{workspaceRoot}/out/{projectName}', '{options.outputPath}'],
            options: { outputPath: 'dist/worker' },
            dependsOn: [
              '^build',
              'codegen',
              { target: 'build', dependencies: true },
              { target: 'lint' },
              { target: 'x', projects: ['money', 'theme'] },
            ],
          },
          serve: { continuous: true },
          'k8s-build': { executor: 'nx-slipway:build', outputs: ['{workspaceRoot}/.slipway/images/{projectName}.json'] },
        }),
      },
      dependencies: {},
    });
    expect([...(projects[0]?.targets.values() ?? [])]).toEqual([
      {
        name: 'build',
        outputs: ['apps/worker/dist', 'out/worker', 'dist/worker'],
        dependsOn: ['^build', 'codegen', '^build', 'lint', 'money:x', 'theme:x'],
        continuous: false,
      },
      { name: 'serve', outputs: [], dependsOn: [], continuous: true },
      { name: 'k8s-build', outputs: [], dependsOn: [], continuous: false },
    ]);
  });
});

describe('a workspace', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-nx-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const put = (path: string, content: unknown) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify(content));
  };

  it('without an installed Nx is a problem that says what to do', async () => {
    put('nx.json', {});
    expect(await nxGraph(root).read()).toMatchObject({ ok: false, problem: { code: 'nxNotFound', exitCode: 2 } });
  });

  it('is read by its own Nx, again with what came since', async () => {
    put('nx.json', { analytics: false, neverConnectToCloud: true });
    put('package.json', {});
    put('apps/worker/project.json', { name: 'worker', implicitDependencies: ['money'] });
    put('libs/money/project.json', { name: 'money' });
    const modules = dirname(dirname(require.resolve('nx/package.json')));
    symlinkSync(modules, join(root, 'node_modules'), 'dir');
    // In a process of its own: Nx takes the workspace from the folder it is loaded in.
    const script = `
      const { nxGraph } = require(${JSON.stringify(require.resolve('./nxGraph'))});
      const { mkdirSync, writeFileSync } = require('node:fs');
      const names = (facts) => facts.value.projects.map(({ name, dependencies }) => [name, ...dependencies].join(' '));
      (async () => {
        const graph = nxGraph(${JSON.stringify(root)});
        const before = names(await graph.read());
        mkdirSync('apps/web');
        writeFileSync('apps/web/project.json', '{"name": "web"}');
        const after = names(await graph.read());
        writeFileSync('apps/web/project.json', '{"name": "money"}');
        const twice = await graph.read();
        writeFileSync('apps/web/project.json', '{ broken');
        const broken = await graph.read();
        process.stdout.write(JSON.stringify({ before, after, problem: twice.problem, mistake: broken.problem }), () => process.exit());
      })();`;
    const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', NX_WORKSPACE_DATA_DIRECTORY: join(root, '.data') };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', script], { cwd: root, env });
    const { before, after, problem, mistake } = JSON.parse(stdout) as {
      before: unknown;
      after: unknown;
      problem: { detail: string };
      mistake: unknown;
    };
    expect(before).toEqual(['money', 'worker money']);
    expect(after).toEqual(['money', 'web', 'worker money']);
    expect(problem).toMatchObject({ code: 'projectGraphFailed', exitCode: 2 });
    expect(problem.detail).toContain('apps/web');
    // Of what Nx's plugins say, the line with the place.
    expect(mistake).toMatchObject({
      message: expect.stringContaining('in apps/web/project.json at 1:') as string,
      hint: 'correct apps/web/project.json',
      location: { file: 'apps/web/project.json', line: 1 },
    });
  }, 30_000);

  it('compares with the branch that nx.json names, which may have comments and trailing commas as Nx reads it', () => {
    symlinkSync(dirname(dirname(require.resolve('nx/package.json'))), join(root, 'node_modules'), 'dir');
    writeFileSync(join(root, 'nx.json'), '{\n  // The branch that everything is merged into.\n  "defaultBase": "trunk",\n}\n');
    expect(nxGraph(root).defaultBase?.()).toBe('trunk');
  });

  it('has no imports that count while its nx.json cannot be read', async () => {
    put('node_modules/nx/package.json', { name: 'nx', version: '24.0.0' });
    mkdirSync(join(root, 'node_modules/nx/src/plugins/js/utils'), { recursive: true });
    const plugin = 'exports.jsPluginConfig = () => ({ analyzeSourceFiles: true });';
    writeFileSync(join(root, 'node_modules/nx/src/plugins/js/utils/config.js'), plugin);
    writeFileSync(join(root, 'main.ts'), "import 'one';");
    writeFileSync(join(root, 'nx.json'), '{ broken');
    const { importsChanged } = nxGraph(root);
    expect(await importsChanged?.(['main.ts'])).toBe(false);
    put('nx.json', {});
    expect(await importsChanged?.(['main.ts'])).toBe(true);
  });

  it('runs a target through its own nx', () => {
    put('node_modules/nx/package.json', { name: 'nx', version: '24.0.0' });
    put('node_modules/nx/bin/nx.js', '');
    const { command, args } = nxGraph(root).runTarget('worker', 'build');
    expect([command, ...args]).toEqual([process.execPath, join(root, 'node_modules/nx/bin/nx.js'), 'run', 'worker:build']);
  });
});
