import type { NxJsonConfiguration, Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import init from './init';

describe('the init generator', () => {
  let tree: Tree;
  // The formatter is the workspace's own, and the tree of a test has none.
  beforeAll(() => (process.env['NX_SKIP_FORMAT'] = 'true'));
  afterAll(() => delete process.env['NX_SKIP_FORMAT']);
  beforeEach(() => (tree = createTreeWithEmptyWorkspace()));
  const json = (path: string) => JSON.parse(tree.read(path, 'utf-8') ?? '') as object;
  const nxJson = (): NxJsonConfiguration => json('nx.json');

  it('registers the plugin beside those that are there', async () => {
    tree.write('nx.json', JSON.stringify({ plugins: ['@nx/js'] }));
    await init(tree, {});
    expect(nxJson().plugins).toEqual(['@nx/js', { plugin: 'nx-slipway', options: {} }]);
  });

  it('keeps manifests and configs out of production, and prose too where nobody has said yet what production is', async () => {
    tree.write('nx.json', JSON.stringify({ namedInputs: { default: ['x'], production: ['default', '!{projectRoot}/**/*.test.js'] } }));
    await init(tree, {});
    expect(nxJson().namedInputs).toEqual({
      default: ['x'],
      production: ['default', '!{projectRoot}/**/*.test.js', '!{projectRoot}/k8s/**/*', '!{projectRoot}/slipway.yaml'],
    });
    tree.write('nx.json', '{}');
    await init(tree, {});
    expect(nxJson().namedInputs).toEqual({
      production: ['default', '!{projectRoot}/k8s/**/*', '!{projectRoot}/slipway.yaml', '!{projectRoot}/**/*.md'],
    });
    tree.write('nx.json', JSON.stringify({ plugins: ['nx-slipway'], namedInputs: { production: ['default', '!{projectRoot}/k8s/**/*'] } }));
    await init(tree, {});
    expect(nxJson().namedInputs).toEqual({ production: ['default', '!{projectRoot}/k8s/**/*', '!{projectRoot}/slipway.yaml'] });
  });

  it('leaves git out of its own folder, and images out of what no image takes', async () => {
    tree.write('.gitignore', 'node_modules');
    await init(tree, {});
    expect(tree.read('.gitignore', 'utf-8')).toBe('node_modules\n.slipway\n');
    expect(tree.read('.dockerignore', 'utf-8')).toBe('**/node_modules\n.git\n.nx\n.slipway\n');
  });

  it('does not ignore what a Dockerfile copies', async () => {
    tree.write('apps/api/Dockerfile', 'FROM node:20-slim\nCOPY apps/api/node_modules node_modules\n');
    await init(tree, {});
    expect(tree.read('.dockerignore', 'utf-8')).toBe('.git\n.nx\n.slipway\n');
  });

  it('allows a context only when it is asked to, and leaves the rest of the config', async () => {
    await init(tree, {});
    expect(tree.exists('slipway.yaml')).toBe(false);
    await init(tree, { allowContext: 'staging' });
    expect(tree.read('slipway.yaml', 'utf-8')).toMatch(/version: 1\n[^]*allowContexts:\s+(- |\[ ?)staging/);
    tree.write('slipway.yaml', '# ours\nversion: 1\nallowContexts: [qa]\n');
    await init(tree, { allowContext: 'staging' });
    expect(tree.read('slipway.yaml', 'utf-8')).toMatch(/^# ours\nversion: 1\n[^]*qa[^]*staging/);
  });

  it('says in slipway.yaml what a skaffold.yaml says, and names that file until it has been read', async () => {
    const said = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    const heard = () => said.mock.calls.flat().join('\n');
    tree.write('apps/api/project.json', '{"name": "api"}');
    tree.write('skaffold.yaml', 'apiVersion: skaffold/v4beta11\nbuild: {artifacts: [{image: shop/api, context: apps/api, ko: {}}]}\n');
    await (
      await init(tree, { skipPackageJson: true })
    )();
    expect(heard()).toContain('nx g nx-slipway:init --from=skaffold.yaml');
    said.mockClear();
    await (
      await init(tree, { from: ['skaffold.yaml'], skipPackageJson: true })
    )();
    said.mockRestore();
    expect(tree.read('apps/api/slipway.yaml', 'utf-8')).toContain('name: shop/api');
    await expect(init(tree, { from: ['other.yaml'] })).rejects.toThrow('there is no other.yaml');
  });

  it('writes nothing when the config cannot be read', async () => {
    tree.write('slipway.yaml', 'version: [\n');
    await expect(init(tree, { allowContext: 'staging' })).rejects.toThrow(/slipway\.yaml:\d+: not valid YAML/);
    expect(tree.exists('.dockerignore')).toBe(false);
  });

  it('names itself among the development dependencies', async () => {
    await init(tree, { skipPackageJson: true });
    expect(json('package.json')).not.toHaveProperty(['devDependencies', 'nx-slipway']);
    await init(tree, {});
    expect(json('package.json')).toHaveProperty(['devDependencies', 'nx-slipway'], expect.stringMatching(/^\^\d/));
  });

  it('leaves a version that is there, unless it may not', async () => {
    tree.write('package.json', JSON.stringify({ dependencies: { 'nx-slipway': 'file:x.tgz' } }));
    await init(tree, {});
    expect(json('package.json')).toEqual({ dependencies: { 'nx-slipway': 'file:x.tgz' } });
    await init(tree, { keepExistingVersions: false });
    expect(json('package.json')).toEqual({ dependencies: { 'nx-slipway': expect.stringMatching(/^\^\d/) as unknown } });
  });

  it('changes nothing more when it is run again', async () => {
    tree.write('nx.json', JSON.stringify({ namedInputs: { production: ['default'] } }));
    await init(tree, { allowContext: 'staging' });
    const files = () => ['nx.json', '.gitignore', '.dockerignore', 'package.json', 'slipway.yaml'].map((path) => tree.read(path, 'utf-8'));
    const once = files();
    await init(tree, { allowContext: 'staging' });
    expect(files()).toEqual(once);
  });

  it('knows itself by any of the ways it can be registered', async () => {
    tree.write('nx.json', JSON.stringify({ plugins: [{ plugin: 'nx-slipway', options: { devTargetName: 'live' } }] }));
    await init(tree, {});
    expect(nxJson().plugins).toHaveLength(1);
    tree.write('nx.json', JSON.stringify({ plugins: ['nx-slipway'] }));
    await init(tree, {});
    expect(nxJson().plugins).toEqual(['nx-slipway']);
  });
});
