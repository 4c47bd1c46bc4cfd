import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fetchedPath, type GraphFacts, type GraphSource } from '../graph';
import { failed, succeeded, type Result } from '../model';
import { filesBelow } from '../source';
import { readWorkspace } from './readWorkspace';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-workspace-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function graphOf(read: () => Result<GraphFacts>): GraphSource {
  return {
    kind: 'nx',
    root,
    watch: ['nx.json', 'package.json'],
    read: () => Promise.resolve(read()),
    runTarget: (project, target) => ({ command: 'nx', args: ['run', `${project}:${target}`] }),
  };
}

const graph = () => graphOf(() => succeeded({ projects: [{ name: 'api', root: 'api', dependencies: [], targets: new Map() }] }));

it('reads a workspace from the disk, and tells what to read again for', async () => {
  write('api/Dockerfile', 'FROM scratch\nCOPY src /src\n');
  write('api/src/a.js', '');
  write('api/k8s/a.yaml', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: api}]}');
  const read = await readWorkspace({ root, graph: graph(), mode: 'dev', env: {} });
  if (!read.ok) throw new Error(read.problem.message);
  const { workspace, configFiles } = read.value;
  expect(workspace.problems).toEqual([]);
  expect(workspace.artifacts.get('api')?.inputs.at(-1)).toMatchObject({ path: 'api/src', containerPath: '/src' });
  expect(workspace.releases.get('api')?.artifacts).toEqual(['api']);
  expect(configFiles).toEqual(expect.arrayContaining(['nx.json', 'package.json', 'api/slipway.yaml', 'api/Dockerfile', 'api/k8s']));
});

describe('a manifest that is a URL', () => {
  const config = 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n';
  const server = createServer((request, response) => {
    if (request.url === '/all.yaml?of=team') response.end(config);
    else response.writeHead(404).end();
  });
  let at = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  const read = async (url: string, apply = 'apply: {fetchManifests: true}\n') => {
    write('api/slipway.yaml', `version: 1\n${apply}manifests: ["${url}"]\n`);
    const answer = await readWorkspace({ root, graph: graph(), mode: 'deploy', env: {} });
    if (!answer.ok) throw new Error(answer.problem.message);
    return answer.value.workspace;
  };

  it('is fetched where that is allowed, and is then a manifest like others', async () => {
    const { problems, releases, forwards } = await read(`http://${at}/all.yaml?of=team`);
    expect(problems).toEqual([]);
    const file = `.slipway/manifests/${at.replace(':', '_')}/all.yaml_of=team`;
    expect(releases.get('api')?.sources).toEqual([{ kind: 'kubectl', manifests: [file] }]);
    expect(readFileSync(join(root, file), 'utf8')).toBe(config);
    expect(forwards.map(({ resource }) => resource)).toEqual(['service/a']);
  });

  it.each([
    ['without being allowed', 'manifestUrlRefused', 'is a URL; what is behind it may be another thing tomorrow', ''],
    ['that is not there', 'manifestNotFetched', 'cannot be fetched: the answer is 404 Not Found', undefined],
  ])('%s is told with its place', async (_name, code, message, apply) => {
    const { problems, releases } = await read(`http://${at}/nothing.yaml`, apply);
    expect(releases.size).toBe(0);
    expect(problems).toMatchObject([
      {
        code,
        message: expect.stringContaining(message) as string,
        location: { file: 'api/slipway.yaml', line: apply === undefined ? 3 : 2 },
      },
    ]);
  });

  it('is not fetched from afar without encryption, and what cannot be reached is told', async () => {
    expect((await read('http://example.org/all.yaml')).problems).toMatchObject([
      { code: 'manifestUrlRefused', hint: 'name it with https' },
    ]);
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const { problems } = await read(`http://127.0.0.1:${port}/all.yaml`);
    expect(problems).toMatchObject([{ code: 'manifestNotFetched', message: expect.stringContaining('ECONNREFUSED') as string }]);
  });

  it.each([
    ['https://example.org/../../a/%2e%2e/b.yaml', '.slipway/manifests/example.org/b.yaml'],
    ['https://example.org:8443/', '.slipway/manifests/example.org_8443'],
    ['https://example.org/..%2f..%2fx.yaml', '.slipway/manifests/example.org/..%2f..%2fx.yaml'],
  ])('%s is kept below .slipway', (url, path) => {
    expect(fetchedPath(url)).toBe(path);
  });
});

it('fails only when the graph does', async () => {
  const problem = { code: 'graphUnreadable', message: 'no graph', retry: 'whenInputChanges', exitCode: 2 } as const;
  expect(await readWorkspace({ root, graph: graphOf(() => failed(problem)), mode: 'dev', env: {} })).toEqual(failed(problem));
});

it('says what is a link, also on the way', () => {
  write('dir/a', '');
  symlinkSync('dir', join(root, 'link'));
  symlinkSync('nowhere', join(root, 'dangling'));
  const files = filesBelow(root);
  expect(['', 'dir', 'dir/a', 'link', 'link/a', 'dangling', 'none'].map((path) => files.kindOf(path))).toEqual([
    'dir',
    'dir',
    'file',
    'link',
    'link',
    'link',
    undefined,
  ]);
  expect(files.namesIn('dir')).toEqual(['a']);
  expect(files.namesIn('none')).toEqual([]);
  expect(files.textOf('dir')).toBeUndefined();
});
