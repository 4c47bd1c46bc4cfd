import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphProject, GraphSource, GraphTarget } from '../graph';
import { succeeded } from '../model';
import { explainCommand } from './looks';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-explain-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const goStages = 'FROM golang AS dev\nWORKDIR /src\nCOPY go.mod *.go ./\nRUN go build -o /tmp/p .\nCMD ["/loop"]';
const copiedOutput = 'FROM node:20\nWORKDIR /app\nCOPY dist ./\nCMD ["node", "--watch", "main.js"]';
const files: Readonly<Record<string, string>> = {
  'apps/api/Dockerfile': copiedOutput,
  'apps/watched/Dockerfile': copiedOutput,
  ...Object.fromEntries(['off', 'taken', 'untaken'].map((name) => [`apps/${name}/Dockerfile`, copiedOutput])),
  'apps/compiled/Dockerfile': 'FROM node:20\nWORKDIR /app\nCOPY dist ./\nRUN node minify.js\nCMD ["node", "--watch", "main.js"]',
  'apps/off/slipway.yaml': 'version: 1\nsync: {mode: off}',
  'apps/taken/slipway.yaml': 'version: 1\nsync: {mode: manual, rules: [{src: "dist/**", dest: /app}]}',
  'apps/untaken/slipway.yaml': 'version: 1\nsync: {mode: manual, rules: [{src: "public/**", dest: /public}]}',
  'apps/plain/Dockerfile': goStages,
  'apps/ruled/Dockerfile': goStages,
  'apps/ruled/slipway.yaml':
    'version: 1\nsync:\n  after: [{run: [go, build], when: ["**/*.go"]}, {run: [kill, -HUP, "1"], when: ["**/*.go"]}]',
  'apps/python/Dockerfile': 'FROM python\nWORKDIR /app\nCOPY src src\nCMD ["uvicorn", "--reload", "src.main:app"]',
  'apps/site/Dockerfile': 'FROM nginx\nCOPY site /usr/share/nginx/html',
  'apps/site/k8s/site.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: site}\nspec: {containers: [{name: site, image: site}]}',
  'apps/whole/Dockerfile': 'FROM nginx\nCOPY . /usr/share/nginx/html',
  'apps/whole/k8s/whole.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: whole}\nspec: {containers: [{name: whole, image: whole}]}',
  'apps/plain/go.mod': '',
  'apps/plain/main.go': '',
  'apps/ruled/go.mod': '',
  'apps/ruled/main.go': '',
  'apps/python/src/main.py': '',
  'apps/site/site/index.html': '',
};

const build = (name: string, continuous = false): [string, GraphTarget] => [
  name,
  { name, outputs: ['{projectRoot}/dist'], dependsOn: [], continuous },
];
const project = (name: string, at: string, ...targets: [string, GraphTarget][]): GraphProject => ({
  name,
  root: `${at}/${name}`,
  dependencies: at === 'apps' && targets.length > 0 ? ['lib'] : [],
  targets: new Map(targets),
});

const graph: GraphSource = {
  kind: 'nx',
  root,
  watch: ['project.json'],
  read: () =>
    Promise.resolve(
      succeeded({
        projects: [
          project('api', 'apps', build('build')),
          ...['off', 'taken', 'untaken', 'compiled'].map((name) => ({ ...project(name, 'apps', build('build')), dependencies: [] })),
          project('watched', 'apps', build('build'), build('watch', true)),
          ...['plain', 'ruled', 'python', 'site', 'whole'].map((name) => project(name, 'apps')),
          project('lib', 'libs'),
        ],
      }),
    ),
  runTarget: () => ({ command: 'none', args: [] }),
};

beforeAll(() => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
});

it.each<readonly [string, readonly string[]]>([
  ['apps/api/src/main.ts', ['api target-then-sync: api:build reads it, and its output is copied']],
  ['apps/watched/src/main.ts', ['watched target-then-sync: watched:watch watches it, and its output is copied']],
  [
    'apps/off/src/server.ts',
    [
      'off target-then-rebuild: off:build reads it, and its output asks for a new image: copied to /app (apps/off/Dockerfile:3), and sync.mode is off in apps/off/slipway.yaml:2',
    ],
  ],
  ['apps/taken/src/server.ts', ['taken target-then-sync: taken:build reads it, and its output is copied']],
  [
    'apps/untaken/src/server.ts',
    [
      'untaken target-then-rebuild: untaken:build reads it, and its output asks for a new image: copied to /app (apps/untaken/Dockerfile:3), and no rule names it, and sync.mode is manual in apps/untaken/slipway.yaml:2',
    ],
  ],
  [
    'apps/compiled/src/server.ts',
    [
      'compiled target-then-rebuild: compiled:build reads it, and its output asks for a new image: read by RUN node minify.js (apps/compiled/Dockerfile:4)',
    ],
  ],
  [
    'libs/lib/src/index.ts',
    [
      'api target-then-sync: api:build reads it, and its output is copied',
      'watched target-then-sync: watched:watch watches it, and its output is copied',
    ],
  ],
  ['apps/plain/main.go', ['plain rebuild: read by RUN go build -o /tmp/p . (apps/plain/Dockerfile:4)']],
  [
    'apps/ruled/main.go',
    [
      'ruled sync: copied to /src by sync.after (apps/ruled/slipway.yaml:3), which wins over: read by RUN go build -o /tmp/p . (apps/ruled/Dockerfile:4); then `go build`, then `kill -HUP 1` in the container',
    ],
  ],
  ['apps/ruled/go.mod', ['ruled rebuild: read by RUN go build -o /tmp/p . (apps/ruled/Dockerfile:4)']],
  [
    'apps/python/src/main.py',
    ['python sync: copied to /app/src (apps/python/Dockerfile:3); `uvicorn --reload src.main:app` reloads when files change'],
  ],
  [
    'apps/site/site/index.html',
    ['site sync: copied to /usr/share/nginx/html (apps/site/Dockerfile:2); nginx reads a file each time it is asked for'],
  ],
  ['apps/site/k8s/site.yaml', ['site redeploy: a manifest of site']],
  [
    'apps/whole/k8s/whole.yaml',
    [
      'whole sync: copied to /usr/share/nginx/html (apps/whole/Dockerfile:2); nginx reads a file each time it is asked for',
      'whole redeploy: a manifest of whole',
    ],
  ],
  ['apps/site/Dockerfile', ['site rebuild: the Dockerfile itself']],
  ['apps/site/README.md', []],
])('an edit of %s', async (path, expected) => {
  const { document, problems } = await explained(path);
  expect(problems).toEqual([]);
  expect(document.files.flatMap(({ artifacts }) => artifacts.map(({ name, action, because }) => `${name} ${action}: ${because}`))).toEqual(
    expected,
  );
});

const explained = (path: string) =>
  explainCommand({
    root,
    graph,
    env: {},
    projects: [],
    files: [path],
    report: () => undefined,
    signal: new AbortController().signal,
  });

it.each([
  ['apps/site/slipway.yaml', true],
  ['apps/ruled/slipway.yaml', true],
  ['slipway.yaml', true],
  ['apps/site/k8s/another.yaml', true],
  ['apps/site/project.json', true],
  ['apps/site/README.md', undefined],
  ['apps/site/site/index.html', undefined],
])('an edit of %s is one of what is built and deployed: %j', async (path, isConfig) => {
  const { document } = await explained(path);
  expect(document.files[0]?.isConfig).toBe(isConfig);
});

it('a slipway.yaml that a target reads is told as both', async () => {
  const { document } = await explained('apps/api/slipway.yaml');
  expect(document.files).toMatchObject([{ isConfig: true, artifacts: [{ name: 'api', action: 'target-then-sync' }] }]);
});

it.each([
  ['apps/site/site/index.html', undefined],
  ['apps/site/site/new.html', true],
])('that there is no file is told beside what one would do: %s', async (path, missing) => {
  const { document } = await explained(path);
  expect(document.files[0]?.missing).toBe(missing);
  expect(document.files[0]?.artifacts).toMatchObject([{ name: 'site', action: 'sync' }]);
});

it('where a config has a mistake it is not known that nothing takes a file', async () => {
  const config = join(root, 'apps/site/slipway.yaml');
  writeFileSync(config, 'version: 1\nimge: {}\n');
  const files = async (path: string) => (await explained(path)).document.files;
  expect(await files('apps/site/site/index.html')).toMatchObject([{ isUncertain: true, artifacts: [] }]);
  expect(await files('apps/python/src/main.py')).toEqual([expect.not.objectContaining({ isUncertain: true })]);
  rmSync(config);
  expect(await files('apps/site/README.md')).toEqual([expect.not.objectContaining({ isUncertain: true })]);
});
