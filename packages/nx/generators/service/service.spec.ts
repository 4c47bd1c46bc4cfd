import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readProjectConfiguration, type Tree } from '@nx/devkit';
import { createTreeWithEmptyWorkspace } from '@nx/devkit/testing';
import { kindDescriptions, serviceKinds } from '../../../scaffold';
import service from './service';

describe('the service generator', () => {
  let tree: Tree;
  beforeAll(() => (process.env['NX_SKIP_FORMAT'] = 'true'));
  afterAll(() => delete process.env['NX_SKIP_FORMAT']);
  beforeEach(() => (tree = createTreeWithEmptyWorkspace()));
  const json = (path: string) => JSON.parse(tree.read(path, 'utf-8') ?? '') as Record<string, unknown>;
  const packages = (globs: readonly string[], name = 'shop') => tree.write('package.json', JSON.stringify({ name, workspaces: globs }));
  const written = () => Object.fromEntries(tree.listChanges().map(({ path, content }) => [path, content?.toString()]));

  it.each(serviceKinds)('makes a project of kind %s that Nx knows, in a workspace without packages', async (kind) => {
    await service(tree, { name: 'hello', kind });
    expect(readProjectConfiguration(tree, 'hello')).toMatchObject({ root: 'apps/hello', projectType: 'application' });
    for (const file of ['Dockerfile', '.dockerignore', 'k8s/hello.yaml', 'project.json'])
      expect(tree.exists(`apps/hello/${file}`)).toBe(true);
    expect(tree.exists('apps/hello/package.json')).toBe(kind === 'node');
  });

  it.each(serviceKinds)('makes a project of kind %s that Nx knows, in a workspace of packages', async (kind) => {
    packages(['services/*'], '@shop/source');
    await service(tree, { name: 'hello', kind });
    expect(readProjectConfiguration(tree, 'hello').root).toBe('services/hello');
    const isPackage = kind.startsWith('node');
    expect([tree.exists('services/hello/package.json'), tree.exists('services/hello/project.json')]).toEqual([isPackage, !isPackage]);
    if (isPackage) expect(json('services/hello/package.json')).toMatchObject({ name: '@shop/hello', private: true, nx: { name: 'hello' } });
  });

  it('builds a bundle by a target whose outputs are known', async () => {
    const build = { cache: true, outputs: ['{projectRoot}/dist'], dependsOn: ['^build'] };
    await service(tree, { name: 'one', kind: 'node-bundle' });
    expect(readProjectConfiguration(tree, 'one').targets).toMatchObject({
      build: { ...build, executor: 'nx:run-commands', options: { cwd: 'apps/one' } },
    });
    expect(json('package.json')).toMatchObject({ devDependencies: { esbuild: expect.any(String) as unknown } });

    packages(['apps/*']);
    await service(tree, { name: 'two', kind: 'node-bundle' });
    expect(json('apps/two/package.json')).toMatchObject({
      name: 'two',
      devDependencies: { esbuild: expect.any(String) as unknown },
      nx: { targets: { build: { ...build, options: { cwd: 'apps/two' } } } },
    });
  });

  it('keeps what the bundle is written to from being what it is made from', async () => {
    await service(tree, { name: 'one', kind: 'node-bundle' });
    expect(tree.read('.gitignore', 'utf-8')?.split('\n')).toContain('apps/one/dist');
    tree.write('.gitignore', 'dist\n');
    await service(tree, { name: 'two', kind: 'node-bundle' });
    expect(tree.read('.gitignore', 'utf-8')).toBe('dist\n.slipway\n');
  });

  it('asks for no package that the workspace has', async () => {
    tree.write('package.json', JSON.stringify({ workspaces: ['apps/*'], devDependencies: { typescript: '5.9.0', esbuild: '0.20.0' } }));
    await service(tree, { name: 'hello', kind: 'node-bundle' });
    expect(json('apps/hello/package.json')['devDependencies']).toEqual({ '@types/node': expect.any(String) as unknown });
    expect(json('package.json')['devDependencies']).toMatchObject({ typescript: '5.9.0', esbuild: '0.20.0' });
  });

  it('checks types by the base of the workspace, where there is one', async () => {
    tree.write('tsconfig.base.json', '{}');
    await service(tree, { name: 'hello', kind: 'node-bundle', directory: 'a/b/hello/' });
    expect(json('a/b/hello/tsconfig.json')).toMatchObject({ extends: '../../../tsconfig.base.json', compilerOptions: { noEmit: true } });
  });

  it('sets the workspace up as init does, and listens where it is told', async () => {
    await service(tree, { name: 'hello', kind: 'static', port: 9000 });
    expect(json('nx.json')).toMatchObject({ plugins: [{ plugin: 'nx-slipway' }] });
    expect(tree.read('apps/hello/Dockerfile', 'utf-8')).toContain('EXPOSE 9000');
    expect(tree.read('apps/hello/k8s/hello.yaml', 'utf-8')).toContain('containerPort: 9000');
  });

  it('changes nothing when the service is there, whatever was made of it', async () => {
    await service(tree, { name: 'hello', kind: 'go' });
    tree.write('apps/hello/main.go', 'package main // mine');
    tree.delete('apps/hello/dev.sh');
    const before = written();
    await service(tree, { name: 'hello', kind: 'node' });
    expect(written()).toEqual(before);
  });

  const wrong: { what: string; options: Parameters<typeof service>[1]; says: RegExp }[] = [
    {
      what: 'a name that Kubernetes does not take',
      options: { name: 'My Api' },
      says: /"My Api" cannot be the name.*\n {2}→ call it my-api/,
    },
    { what: 'a port that needs rights', options: { name: 'api', port: 80 }, says: /80 cannot be the port/ },
    { what: 'all at once', options: { name: 'API', port: 80 }, says: /call it api[^]*80 cannot be/ },
    {
      what: 'a folder with something in it',
      options: { name: 'api', directory: 'taken' },
      says: /taken is there already\n {2}→ choose another folder/,
    },
    {
      what: "another project's folder",
      options: { name: 'api', directory: 'libs/lib' },
      says: /libs\/lib is there already, and is the project lib/,
    },
    { what: 'a name that is taken', options: { name: 'lib', directory: 'apps/lib' }, says: /there is a project lib already, in libs\/lib/ },
    { what: 'a folder outside of the workspace', options: { name: 'api', directory: '../api' }, says: /\.\.\/api cannot be the folder/ },
    { what: 'an absolute folder', options: { name: 'api', directory: '/srv/api' }, says: /\/srv\/api cannot be the folder/ },
    {
      what: 'a kind that there is not',
      options: { name: 'api', kind: 'rust' as never },
      says: /rust is no kind of service\n {2}→ one of node, /,
    },
  ];
  it.each(wrong)('refuses $what, and writes nothing', async ({ options, says }) => {
    tree.write('taken/README.md', '');
    tree.write('libs/lib/project.json', JSON.stringify({ name: 'lib' }));
    const before = written();
    await expect(service(tree, options)).rejects.toThrow(says);
    expect(written()).toEqual(before);
  });

  it('offers every kind with its description', () => {
    const schema = JSON.parse(readFileSync(join(__dirname, 'schema.json'), 'utf8')) as {
      properties: { kind: { enum: string[]; 'x-prompt': { items: { value: string; label: string }[] } } };
    };
    const { kind } = schema.properties;
    expect(kind.enum).toEqual([...serviceKinds]);
    expect(kind['x-prompt'].items).toEqual(serviceKinds.map((value) => ({ value, label: `${value}: ${kindDescriptions[value]}` })));
  });
});
