import { parse } from 'yaml';
import type { WorkspaceFiles } from '../graph';
import { setUp, type SetUpRequest } from './setUp';

type Texts = Readonly<Record<string, string>>;

function filesOf(texts: Texts): WorkspaceFiles {
  const paths = Object.keys(texts);
  const isDir = (path: string) => paths.some((each) => each.startsWith(`${path}/`));
  return {
    textOf: (path) => texts[path],
    kindOf: (path) => (texts[path] !== undefined ? 'file' : isDir(path) ? 'dir' : undefined),
    namesIn(directory) {
      const prefix = directory === '' ? '' : `${directory}/`;
      const inside = paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
      return [...new Set(inside.map((path) => path.split('/')[0] ?? ''))].sort();
    },
  };
}

const requestOf = (texts: Texts, kind: SetUpRequest['kind']): SetUpRequest => ({
  kind,
  manager: texts['pnpm-workspace.yaml'] === undefined ? 'npm' : 'pnpm',
  files: filesOf(texts),
  projects: Object.keys(texts)
    .filter((path) => /^\w+\/\w+\/package\.json$/.test(path))
    .map((path) => ({ name: `@shop/${path.split('/')[1] ?? ''}`, root: path.split('/').slice(0, 2).join('/'), dependencies: [] })),
});

/** The files afterwards, and that doing it again changes nothing. */
function after(texts: Texts, kind: SetUpRequest['kind'] = 'turbo') {
  const { changes, notes, devOf } = setUp(requestOf(texts, kind));
  const files: Texts = { ...texts, ...Object.fromEntries(changes.map(({ path, text }) => [path, text])) };
  expect(setUp(requestOf(files, kind)).changes).toEqual([]);
  return { files, notes, devOf, paths: changes.map(({ path, created }) => `${created ? '+' : ''}${path}`) };
}

const manifest = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\n';
const shop: Texts = {
  'package.json': '{"devDependencies": {"nx-slipway": "1"}}',
  'turbo.json': '{\n\t// ours\n\t"tasks": {\n\t\t"build": { "outputs": ["dist/**"] } // everything\n\t}\n}\n',
  '.gitignore': 'node_modules\n.slipway/\n',
  'apps/api/package.json': '{\n    "name": "@shop/api",\n    "scripts": { "build": "tsc" }\n}\n',
  'apps/api/Dockerfile': 'FROM scratch\nCOPY dist /\n',
  'apps/api/k8s/api.yaml': manifest,
  'libs/money/package.json': '{ "name": "@shop/money" }\n',
};
const scriptsOf = (text = '{}') => (JSON.parse(text) as { readonly scripts?: object }).scripts;
/** YAML reads what remains without the comments. */
const turboOf = (text = '') => parse(text.replace(/\/\/ .*/g, '').replaceAll('\t', ' ')) as { readonly tasks: Record<string, object> };

describe('a Turborepo that is set up', () => {
  it('has tasks, scripts for what is built and deployed, and what keeps folders of tools out of images', () => {
    const { files, paths, notes, devOf } = after(shop);
    expect(paths).toEqual(['turbo.json', 'apps/api/package.json', '.gitignore', '+.dockerignore']);
    expect(turboOf(files['turbo.json'])).toEqual({
      globalPassThroughEnv: expect.arrayContaining(['KUBECONFIG', 'SSH_AUTH_SOCK', 'HTTPS_PROXY']) as unknown,
      tasks: {
        build: { outputs: ['dist/**'] },
        'k8s:build': { dependsOn: ['build'], cache: false, passThroughEnv: ['*'] },
        'k8s:deploy': { dependsOn: ['k8s:build'], cache: false, passThroughEnv: ['*'] },
        dev: { persistent: true, cache: false, passThroughEnv: ['*'] },
      },
    });
    expect(scriptsOf(files['apps/api/package.json'])).toEqual({
      build: 'tsc',
      'k8s:build': 'slipway build',
      'k8s:deploy': 'slipway deploy',
      dev: 'slipway dev',
    });
    expect(files['.gitignore']).toBe('node_modules\n.slipway/\n.turbo\napps/api/dist\n');
    expect(files['.dockerignore']).toBe('**/node_modules\n.git\n.slipway\n**/.turbo\n');
    expect([notes, [...devOf]]).toEqual([[], [['@shop/api', 'dev']]]);
  });

  it('has nothing more to ignore where a package ignores itself what it makes', () => {
    expect(after({ ...shop, 'apps/api/.gitignore': '/dist\n' }).files['.gitignore']).toBe('node_modules\n.slipway/\n.turbo\n');
  });

  it('keeps comments and the way of indenting', () => {
    const { files } = after(shop);
    expect(files['turbo.json']).toMatch(
      /^\{\n\t\/\/ ours\n\t"tasks": \{\n\t\t"build": \{ "outputs": \["dist\/\*\*"\] \},? \/\/ everything\n/,
    );
    expect(files['turbo.json']).toMatch(/\n\t\t"k8s:build": \{\n\t\t\t"dependsOn"/);
    expect(files['apps/api/package.json']).toMatch(/^\{\n {4}"name": "@shop\/api",\n {4}"scripts": \{/);
  });

  it('has a dev of its own beside that of a package, and leaves tasks that are there', () => {
    const { files, devOf, notes } = after({
      ...shop,
      'turbo.json': '{"globalPassThroughEnv": ["*"], "tasks": {"dev": {}, "k8s:deploy": {"dependsOn": []}}}',
      'apps/api/package.json': '{"scripts": {"dev": "vite", "k8s:deploy": "make deploy"}}',
      'apps/web/package.json': '{}',
      'apps/web/k8s/web.yaml': manifest,
    });
    expect(turboOf(files['turbo.json'])).toMatchObject({
      globalPassThroughEnv: ['*'],
      tasks: { dev: {}, 'k8s:build': { cache: false }, 'k8s:deploy': { dependsOn: [] }, 'k8s:dev': { persistent: true } },
    });
    // There is no task build to depend on, and turbo refuses one that is not there.
    expect(turboOf(files['turbo.json']).tasks['k8s:build']).not.toHaveProperty('dependsOn');
    expect(scriptsOf(files['apps/api/package.json'])).toEqual({
      dev: 'vite',
      'k8s:deploy': 'make deploy',
      'k8s:build': 'slipway build',
      'k8s:dev': 'slipway dev',
    });
    expect(scriptsOf(files['apps/web/package.json'])).toEqual({ 'k8s:deploy': 'slipway deploy', dev: 'slipway dev' });
    expect([...devOf]).toEqual([
      ['@shop/api', 'k8s:dev'],
      ['@shop/web', 'dev'],
    ]);
    expect(notes).toEqual([expect.stringContaining('the task dev in turbo.json is not persistent')]);
  });

  it('passes the environment to Slipway in a task dev that was there, or says what keeps it back', () => {
    const devOf = (dev: object, more: object = {}) => {
      const { files, notes } = after({ ...shop, 'turbo.json': JSON.stringify({ ...more, tasks: { dev: { persistent: true, ...dev } } }) });
      return { dev: turboOf(files['turbo.json']).tasks['dev'], notes };
    };
    expect(devOf({ cache: false })).toEqual({ dev: { persistent: true, cache: false, passThroughEnv: ['*'] }, notes: [] });
    expect(devOf({ passThroughEnv: ['HOME'] })).toEqual({
      dev: { persistent: true, passThroughEnv: ['HOME'] },
      notes: [expect.stringContaining('passThroughEnv of the task dev in turbo.json keeps other variables')],
    });
    expect(devOf({}, { globalPassThroughEnv: ['*'] })).toEqual({ dev: { persistent: true }, notes: [] });
  });

  const buildOf = (texts: Texts) => turboOf(after({ ...shop, ...texts }).files['turbo.json']).tasks['build'];

  it.each<{ readonly when: string; readonly texts: Texts; readonly build: object | undefined }>([
    {
      when: 'has none',
      texts: { 'turbo.json': '{"tasks": {"lint": {}}}' },
      build: { dependsOn: ['^build'], outputs: ['dist/**'] },
    },
    {
      when: 'has one without outputs',
      texts: { 'turbo.json': '{"tasks": {"build": {"dependsOn": ["^build", "codegen"]}}}' },
      build: { dependsOn: ['^build', 'codegen'], outputs: ['dist/**'] },
    },
    {
      when: 'has packages that write elsewhere',
      texts: {
        'turbo.json': '{"tasks": {"build": {}}}',
        'apps/site/package.json': '{"scripts": {"build": "next build"}}',
        'apps/site/.next/x': '',
        'libs/money/package.json': '{"main": "./build/index.js", "scripts": {"build": "tsc"}}',
      },
      build: { outputs: ['.next/**', '!.next/cache/**', 'build/**', 'dist/**'] },
    },
    { when: 'says that there are none', texts: { 'turbo.json': '{"tasks": {"build": {"outputs": []}}}' }, build: { outputs: [] } },
    {
      when: 'leaves it to the package',
      texts: { 'turbo.json': '{"tasks": {}}', 'apps/api/turbo.json': '{"extends": ["//"], "tasks": {"build": {"outputs": ["x"]}}}' },
      build: undefined,
    },
    { when: 'has no script for it', texts: { 'turbo.json': '{"tasks": {}}', 'apps/api/package.json': '{}' }, build: undefined },
  ])('has a task build that says what it makes, where turbo.json $when', ({ texts, build }) => {
    expect(buildOf(texts)).toEqual(build);
  });

  it('is left to say of its builds what it likes, where no image is built', () => {
    const others = Object.fromEntries(Object.entries(shop).filter(([path]) => path !== 'apps/api/Dockerfile'));
    const { files } = after({ ...others, 'turbo.json': '{"tasks": {"build": {}}}' });
    expect(turboOf(files['turbo.json']).tasks['build']).toEqual({});
  });

  it.each([
    { manager: 'npm', texts: {}, install: '`npm install -D nx-slipway`' },
    { manager: 'pnpm', texts: { 'pnpm-workspace.yaml': '' }, install: '`pnpm add -w -D nx-slipway`' },
  ])('says that Slipway itself is still to be installed, with $manager', ({ texts, install }) => {
    expect(after({ ...shop, ...texts, 'package.json': '{}' }).notes).toEqual([expect.stringContaining(install)]);
  });
});

it('a plain workspace that is set up has the scripts and ignore files', () => {
  const { files, paths } = after({ ...shop, 'apps/api/Dockerfile': 'FROM scratch\nCOPY node_modules /\n' }, 'workspaces');
  expect(paths).toEqual(['apps/api/package.json', '+.dockerignore']);
  // What a Dockerfile copies is not kept from it.
  expect(files['.dockerignore']).toBe('.git\n.slipway\n');
});
