import type { Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import manifests from './manifests';

describe('the manifests generator', () => {
  let tree: Tree;
  beforeAll(() => (process.env['NX_SKIP_FORMAT'] = 'true'));
  afterAll(() => delete process.env['NX_SKIP_FORMAT']);
  beforeEach(() => {
    tree = createTreeWithEmptyWorkspace();
    tree.write('apps/api/project.json', JSON.stringify({ name: 'api' }));
    tree.write('apps/api/Dockerfile', 'FROM node:20-slim\nUSER node\nEXPOSE 3000\n');
  });

  it('writes them beside the Dockerfile, and sets the workspace up', async () => {
    await manifests(tree, { project: 'api' });
    expect(tree.read('apps/api/k8s/api.yaml', 'utf-8')).toContain('containerPort: 3000');
    expect(tree.read('nx.json', 'utf-8')).toContain('nx-slipway');
  });

  it('leaves those that are there, wherever they are', async () => {
    tree.write('apps/api/deploy/mine.yaml', 'apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {ports: [{port: 80}]}\n');
    await manifests(tree, { project: 'api' });
    expect(tree.exists('apps/api/k8s')).toBe(false);
    tree.write('apps/api/k8s/mine.yaml', 'apiVersion: v1\nkind: ConfigMap\n');
    await manifests(tree, { project: 'api' });
    expect(tree.children('apps/api/k8s')).toEqual(['mine.yaml']);
  });

  it('refuses a project that there is not, and one whose port it cannot know', async () => {
    await expect(manifests(tree, { project: 'apo' })).rejects.toThrow('there is no project apo\n  → did you mean api?');
    tree.write('apps/api/Dockerfile', 'FROM node:20-slim\n');
    await expect(manifests(tree, { project: 'api' })).rejects.toThrow(/says no port \(EXPOSE\)\n {2}→ say it with --port/);
    await manifests(tree, { project: 'api', port: 4000 });
    expect(tree.read('apps/api/k8s/api.yaml', 'utf-8')).toContain('containerPort: 4000');
  });
});
