import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../config';
import { withFiles, type WorkspaceFiles } from '../../graph';
import type { Project } from '../../model';
import type { Imported } from '../imports/imported';
import { importFiles } from '../importFiles';

const none: WorkspaceFiles = { textOf: () => undefined, kindOf: () => undefined, namesIn: () => [] };
const projects: readonly Project[] = ['api', 'web'].map((name) => ({ name: `@shop/${name}`, root: `apps/${name}`, dependencies: [] }));

function imported(compose: string, more: Readonly<Record<string, string>> = {}): Imported {
  const files = {
    'compose.yaml': compose,
    'package.json': '{"workspaces": ["apps/*"]}',
    'apps/api/Dockerfile': 'FROM node\n',
    'apps/web/web.Dockerfile': 'FROM nginx\n',
    ...more,
  };
  return importFiles({
    files: withFiles(none, new Map(Object.entries(files))),
    projects,
    from: ['compose.yaml'],
    projectFile: (name) => ({ name: 'package.json', text: JSON.stringify({ name }) }),
  });
}

/** What each config says; Slipway reads them without a word. */
function configs({ files }: Imported): Readonly<Record<string, unknown>> {
  const made = files.filter(({ path }) => path.endsWith('slipway.yaml'));
  return Object.fromEntries(
    made.map(({ path, text }) => {
      const { config, problems } = readConfig({ path, text, isRoot: false });
      expect(problems).toEqual([]);
      return [path.replace('/slipway.yaml', ''), config];
    }),
  );
}

interface KubeObject {
  readonly kind: string;
  readonly spec: { readonly strategy?: unknown; readonly template: { readonly spec: { readonly containers: readonly unknown[] } } };
}

/** The objects of one manifest. */
function objects({ files }: Imported, path: string): readonly KubeObject[] {
  const text = files.find((file) => file.path === path)?.text ?? '';
  return parseAllDocuments(text).map((document) => document.toJS() as KubeObject);
}

/** The one container of a service of these lines. */
function container(lines: readonly string[]): unknown {
  const [deployment] = objects(
    imported(`services:\n  cache:\n${lines.map((line) => `    ${line}\n`).join('')}`),
    'apps/cache/k8s/cache.yaml',
  ).filter(({ kind }) => kind === 'Deployment');
  return deployment?.spec.template.spec.containers[0];
}

function notes({ notes: all }: Imported): readonly string[] {
  return all.map(({ location, field, sentence }) => `${String(location.line)} ${field}: ${sentence}`);
}

describe('a file of Compose as projects', () => {
  const shop = imported(`
x-common: &common {restart: always, environment: {LOG: debug}}
services:
  api:
    <<: *common
    build: {context: ., dockerfile: apps/api/Dockerfile, target: dev, args: [VERSION, "MODE=\${MODE-dev}"]}
    ports: ["3000:8080", "127.0.0.1:9229:9229"]
    depends_on: {db: {condition: service_healthy}, web: {condition: service_started}}
    develop: {watch: [{action: sync, path: apps/api/src, target: /app/src, ignore: [gen/]}, {action: rebuild, path: package.json}]}
  jobs:
    build: {context: ., dockerfile: apps/api/Dockerfile, target: dev, args: [VERSION, "MODE=\${MODE-dev}"]}
    command: node jobs.js --name "two words"
  web:
    build: {context: apps/web, dockerfile: web.Dockerfile}
    image: registry.example:5000/shop/web:latest
    ports: [80]
  db:
    image: postgres:\${PG:-16}
    environment: {POSTGRES_PASSWORD: "\${SECRET:?say it}", COST: 5$$}
    volumes: [data:/var/lib/postgresql/data]
    healthcheck: {test: [CMD-SHELL, pg_isready], interval: 1m30s, retries: 3}
volumes: {data: {}}
`);

  it('gives each what it says, and what is only an image a project of its own', () => {
    expect(shop.problems).toEqual([]);
    expect(notes(shop)).toEqual([
      '18 services.db: says no port, and other services reach it all the same: 5432 is a guess, because of the image',
    ]);
    expect(shop.files.map(({ path }) => path).sort()).toEqual([
      'apps/api/k8s/api.yaml',
      'apps/api/k8s/jobs.yaml',
      'apps/api/slipway.yaml',
      'apps/db/k8s/db.yaml',
      'apps/db/package.json',
      'apps/db/slipway.yaml',
      'apps/web/k8s/web.yaml',
      'apps/web/slipway.yaml',
    ]);
    expect(shop.projects).toEqual([{ name: 'db', root: 'apps/db', dependencies: [] }]);
    expect(configs(shop)).toEqual({
      'apps/api': {
        version: 1,
        image: { context: 'workspace', docker: { target: 'dev', args: { VERSION: '${VERSION}', MODE: '${MODE:-dev}' } } },
        sync: { rules: [{ src: 'apps/api/src/**', dest: '/app/src', strip: 'apps/api/src/' }], ignore: ['src/gen'] },
        requires: ['db', '@shop/web'],
        portForward: [
          { resource: 'service/api', port: 8080, localPort: 3000 },
          { resource: 'service/api', port: 9229, localPort: 9229 },
        ],
      },
      'apps/web': { version: 1, image: { name: 'registry.example:5000/shop/web', docker: { file: 'web.Dockerfile' } } },
      'apps/db': { version: 1, apply: { hydrate: ['k8s/db.yaml'] } },
    });
  });

  it('copies of a watched directory neither what makes a new image nor what Slipway reads, and tells actions that are otherwise here', () => {
    const watch = [
      { action: 'sync', path: 'apps/api', target: '/app', ignore: ['node_modules/'] },
      { action: 'rebuild', path: 'apps/api/package.json' },
      { action: 'rebuild', path: 'apps/api/src/schema.graphql' },
      { action: 'sync+exec', path: 'etc', target: '/etc/api', exec: { command: 'reload' } },
      { action: 'restart', path: 'conf' },
    ];
    const made = imported(`services:\n  api:\n    build: apps/api\n    develop: ${JSON.stringify({ watch })}\n`, { 'etc/a.conf': '' });
    expect(configs(made)).toMatchObject({
      'apps/api': {
        sync: {
          rules: [
            { src: '!(.dockerignore|Dockerfile|Dockerfile.dockerignore|k8s|package.json|slipway.yaml|src)', dest: '/app' },
            { src: 'src/!(schema.graphql)', dest: '/app/src', strip: 'src/' },
            { src: '../../etc/**', dest: '/etc/api' },
          ],
          ignore: ['node_modules'],
        },
      },
    });
    expect(notes(made)).toEqual([
      expect.stringContaining('develop.watch[3]: runs a command after the copy'),
      expect.stringContaining('develop.watch[4]: has no counterpart'),
    ]);
  });

  it('reaches services by the names and ports that they have in Compose', () => {
    const [api] = objects(shop, 'apps/api/k8s/api.yaml').filter(({ kind }) => kind === 'Service');
    expect(api).toMatchObject({ metadata: { name: 'api' }, spec: { ports: [{ name: 'tcp-8080', port: 8080 }, { port: 9229 }] } });
    const [jobs, ...others] = objects(shop, 'apps/api/k8s/jobs.yaml');
    expect(others).toEqual([]);
    expect(jobs?.spec.template.spec.containers).toEqual([{ name: 'jobs', image: 'api', args: ['node', 'jobs.js', '--name', 'two words'] }]);
  });

  it('keeps the data of a database, and fills variables in when it is deployed', () => {
    const [claim, deployment] = objects(shop, 'apps/db/k8s/db.yaml');
    expect(claim).toMatchObject({ kind: 'PersistentVolumeClaim', metadata: { name: 'db-data' } });
    expect(deployment?.spec.strategy).toEqual({ type: 'Recreate' });
    expect(deployment?.spec.template.spec.containers[0]).toEqual({
      name: 'db',
      image: 'postgres:${PG:-16}',
      ports: [{ containerPort: 5432 }],
      env: [
        { name: 'POSTGRES_PASSWORD', value: '${SECRET}' },
        { name: 'COST', value: '5$$' },
      ],
      readinessProbe: { exec: { command: ['/bin/sh', '-c', 'pg_isready'] }, periodSeconds: 90, failureThreshold: 3 },
      volumeMounts: [{ name: 'data', mountPath: '/var/lib/postgresql/data' }],
    });
    expect(shop.files.find(({ path }) => path === 'apps/db/k8s/db.yaml')?.text).toContain('value: "${SECRET}"');
  });

  it('quotes what YAML 1.1, as Kubernetes reads it, takes for something else than text', () => {
    const words = ['redis-server', 'yes', 'n', 'off', '0777', '1_000', '12:30', '1e3', '2001-01-01'];
    const made = imported(`services: {cache: {image: redis, command: ${JSON.stringify(words)}, environment: {ON: 'on', y: 'No'}}}`);
    const text = made.files.find(({ path }) => path === 'apps/cache/k8s/cache.yaml')?.text ?? '';
    expect(text).toContain('- redis-server\n');
    const [deployment] = parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS() as KubeObject);
    expect(deployment?.spec.template.spec.containers).toMatchObject([
      {
        args: words,
        env: [
          { name: 'ON', value: 'on' },
          { name: 'y', value: 'No' },
        ],
      },
    ]);
  });

  it.each<[string, readonly string[], object]>([
    ['a dollar sign where no variable stands', ['image: redis', 'environment: [COST=5$$]'], { env: [{ name: 'COST', value: '5$' }] }],
    ['a variable of the environment', ['image: redis', 'environment: [HOME]'], { env: [{ name: 'HOME', value: '${HOME:-}' }] }],
    [
      'words without a shell',
      ['image: redis', `command: redis-server --save '' --name "a b"`],
      { args: ['redis-server', '--save', '', '--name', 'a b'] },
    ],
    [
      'an entrypoint',
      ['image: redis', 'entrypoint: [/run.sh, -x]', 'working_dir: /data'],
      { command: ['/run.sh', '-x'], workingDir: '/data' },
    ],
    ['limits', ['image: redis', 'mem_limit: 512m', 'cpus: "0.5"'], { resources: { limits: { cpu: '0.5', memory: '512Mi' } } }],
    [
      'reservations',
      ['image: redis', 'deploy: {resources: {reservations: {memory: 1GB}}}'],
      { resources: { requests: { memory: '1Gi' } } },
    ],
    [
      'a user',
      ['image: redis', 'user: 999:1000', 'cap_add: [NET_ADMIN]'],
      { securityContext: { runAsUser: 999, runAsGroup: 1000, capabilities: { add: ['NET_ADMIN'] } } },
    ],
    ['a file of variables', ['image: redis', 'env_file: .env'], { envFrom: [{ secretRef: { name: 'cache-env', optional: true } }] }],
    ['no check', ['image: redis', 'healthcheck: {disable: true}'], { name: 'cache', image: 'redis', ports: [{ containerPort: 6379 }] }],
    ['ports of another kind', ['image: dns', 'ports: ["53:53/udp"]'], { ports: [{ containerPort: 53, protocol: 'UDP' }] }],
    [
      'a range of ports',
      ['image: x', 'ports: ["7000-7001:8000-8001"]'],
      {
        ports: [
          { name: 'tcp-8000', containerPort: 8000 },
          { name: 'tcp-8001', containerPort: 8001 },
        ],
      },
    ],
    ['a place in memory', ['image: redis', 'tmpfs: /tmp:size=1m'], { volumeMounts: [{ name: 'temporary-0', mountPath: '/tmp' }] }],
  ])('takes over %s', (_, lines, expected) => {
    expect(container(lines)).toMatchObject(expected);
  });

  it('tells what has no counterpart, with its line', () => {
    const made = imported(`services:
  my_db:
    image: mysql
    network_mode: host
    volumes: ["./init:/docker-entrypoint-initdb.d"]
    depends_on: [nobody]
  other:
    build: ./elsewhere
`);
    expect(notes(made)).toEqual([
      '3 services.my_db: says no port, and other services reach it all the same: 3306 is a guess, because of the image',
      '3 services.my_db: is called my-db: other services reach it by that name',
      '4 services.my_db.network_mode: was not taken over',
      expect.stringMatching(/^5 services\.my_db\.volumes\[0\]: is of this machine's disk/),
      '6 services.my_db.depends_on: there is no service nobody',
      '8 services.other: is built from elsewhere/Dockerfile, which is in the folder of no project, so nothing is written for it',
    ]);
  });

  it('says of a file of variables that it is not read', () => {
    const made = imported('services: {cache: {image: "redis:${TAG}"}}\n', { '.env': 'TAG=7\n' });
    expect(notes(made)).toContainEqual(expect.stringContaining('.env is not read (set -a; . ./.env)'));
  });

  it('never writes over what is there', () => {
    const made = imported('services: {api: {build: apps/api, ports: ["80:80"]}}\n', {
      'apps/api/k8s/mine.yaml': 'kind: Deployment\n',
      'apps/api/slipway.yaml': 'version: 1\n',
    });
    expect(made.files).toEqual([]);
    expect(notes(made).map((note) => note.split('\n')[0])).toEqual([
      'undefined : is there already and stays as it is; what would be written is',
      '1 services.api: @shop/api has manifests already: what would be apps/api/k8s/api.yaml is',
    ]);
  });
});
