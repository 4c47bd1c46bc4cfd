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

  it('keeps manifests and prose out of production, where there is such an input', async () => {
    tree.write('nx.json', JSON.stringify({ namedInputs: { default: ['x'], production: ['default', '!{projectRoot}/**/*.md'] } }));
    await init(tree, {});
    expect(nxJson().namedInputs).toEqual({ default: ['x'], production: ['default', '!{projectRoot}/**/*.md', '!{projectRoot}/k8s/**/*'] });
    tree.write('nx.json', '{}');
    await init(tree, {});
    expect(nxJson().namedInputs).toBeUndefined();
  });

  it('leaves git out of its own folder', async () => {
    tree.write('.gitignore', 'node_modules');
    await init(tree, {});
    expect(tree.read('.gitignore', 'utf-8')).toBe('node_modules\n.slipway\n');
  });

  it('names itself among the development dependencies, and asks for an install only then', async () => {
    expect(await init(tree, { skipPackageJson: true })).toBeUndefined();
    expect(json('package.json')).not.toHaveProperty(['devDependencies', 'nx-slipway']);
    expect(await init(tree, {})).toBeDefined();
    expect(json('package.json')).toHaveProperty(['devDependencies', 'nx-slipway'], expect.stringMatching(/^\^\d/));
  });

  it('leaves a version that is there, unless it may not', async () => {
    tree.write('package.json', JSON.stringify({ dependencies: { 'nx-slipway': 'file:x.tgz' } }));
    expect(await init(tree, {})).toBeUndefined();
    expect(json('package.json')).toEqual({ dependencies: { 'nx-slipway': 'file:x.tgz' } });
    await init(tree, { keepExistingVersions: false });
    expect(json('package.json')).toEqual({ dependencies: { 'nx-slipway': expect.stringMatching(/^\^\d/) as unknown } });
  });

  it('changes nothing more when it is run again', async () => {
    tree.write('nx.json', JSON.stringify({ namedInputs: { production: ['default'] } }));
    await init(tree, {});
    const files = () => ['nx.json', '.gitignore', 'package.json'].map((path) => tree.read(path, 'utf-8'));
    const once = files();
    expect(await init(tree, {})).toBeUndefined();
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
