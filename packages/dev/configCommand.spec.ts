import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphSource } from '../graph';
import { succeeded, type Event } from '../model';
import { configLines } from '../report';
import { configCommand } from './configCommand';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-config-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const files: Readonly<Record<string, string>> = {
  'slipway.yaml': `version: 1
defaultRepo: registry.example/team
sync:
  ignore: ['**/*.test.js']
namespace: shop
profiles:
  staging:
    namespace: shop-staging
  migrated:
    hooks: {deploy: {before: [{run: ./migrate.sh}]}}
`,
  'apps/api/slipway.yaml': `version: 1
image:
  docker:
    args: {VERSION: '1'}
sync:
  mode: manual
  rules: [{src: 'src/**', dest: /app}]
profiles:
  staging:
    image:
      docker: {args: {VERSION: '2'}}
`,
  'apps/api/Dockerfile': 'FROM node:20 AS dev\nWORKDIR /app\nCOPY src src\nRUN npm ci\nCMD ["node", "src/main.js"]',
  'apps/api/src/main.js': '',
  'apps/api/k8s/api.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{name: api, image: api}]}',
  'apps/two/slipway.yaml': 'version: 1\nimages: {web: {name: shop-web}}',
  'apps/two/Dockerfile': 'FROM nginx\nCOPY site /usr/share/nginx/html',
  'apps/two/site/index.html': '',
};

beforeAll(() => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});

const graph: GraphSource = {
  kind: 'nx',
  root,
  watch: [],
  read: () =>
    Promise.resolve(
      succeeded({
        projects: ['apps/api', 'apps/two', 'libs/kit'].map((at) => ({
          name: at.slice(at.indexOf('/') + 1),
          root: at,
          dependencies: [],
          targets: new Map(),
        })),
      }),
    ),
  runTarget: () => ({ command: 'none', args: [] }),
};

const ask = async (projects: readonly string[], profiles?: string, env: Readonly<Record<string, string>> = {}) => {
  const given = profiles === undefined ? {} : { profiles };
  const told: Event[] = [];
  const common = { root, graph, env, report: (event: Event) => void told.push(event), signal: new AbortController().signal };
  return { ...(await configCommand({ ...common, projects, ...given })), told };
};

const settingsOf = async (project: string, profiles?: string) => {
  const { document } = await ask([project], profiles);
  const [only] = document.projects;
  return new Map(only?.settings.map(({ key, value, from, because }) => [key, [value, from ?? because]]));
};

describe('slipway config', () => {
  test('a setting comes from the project, else from the root, with the line it stands on', async () => {
    const settings = await settingsOf('api');
    expect(settings.get('sync.mode')).toEqual(['manual', 'apps/api/slipway.yaml:6']);
    expect(settings.get('sync.ignore')).toEqual([['**/*.test.js'], 'slipway.yaml:4']);
    expect(settings.get('namespace')).toEqual(['shop', 'slipway.yaml:5']);
    expect(settings.get('image.docker.args.VERSION')).toEqual(['1', 'apps/api/slipway.yaml:4']);
  });

  test('an active profile says what it says, of the root and of the project, where it says it', async () => {
    const settings = await settingsOf('api', 'staging');
    expect(settings.get('namespace')).toEqual(['shop-staging', 'slipway.yaml:8']);
    expect(settings.get('image.docker.args.VERSION')).toEqual(['2', 'apps/api/slipway.yaml:11']);
    expect((await ask(['api'], 'staging')).document.projects[0]?.profiles).toEqual(['staging']);
  });

  test('what the root says for nobody is told, with its place', async () => {
    expect((await ask([])).told).toEqual([]);
    const { told, exitCode } = await ask([], 'migrated');
    expect(told).toMatchObject([
      { kind: 'notice', message: expect.stringMatching(/^slipway\.yaml:10: hooks counts for nobody/) as string },
    ]);
    expect(exitCode).toBe(0);
  });

  test('where nothing is said it shows what is decided, and why', async () => {
    const settings = await settingsOf('api');
    expect(settings.get('image.name')).toEqual(['api', undefined]);
    expect(settings.get('image.context')).toEqual(['apps/api', undefined]);
    expect(settings.get('image.docker.target')).toEqual(['dev', 'dev takes the stage of this name; build and deploy take the last one']);
    expect(settings.get('image.builder')?.[1]).toContain('apps/api/Dockerfile:4');
    expect(settings.get('manifests')).toEqual([['apps/api/k8s/api.yaml'], undefined]);
  });

  test('each of several images has its own settings under its name', async () => {
    const settings = await settingsOf('two');
    expect(settings.get('images.web.name')).toEqual(['shop-web', 'apps/two/slipway.yaml:2']);
    expect(settings.get('images.web.docker.file')).toEqual(['apps/two/Dockerfile', undefined]);
  });

  test('a variable comes before what the root says of the workspace', async () => {
    expect((await ask([])).document.workspace).toEqual([{ key: 'defaultRepo', value: 'registry.example/team', from: 'slipway.yaml:2' }]);
    const { document } = await ask([], undefined, { SLIPWAY_DEFAULT_REPO: 'other.example' });
    expect(document.workspace).toEqual([{ key: 'defaultRepo', value: 'other.example', from: 'SLIPWAY_DEFAULT_REPO' }]);
  });

  test('projects that nothing is said of and nothing is made of are left out, unless they are named', async () => {
    const names = async (projects: readonly string[]) => (await ask(projects)).document.projects.map(({ project }) => project);
    expect(await names([])).toEqual(['api', 'two']);
    expect(await names(['kit'])).toEqual(['kit']);
  });

  test('a project that is not there is refused', async () => {
    const { exitCode, problems } = await ask(['apii']);
    expect([exitCode, problems[0]?.code, problems[0]?.hint]).toEqual([2, 'projectUnknown', 'perhaps api was meant']);
  });

  test('for people a line says the key, the value and where it comes from', async () => {
    const { document } = await ask(['api'], 'staging');
    const lines = configLines(document);
    expect(lines).toContain('api (apps/api; profiles staging)');
    expect(lines.find((line) => /^ +namespace /.test(line))).toMatch(/^ {2}namespace +shop-staging +slipway\.yaml:8$/);
    expect(lines.find((line) => /image\.name /.test(line))).toMatch(/ api +by default$/);
  });
});
