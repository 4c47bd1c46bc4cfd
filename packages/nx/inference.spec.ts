import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { NxJsonConfiguration, ProjectConfiguration } from '@nx/devkit';
import { createNodes, createNodesV2, type PluginOptions } from './inference';

describe('the targets that Nx infers', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-inference-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const put = (files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  };
  const infer = async (files: readonly string[], options?: PluginOptions, nxJsonConfiguration: NxJsonConfiguration = {}) => {
    const results = await createNodes[1](files, options, { nxJsonConfiguration, workspaceRoot: root });
    return Object.assign({}, ...results.map(([, result]) => result.projects)) as Record<string, ProjectConfiguration | undefined>;
  };
  const targetNames = async (projectRoot: string, file = `${projectRoot}/package.json`) =>
    Object.keys((await infer([file]))[projectRoot]?.targets ?? {});

  it('are the same for the Nx that reads createNodes and the one that reads createNodesV2', () => {
    expect(createNodesV2).toBe(createNodes);
  });

  const worker = '{"name": "worker"}';
  const cases: { what: string; files: Record<string, string>; project?: string; names: string[] }[] = [
    {
      what: 'build, deploy, delete and dev for a Dockerfile with manifests',
      files: { 'apps/worker/package.json': worker, 'apps/worker/Dockerfile': 'FROM x', 'apps/worker/k8s/worker.yaml': '' },
      names: ['k8s-build', 'k8s-deploy', 'k8s-delete', 'k8s-sync', 'k8s-logs', 'k8s-render', 'dev'],
    },
    {
      what: 'only a build for a Dockerfile alone',
      files: { 'apps/worker/package.json': worker, 'apps/worker/Dockerfile': '' },
      names: ['k8s-build'],
    },
    {
      what: 'no build for manifests alone',
      files: { 'apps/worker/package.json': worker, 'apps/worker/k8s/worker.yaml': '' },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'dev'],
    },
    ...['worker.yml', 'kustomization.yaml', 'kustomization.yml', 'Kustomization'].map((name) => ({
      what: `no build for k8s/${name} alone`,
      files: { 'apps/worker/package.json': worker, [`apps/worker/k8s/${name}`]: '' },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'dev'],
    })),
    {
      what: 'nothing for a folder in k8s that is called like a manifest',
      files: { 'apps/worker/package.json': worker, 'apps/worker/k8s/old.yaml/README.md': '' },
      names: [],
    },
    { what: 'nothing for a library', files: { 'apps/worker/package.json': worker, 'apps/worker/src/index.js': '' }, names: [] },
    {
      what: 'nothing for a k8s folder that holds no manifest',
      files: { 'apps/worker/package.json': worker, 'apps/worker/k8s/README.md': '' },
      names: [],
    },
    {
      what: 'what a config names, wherever that lies',
      files: { 'apps/worker/package.json': worker, 'apps/worker/slipway.yaml': 'version: 1\nmanifests: [../../deploy/worker.yaml]\n' },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'dev'],
    },
    {
      what: 'nothing for a config that names no image and no manifests',
      files: { 'apps/worker/package.json': worker, 'apps/worker/slipway.yaml': 'version: 1\nreload: hot\n' },
      names: [],
    },
    {
      what: 'everything for a config that cannot be read, so that running one of them tells why',
      files: { 'apps/worker/package.json': worker, 'apps/worker/slipway.yaml': 'image: [' },
      names: ['k8s-build', 'k8s-deploy', 'k8s-delete', 'k8s-sync', 'k8s-logs', 'k8s-render', 'dev'],
    },
    {
      what: 'k8s-dev where a script is named dev',
      files: { 'apps/worker/package.json': '{"name": "worker", "scripts": {"dev": "vite"}}', 'apps/worker/k8s/worker.yaml': '' },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'k8s-dev'],
    },
    {
      what: 'dev where the script of that name is not a target',
      files: {
        'apps/worker/package.json': '{"name": "worker", "scripts": {"dev": "vite"}, "nx": {"includedScripts": ["test"]}}',
        'apps/worker/k8s/worker.yaml': '',
      },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'dev'],
    },
    {
      what: 'k8s-dev where project.json has a target named dev',
      files: {
        'apps/worker/package.json': worker,
        'apps/worker/project.json': '{"targets": {"dev": {"command": "vite"}}}',
        'apps/worker/k8s/a.yaml': '',
      },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'k8s-dev'],
    },
    {
      what: 'dev where project.json only sets its options',
      files: {
        'apps/worker/package.json': worker,
        'apps/worker/project.json': '{"targets": {"dev": {"options": {"keep": true}}}}',
        'apps/worker/k8s/a.yaml': '',
      },
      names: ['k8s-deploy', 'k8s-delete', 'k8s-logs', 'k8s-render', 'dev'],
    },
    {
      what: 'nothing for a package.json without a name, which is no project',
      files: { 'apps/worker/package.json': '{}', 'apps/worker/Dockerfile': '' },
      names: [],
    },
    {
      what: 'nothing at the root of the workspace for the defaults that its config holds',
      files: { 'package.json': '{"name": "shop", "nx": {}}', 'slipway.yaml': 'version: 1\nimage: {context: workspace}\n' },
      project: '.',
      names: [],
    },
    {
      what: 'a build at the root when the root is a project with a Dockerfile',
      files: { 'package.json': '{"name": "shop", "nx": {}}', Dockerfile: '' },
      project: '.',
      names: ['k8s-build'],
    },
    {
      what: 'nothing at the root when that is no project',
      files: { 'package.json': '{"name": "shop"}', Dockerfile: '' },
      project: '.',
      names: [],
    },
  ];
  it.each(cases)('are $what', async ({ files, project = 'apps/worker', names }) => {
    put(files);
    expect(await targetNames(project, project === '.' ? 'package.json' : undefined)).toEqual(names);
  });

  it('say why dev is named otherwise', async () => {
    put({ 'apps/worker/package.json': '{"name": "worker", "scripts": {"dev": "vite"}}', 'apps/worker/k8s/worker.yaml': '' });
    const projects = await infer(['apps/worker/package.json']);
    expect(projects['apps/worker']?.targets?.['k8s-dev']?.metadata?.description).toContain(
      'because the project has a dev target of its own',
    );
  });

  it('are given once to a project with both kinds of project file', async () => {
    put({ 'apps/worker/package.json': worker, 'apps/worker/project.json': worker, 'apps/worker/Dockerfile': '' });
    const results = await createNodes[1](['apps/worker/project.json', 'apps/worker/package.json'], undefined, {
      nxJsonConfiguration: {},
      workspaceRoot: root,
    });
    expect(results.map(([file]) => file)).toEqual(['apps/worker/project.json']);
  });

  it('take their names from the options of the plugin', async () => {
    put({
      'apps/worker/package.json': '{"name": "worker", "scripts": {"dev": "vite"}}',
      'apps/worker/Dockerfile': '',
      'apps/worker/k8s/worker.yaml': '',
    });
    const options = {
      buildTargetName: 'image',
      deployTargetName: 'ship',
      deleteTargetName: 'sink',
      syncTargetName: 'copy',
      logsTargetName: 'said',
      renderTargetName: 'drawn',
      devTargetName: 'live',
    };
    const targets = (await infer(['apps/worker/package.json'], options))['apps/worker']?.targets ?? {};
    expect(Object.keys(targets)).toEqual(['image', 'ship', 'sink', 'copy', 'said', 'drawn', 'live']);
    expect(targets['ship']?.dependsOn).toEqual([{ target: 'image', params: 'forward' }]);
  });

  describe('read', () => {
    const fileInputs = async (target: string, files: Record<string, string>): Promise<readonly string[]> => {
      put({ 'apps/worker/package.json': worker, 'apps/worker/src/a.js': '', 'libs/log/a.js': '', 'deploy/worker.yaml': '', ...files });
      const { inputs = [] } = (await infer(['apps/worker/package.json']))['apps/worker']?.targets?.[target] ?? {};
      const own = ['{workspaceRoot}/slipway.yaml', '{workspaceRoot}/apps/worker/slipway.yaml'];
      return inputs.flatMap((input) => (typeof input === 'string' && !own.includes(input) ? [input.replace('{workspaceRoot}/', '')] : []));
    };
    const dockerfile = 'apps/worker/Dockerfile';
    const ofProject = [dockerfile, `${dockerfile}.dockerignore`, 'apps/worker/.dockerignore'];
    const ofWorkspace = [dockerfile, `${dockerfile}.dockerignore`, '.dockerignore'];
    const cases: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
      [
        'all its Dockerfiles and what each takes, where it has several images',
        {
          [dockerfile]: 'FROM x\nCOPY src /src\n',
          'apps/worker/log.Dockerfile': 'FROM x\nCOPY libs/log /log\n',
          'apps/worker/slipway.yaml': 'version: 1\nimages: {worker: , log: {docker: {file: log.Dockerfile}}}\n',
        },
        [
          ...ofProject,
          'apps/worker/src',
          'apps/worker/src/**/*',
          'apps/worker/log.Dockerfile',
          'apps/worker/log.Dockerfile.dockerignore',
          '.dockerignore',
          'libs/log',
          'libs/log/**/*',
        ],
      ],
      [
        'of a project what its Dockerfile copies, and nothing else',
        { [dockerfile]: 'FROM scratch\nCOPY package.json src /app/\n' },
        [...ofProject, 'apps/worker/package.json', 'apps/worker/src', 'apps/worker/src/**/*'],
      ],
      [
        'of the workspace what a Dockerfile copies from elsewhere',
        { [dockerfile]: 'FROM scratch\nCOPY apps/worker/src libs/log /app/\n' },
        [...ofWorkspace, 'apps/worker/src', 'apps/worker/src/**/*', 'libs/log', 'libs/log/**/*'],
      ],
      [
        'patterns, and what folders that they match hold',
        { [dockerfile]: 'FROM scratch\nCOPY package*.json /app/\n' },
        [...ofProject, 'apps/worker/package*.json', 'apps/worker/package*.json/**/*'],
      ],
      [
        'what a RUN mounts',
        { [dockerfile]: 'FROM x\nRUN --mount=type=bind,source=src,target=/src make\n' },
        [...ofProject, 'apps/worker/src', 'apps/worker/src/**/*'],
      ],
      [
        'what a build has still to make, in the context that all the rest says',
        { [dockerfile]: 'FROM scratch\nCOPY package.json dist /app/\n' },
        [...ofProject, 'apps/worker/package.json', 'apps/worker/dist', 'apps/worker/dist/**/*'],
      ],
      [
        'all of a context, but what nothing takes back from its ignore file',
        {
          [dockerfile]: 'FROM scratch\nCOPY . /app\n',
          'apps/worker/.dockerignore': '**/*.md\nk8s\nsrc/**/*.test.js\n!src/keep.test.js\n',
        },
        [
          ...ofProject,
          'apps/worker/**/*',
          '!apps/worker/**/*.md',
          '!apps/worker/**/*.md/**/*',
          '!apps/worker/k8s',
          '!apps/worker/k8s/**/*',
        ],
      ],
      [
        'anything where a path is not known before the build',
        { [dockerfile]: 'ARG WHAT\nFROM scratch\nARG WHAT\nCOPY $WHAT /app/\n' },
        [...ofProject, 'apps/worker/**/*'],
      ],
      [
        'the Dockerfile, context and stage that the config names',
        {
          'apps/worker/slipway.yaml': 'version: 1\nimage: {context: ../../libs, docker: {file: my.Dockerfile, target: one}}\n',
          'apps/worker/my.Dockerfile': 'FROM scratch AS one\nCOPY log /log/\nFROM scratch\nCOPY other /other/\n',
        },
        ['apps/worker/my.Dockerfile', 'apps/worker/my.Dockerfile.dockerignore', 'libs/.dockerignore', 'libs/log', 'libs/log/**/*'],
      ],
      [
        'the whole project where the Dockerfile cannot be read',
        { [dockerfile]: 'FORM scratch\n' },
        ['{projectRoot}/**/*', '^default', '.dockerignore'],
      ],
      [
        'the whole project where the environment decides what is copied',
        {
          [dockerfile]: 'FROM scratch\nARG FROM_DIR=src\nCOPY $FROM_DIR /app/\n',
          'apps/worker/slipway.yaml': 'version: 1\nimage: {docker: {args: {FROM_DIR: "${DIR}"}}}\n',
        },
        ['{projectRoot}/**/*', '^default', '.dockerignore'],
      ],
    ];
    it.each(cases)('%s', async (_, files, expected) => {
      const inputs = await fileInputs('k8s-build', files);
      expect([...inputs].map((input) => input.replace(/\?/g, '')).sort()).toEqual([...expected].sort());
    });

    it('manifests where the config has them', async () => {
      const files = { 'apps/worker/slipway.yaml': 'version: 1\nmanifests: [../../deploy/*.yaml]\n' };
      expect(await fileInputs('k8s-deploy', files)).toEqual(['deploy/*.yaml', 'deploy/*.yaml/**/*']);
    });

    it('manifests beside the project, and no source', async () => {
      const inputs = await fileInputs('k8s-deploy', { 'apps/worker/k8s/a.yaml': '', [dockerfile]: 'FROM scratch\nCOPY src /\n' });
      expect(inputs.every((input) => input.startsWith('apps/worker/k8s/'))).toBe(true);
    });
  });

  it('are never taken for done without the registry being asked', async () => {
    put({ 'apps/worker/package.json': worker, 'apps/worker/Dockerfile': '', 'apps/worker/k8s/a.yaml': '' });
    const { targets } = (await infer(['apps/worker/package.json']))['apps/worker'] ?? {};
    expect([targets?.['k8s-build']?.cache, targets?.['k8s-deploy']?.cache]).toEqual([false, false]);
  });

  it('read production-named inputs only where the workspace has them', async () => {
    put({ 'apps/worker/package.json': worker, 'apps/worker/Dockerfile': '' });
    const inputs = async (nxJson: NxJsonConfiguration) =>
      (await infer(['apps/worker/package.json'], undefined, nxJson))['apps/worker']?.targets?.['k8s-build']?.inputs;
    expect(await inputs({})).toContain('^default');
    expect(await inputs({ namedInputs: { production: ['default'] } })).toContain('^production');
  });

  it('say that dev tells when it is ready only to an Nx that understands it', async () => {
    put({ 'apps/worker/package.json': worker, 'apps/worker/k8s/worker.yaml': '' });
    const readyWhen = async (version: string) => {
      put({ 'node_modules/nx/package.json': JSON.stringify({ name: 'nx', version }) });
      return (await infer(['apps/worker/package.json']))['apps/worker']?.targets?.['dev']?.readyWhen;
    };
    expect(await readyWhen('23.3.2')).toBeUndefined();
    // Another folder, because node remembers what it read for a path.
    rmSync(root, { recursive: true });
    root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-inference-')));
    put({ 'apps/worker/package.json': worker, 'apps/worker/k8s/worker.yaml': '' });
    expect(await readyWhen('24.0.6')).toEqual({ signal: true });
  });
});
