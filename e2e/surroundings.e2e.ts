import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Server as Listener, createServer as createListener } from 'node:net';
import { delimiter } from 'node:path';
import type { Ended } from './runCommand';
import { Shop } from './shop';

interface Told {
  readonly problems?: readonly { readonly code: string; readonly message: string; readonly hint?: string }[];
}

// What is missing around Slipway is told before anything is done: all of it at once, each with what to do.
describe('in the wrong surroundings', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  const problemsOf = ({ stdout }: Ended): Told['problems'] => (JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Told).problems;
  const kubeconfig = (context: string, server: string): string => {
    const path = `${context}.kubeconfig`;
    const cluster = { name: context, cluster: { server } };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [cluster],
      users: [{ name: context, user: { token: 'any' } }],
      contexts: [{ name: context, context: { cluster: context, user: context } }],
      'current-context': context,
    };
    shop.write(path, JSON.stringify(config));
    return shop.path(path);
  };

  it('a cluster and an engine that do not answer are told together', async () => {
    const closed = await listen(createListener());
    closed.close();
    const KUBECONFIG = kubeconfig('nobody', `https://127.0.0.1:${closed.port}`);
    const DOCKER_HOST = `unix://${shop.path('no.sock')}`;
    const out = { env: { KUBECONFIG, DOCKER_HOST }, exitCode: 3 };
    const ended = await shop.slipway(['deploy', 'worker', '--json', `--namespace=${shop.namespace}`], out);
    expect(problemsOf(ended)).toMatchObject([
      { code: 'engineUnreachable', message: expect.stringContaining('no.sock') as string, hint: expect.any(String) as string },
      {
        code: 'clusterUnreachable',
        message: expect.stringContaining(`127.0.0.1:${closed.port}`) as string,
        hint: expect.any(String) as string,
      },
    ]);
    // People read the same.
    const words = await shop.slipway(['deploy', 'worker', `--namespace=${shop.namespace}`], out);
    expect(words.stderr).toMatch(/engineUnreachable[^]*clusterUnreachable/);
  });

  it('no command does anything in a cluster that is neither local nor allowed, or looks at more than which it is', async () => {
    const requests: string[] = [];
    const remote = await listen(createServer((request, response) => answerAsRemote(request, response, { requests, uid: 'production' })));
    const KUBECONFIG = kubeconfig('kind-production', `http://127.0.0.1:${remote.port}`);
    for (const command of ['dev', 'deploy', 'run']) {
      const args = [command, 'worker', '--json', `--namespace=${shop.namespace}`];
      const ended = await shop.slipway(args, { env: { KUBECONFIG }, exitCode: 2 });
      expect({ command, problems: problemsOf(ended) }).toMatchObject({
        problems: [
          {
            code: 'contextNotAllowed',
            message: expect.stringContaining('kind-production') as string,
            hint: expect.stringContaining('allowContexts: [kind-production]') as string,
          },
        ],
      });
    }
    remote.close();
    expect([...new Set(requests)].sort()).toEqual([
      'GET /api/v1',
      'GET /api/v1/namespaces/kube-system',
      'GET /api/v1/nodes',
      'GET /version',
    ]);
  });

  it('a context that means another cluster than it did is asked about, and nothing is done', async () => {
    const requests: string[] = [];
    const told = { requests, uid: 'staging' };
    const remote = await listen(createServer((request, response) => answerAsRemote(request, response, told)));
    const server = `http://127.0.0.1:${remote.port}`;
    // The context is in the second file.
    const KUBECONFIG = [shop.path('not-there'), kubeconfig('staging', server)].join(delimiter);
    const env = { KUBECONFIG, XDG_STATE_HOME: shop.path('state') };
    shop.write('slipway.yaml', 'version: 1\nallowContexts: [staging]\n');
    const deploy = async () => {
      const ended = await shop.slipway(['deploy', 'worker', '--json', `--namespace=${shop.namespace}`], { env, exitCode: 2 });
      return problemsOf(ended)?.map(({ code }) => code);
    };
    // What comes after the guard finds no registry there.
    expect(await deploy()).not.toContain('contextNotAllowed');
    told.uid = 'production';
    requests.length = 0;
    expect(await deploy()).toEqual(['contextChanged']);
    expect(requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
    shop.remove('slipway.yaml');
    remote.close();
  });

  it('a local port that another program has is told, with who has it, and everything else goes on', async () => {
    const other = await listen(createListener());
    shop.write(
      'apps/web/slipway.yaml',
      `version: 1\nportForward:\n  - resource: service/web\n    port: 80\n    localPort: ${other.port}\n    strict: true\n`,
    );
    const dev = shop.dev('web');
    expect(await dev.until('failed')).toMatchObject({
      subject: 'web',
      code: 'portTaken',
      message: `local port ${other.port} is taken by node (pid ${process.pid})`,
      hint: expect.stringContaining('localPort') as string,
    });
    await dev.until('ready');
    expect(await dev.interrupt()).toBe(0);
    other.close();
  });
});

/** An API server of a cluster that no local tool has made, as far as it is asked. */
function answerAsRemote(
  request: IncomingMessage,
  response: ServerResponse,
  { requests, uid }: { readonly requests: string[]; readonly uid: string },
): void {
  const { pathname } = new URL(request.url ?? '/', 'http://remote');
  requests.push(`${request.method ?? ''} ${pathname}`);
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
    '/api/v1/nodes': {
      kind: 'NodeList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '1' },
      items: [{ metadata: { name: 'ip-10-0-0-1' }, spec: { providerID: 'aws:///eu-west-1a/i-1' } }],
    },
    '/api/v1/namespaces/kube-system': { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'kube-system', uid } },
  };
  const found = objects[pathname];
  response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: 'not found' }));
}

/** Listens on a free port of this machine; a test that fails before it closes it does not keep the process. */
function listen(server: Server | Listener): Promise<{ readonly port: number; close(): void }> {
  return new Promise((resolve) => {
    server
      .unref()
      .listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, close: () => void server.close() }));
  });
}
