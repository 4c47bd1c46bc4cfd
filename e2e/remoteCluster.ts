import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The API server of a cluster that no local tool has made, as far as it is asked before anything may be done there. */
export class RemoteCluster {
  /** What it was asked: `GET /version`. */
  readonly requests: string[] = [];
  private readonly server = createServer((request, response) => this.answer(request, response));

  /** `uid`: what tells it from other clusters. */
  private constructor(public uid: string) {}

  static async open(uid: string): Promise<RemoteCluster> {
    const remote = new RemoteCluster(uid);
    // A test that fails before it closes it does not keep the process.
    await new Promise<void>((resolve) => remote.server.unref().listen(0, '127.0.0.1', resolve));
    return remote;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.server.close();
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://remote');
    this.requests.push(`${request.method ?? ''} ${pathname}`);
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
      '/api/v1/namespaces/kube-system': { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'kube-system', uid: this.uid } },
    };
    const found = objects[pathname];
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, message: 'not found' }));
  }
}

/** A kubeconfig with contexts of the names, each a cluster at its URL; the first is the current one. */
export function kubeconfigOf(servers: Readonly<Record<string, string>>): string {
  const names = Object.keys(servers);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: names.map((name) => ({ name, cluster: { server: servers[name] } })),
    users: names.map((name) => ({ name, user: { token: 'any' } })),
    contexts: names.map((name) => ({ name, context: { cluster: name, user: name } })),
    'current-context': names[0],
  });
}
