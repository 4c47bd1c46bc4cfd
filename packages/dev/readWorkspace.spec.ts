import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GraphFacts, GraphSource } from '../graph';
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
