import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphSource } from '../graph';
import { succeeded } from '../model';
import { init } from './init';

describe('the next command that init tells', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-init-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  it.each([
    { kind: 'turbo', manager: 'npm', next: 'npx turbo run dev --filter=@shop/api' },
    { kind: 'turbo', manager: 'yarn', next: 'yarn turbo run dev --filter=@shop/api' },
    // Through `pnpm turbo`, Ctrl+C would leave behind what was deployed.
    { kind: 'turbo', manager: 'pnpm', next: 'pnpm --filter @shop/api run dev' },
    { kind: 'workspaces', manager: 'npm', next: 'npm run dev --workspace @shop/api' },
    { kind: 'workspaces', manager: 'pnpm', next: 'pnpm --filter @shop/api run dev' },
  ] as const)('is `$next` for $manager and $kind', async ({ kind, manager, next }) => {
    const files: Readonly<Record<string, string>> = {
      'package.json': JSON.stringify({ packageManager: `${manager}@10.0.0` }),
      'turbo.json': '{}',
      'apps/api/package.json': '{"name": "@shop/api"}',
      'apps/api/k8s/api.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: api}\n',
    };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const workspace: GraphSource = {
      kind,
      root,
      watch: [],
      read: () =>
        Promise.resolve(
          succeeded({ projects: [{ name: '@shop/api', root: 'apps/api', dependencies: [], targets: new Map() }], runsDependencies: true }),
        ),
      runTarget: () => ({ command: 'false', args: [] }),
    };
    const { document } = await init({ workspace, dryRun: false, json: false });
    expect(document.survey.slice(-2)).toEqual(['Next:', `  ${next}`]);
  });
});

describe('init --manifests, where Nx has no generators', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-init-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const start = async (files: Readonly<Record<string, string>>, manifests: { projects: readonly string[]; port?: number }) => {
    const all = { 'package.json': '{}', 'apps/api/package.json': '{"name": "@shop/api"}', ...files };
    for (const [path, text] of Object.entries(all)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    const workspace: GraphSource = {
      kind: 'workspaces',
      root,
      watch: [],
      read: () => Promise.resolve(succeeded({ projects: [{ name: '@shop/api', root: 'apps/api', dependencies: [], targets: new Map() }] })),
      runTarget: () => ({ command: 'false', args: [] }),
    };
    return init({ workspace, dryRun: false, json: false, manifests });
  };
  const manifest = () => readFileSync(join(root, 'apps/api/k8s/api.yaml'), 'utf8');

  it('writes them from the Dockerfile, says why, and gives the scripts that deploy', async () => {
    const { exitCode, document } = await start({ 'apps/api/Dockerfile': 'FROM node\nEXPOSE 8080' }, { projects: ['api'] });
    expect(exitCode).toBe(0);
    expect(document.changes[0]).toMatchObject({ path: 'apps/api/k8s/api.yaml', created: true });
    expect(document.changes[0]?.because).toContain('port 8080: apps/api/Dockerfile exposes it');
    expect(manifest()).toContain('containerPort: 8080');
    expect(readFileSync(join(root, 'apps/api/package.json'), 'utf8')).toContain('"dev": "slipway dev"');
    expect(document.survey.slice(-2)).toEqual(['Next:', '  npm run dev --workspace @shop/api']);
  });

  it('takes the port that is said', async () => {
    await start({ 'apps/api/Dockerfile': 'FROM node' }, { projects: ['@shop/api'], port: 3000 });
    expect(manifest()).toContain('containerPort: 3000');
  });

  it('leaves manifests that are there as they are', async () => {
    const before = 'apiVersion: v1\nkind: Service\nmetadata: {name: api}\n';
    const files = { 'apps/api/Dockerfile': 'FROM node\nEXPOSE 1', 'apps/api/k8s/api.yaml': before };
    expect((await start(files, { projects: ['api'] })).exitCode).toBe(0);
    expect(manifest()).toBe(before);
  });

  it('tells all mistakes, and writes nothing', async () => {
    const { exitCode, problems } = await start({ 'apps/api/Dockerfile': 'FROM node' }, { projects: ['api', 'apii'] });
    expect([exitCode, problems.map(({ code }) => code)]).toEqual([2, ['portNotKnown', 'projectNotFound']]);
    expect(problems[1]?.hint).toBe('did you mean api?');
    expect(readFileSync(join(root, 'apps/api/package.json'), 'utf8')).toBe('{"name": "@shop/api"}');
  });

  it('is told where a Dockerfile has none beside it', async () => {
    const { document } = await start({ 'apps/api/Dockerfile': 'FROM node\nEXPOSE 1' }, { projects: [] });
    expect(document.survey.slice(-2)).toEqual(['Next:', '  npx slipway init --manifests @shop/api']);
  });
});

describe('init --from, where Nx has no generators', () => {
  it('writes what a skaffold.yaml says beside each project, and tells the rest', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-init-')));
    mkdirSync(join(root, 'apps/api'), { recursive: true });
    const skaffold = 'apiVersion: skaffold/v4beta11\nbuild: {artifacts: [{image: shop/api, context: apps/api, ko: {}}]}\n';
    for (const [path, text] of Object.entries({
      'package.json': '{}',
      'apps/api/package.json': '{"name": "api"}',
      'skaffold.yaml': skaffold,
    }))
      writeFileSync(join(root, path), text);
    const workspace: GraphSource = {
      kind: 'workspaces',
      root,
      watch: [],
      read: () => Promise.resolve(succeeded({ projects: [{ name: 'api', root: 'apps/api', dependencies: [], targets: new Map() }] })),
      runTarget: () => ({ command: 'false', args: [] }),
    };
    const before = await init({ workspace, dryRun: true, json: false });
    const { document } = await init({ workspace, dryRun: false, json: false, from: ['skaffold.yaml'] });
    const config = readFileSync(join(root, 'apps/api/slipway.yaml'), 'utf8');
    const missing = await init({ workspace, dryRun: false, json: false, from: ['other.yaml'] });
    rmSync(root, { recursive: true, force: true });
    expect(before.document.survey.join('\n')).toContain('npx slipway init --from skaffold.yaml');
    expect(document.changes[0]).toEqual({ path: 'apps/api/slipway.yaml', created: true, because: ['from skaffold.yaml'] });
    expect(document.notes[0]).toContain('skaffold.yaml:2:');
    expect(document.survey.join('\n')).not.toContain('skaffold');
    expect(config).toContain('name: shop/api');
    expect(missing).toMatchObject({ exitCode: 2, problems: [{ code: 'fileNotFound' }] });
  });

  it('makes a package of what a Compose file has as an image only, where no pattern of the workspaces covers it', async () => {
    const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-init-')));
    writeFileSync(join(root, 'package.json'), '{"workspaces": ["web"]}');
    writeFileSync(join(root, 'compose.yaml'), 'services: {cache: {image: redis}}\n');
    const workspace: GraphSource = {
      kind: 'workspaces',
      root,
      watch: [],
      read: () => Promise.resolve(succeeded({ projects: [] })),
      runTarget: () => ({ command: 'false', args: [] }),
    };
    const { document } = await init({ workspace, dryRun: false, json: false, from: ['compose.yaml'] });
    const json = readFileSync(join(root, 'package.json'), 'utf8');
    rmSync(root, { recursive: true, force: true });
    expect(JSON.parse(json)).toEqual({ workspaces: ['web', 'apps/cache'] });
    expect(document.changes).toContainEqual({
      path: 'package.json',
      created: false,
      because: ['apps/cache: a package where no pattern of the workspaces was; `npm install` takes it up'],
    });
  });
});
