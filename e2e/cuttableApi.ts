import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, type Server, type Socket, connect, createServer, isIP } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { readonly name: string; readonly context: { readonly cluster: string } }[];
  readonly clusters: readonly { readonly name: string; readonly cluster: { readonly server: string } }[];
}

/** The cluster's API behind a door of our own, at which connections can be cut. */
export class CuttableApi {
  /** A kubeconfig that leads through the door. */
  readonly kubeconfig: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'slipway-door-'));
  /** From this side, each with the one beyond. */
  private readonly sockets = new Map<Socket, Socket>();
  private refuses = false;
  private frozen = false;

  private constructor(
    private readonly server: Server,
    private readonly to: { readonly host: string; readonly port: number },
    kubeconfig: Kubeconfig,
  ) {
    const own = `https://localhost:${String((server.address() as AddressInfo).port)}`;
    // A certificate for a name is good for that name; one for an address is, of local clusters, good for localhost too.
    const name = isIP(to.host) === 0 ? { 'tls-server-name': to.host } : {};
    const clusters = kubeconfig.clusters.map((each) => ({ ...each, cluster: { ...each.cluster, server: own, ...name } }));
    this.kubeconfig = join(this.folder, 'kubeconfig');
    writeFileSync(this.kubeconfig, stringify({ ...kubeconfig, clusters }), { mode: 0o600 });
    server.on('connection', (socket) => this.pass(socket));
  }

  static async open(): Promise<CuttableApi> {
    const file = process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
    const kubeconfig = parse(readFileSync(file, 'utf8')) as Kubeconfig;
    const wanted = process.env['SLIPWAY_CONTEXT'] ?? kubeconfig['current-context'];
    const context = kubeconfig.contexts.find(({ name }) => name === wanted)?.context;
    const cluster = kubeconfig.clusters.find(({ name }) => name === context?.cluster);
    if (!cluster) throw new Error(`${file} says nothing of the cluster of context ${wanted}`);
    const { hostname, port } = new URL(cluster.cluster.server);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const to = { host: hostname, port: Number(port || 443) };
    return new CuttableApi(server, to, { ...kubeconfig, 'current-context': wanted, clusters: [cluster] });
  }

  /** Where the API server is. */
  get host(): string {
    return this.to.host;
  }

  get connections(): number {
    return this.sockets.size;
  }

  /** Cuts every connection, or the one of that number, without a word to either side. */
  cut(only?: number): void {
    for (const [index, socket] of [...this.sockets.keys()].entries()) if (only === undefined || only === index) socket.resetAndDestroy();
  }

  /** Nobody gets through until the promise has settled. */
  async closedWhile(something: Promise<unknown>): Promise<void> {
    this.refuses = true;
    this.cut();
    try {
      await something;
    } finally {
      this.refuses = false;
    }
  }

  /** Nothing gets through until the promise has settled, and nothing says so: as when a network is gone. */
  async frozenWhile(something: Promise<unknown>): Promise<void> {
    this.frozen = true;
    for (const [socket, beyond] of this.sockets) {
      socket.unpipe(beyond);
      beyond.unpipe(socket);
    }
    try {
      await something;
    } finally {
      this.frozen = false;
      for (const [socket, beyond] of this.sockets) socket.pipe(beyond).pipe(socket);
    }
  }

  /** What is connected leads nowhere from now on, and nothing says so: as when something on the way has forgotten it. Who connects anew gets through. */
  strand(): void {
    for (const [socket, beyond] of this.sockets) {
      socket.unpipe(beyond).resume();
      beyond.unpipe(socket).resume();
    }
  }

  /** Lets nobody in any more: a session that runs still would come back at once, and the door would never be closed. */
  async close(): Promise<void> {
    this.refuses = true;
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
    rmSync(this.folder, { recursive: true });
  }

  private pass(socket: Socket): void {
    if (this.refuses) {
      socket.resetAndDestroy();
      return;
    }
    const beyond = connect(this.to);
    this.sockets.set(socket, beyond);
    socket.on('close', () => {
      this.sockets.delete(socket);
      beyond.destroy();
    });
    beyond.on('close', () => socket.destroy());
    for (const each of [socket, beyond]) each.setNoDelay(true).on('error', () => undefined);
    if (!this.frozen) socket.pipe(beyond).pipe(socket);
  }
}
