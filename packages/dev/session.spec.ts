import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSource } from '../graph';
import { succeeded } from '../model';
import type { CommandOptions } from './command';
import { preflight, type Need, type Preflight } from './session';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-session-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const graph: GraphSource = {
  kind: 'nx',
  root,
  watch: [],
  read: () => Promise.resolve(succeeded({ projects: [] })),
  runTarget: () => ({ command: 'none', args: [] }),
};

/** A cluster of no local tool, as far as the guard asks of it. */
const cluster = { uid: 'first', requests: 0 };
const server = createServer((request, response) => {
  cluster.requests++;
  const objects: Readonly<Record<string, object>> = {
    '/version': { major: '1', minor: '34', gitVersion: 'v1.34.0' },
    '/api/v1': {
      kind: 'APIResourceList',
      groupVersion: 'v1',
      resources: [
        { name: 'nodes', kind: 'Node', namespaced: false, verbs: ['list'] },
        { name: 'namespaces', kind: 'Namespace', namespaced: false, verbs: ['get'] },
      ],
    },
    '/api/v1/nodes': { kind: 'NodeList', apiVersion: 'v1', metadata: {}, items: [] },
    '/api/v1/namespaces/kube-system': { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'kube-system', uid: cluster.uid } },
  };
  const found = objects[new URL(request.url ?? '/', 'http://cluster').pathname];
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: 'not found' }));
});
const kubeconfig = join(root, 'kubeconfig');
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'staging', cluster: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } }],
    users: [{ name: 'staging', user: { token: 'any' } }],
    contexts: [{ name: 'staging', context: { cluster: 'staging', user: 'staging' } }],
    'current-context': 'staging',
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
});
afterAll(() => server.close());

const look = (needs: readonly Need[], more: Partial<CommandOptions> = {}): Promise<Preflight> =>
  preflight(
    {
      root,
      graph,
      projects: [],
      kubeconfig,
      env: { XDG_STATE_HOME: join(root, 'state') },
      report: () => undefined,
      signal: new AbortController().signal,
      ...more,
    },
    new Set(needs),
    'deploy',
  );
const codesOf = ({ problems }: Preflight): readonly string[] => problems.map(({ code }) => code);

test('who accepts that a context means another cluster has said so for the commands after this one too', async () => {
  writeFileSync(join(root, 'slipway.yaml'), 'version: 1\nallowContexts: [staging]\n');
  const needs = ['workspace', 'cluster'] as const;
  expect(codesOf(await look(needs))).toEqual([]);
  cluster.uid = 'second';
  expect(codesOf(await look(needs))).toEqual(['contextChanged']);
  expect(codesOf(await look(needs, { acceptContext: true }))).toEqual([]);
  expect(codesOf(await look(needs))).toEqual([]);
  expect(readFileSync(join(root, 'state', 'slipway', 'contexts.json'), 'utf8')).toContain('"second"');
});

describe('images that go to a registry', () => {
  const needs = ['workspace', 'clusterUnlessRepo', 'delivery'] as const;
  const nowhere = join(root, 'no-kubeconfig');
  const env = { XDG_STATE_HOME: join(root, 'state') };

  test.each<[by: string, config: string, more: Partial<CommandOptions>]>([
    ['the config', 'defaultRepo: registry.example/team', {}],
    ['a profile', 'profiles: {ci: {defaultRepo: registry.example/team}}', { profiles: 'ci' }],
    ['a variable', '', { env: { ...env, SLIPWAY_DEFAULT_REPO: 'registry.example/team' } }],
    ['a flag', '', { defaultRepo: 'registry.example/team' }],
  ])('that %s names need no cluster', async (_by, config, more) => {
    writeFileSync(join(root, 'slipway.yaml'), `version: 1\n${config}\n`);
    const { problems, session } = await look(needs, { kubeconfig: nowhere, ...more });
    expect(problems).toEqual([]);
    expect(session?.delivery?.repo).toBe('registry.example/team');
    cluster.requests = 0;
    await look(needs, more);
    expect(cluster.requests).toBe(0);
  });

  test.each<[when: string, config: string, more: Partial<CommandOptions>]>([
    ['nothing names one', '', {}],
    ['a flag takes it away', 'defaultRepo: registry.example/team', { defaultRepo: '' }],
    ['nothing is pushed to it', 'defaultRepo: registry.example/team\npush: false', {}],
    ['a flag keeps all from being pushed', 'defaultRepo: registry.example/team', { push: false }],
  ])('need one where %s', async (_when, config, more) => {
    writeFileSync(join(root, 'slipway.yaml'), `version: 1\n${config}\n`);
    expect(codesOf(await look(needs, { kubeconfig: nowhere, ...more }))).toEqual(['kubeconfigNotFound']);
  });
});
