import { createServer, connect, type AddressInfo } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import type { Kube, KubeObject } from '../clients';
import { failed, succeeded } from '../model';
import { fakeKube } from '../testkit/fakeKube';
import { openForward, type Forward, type ForwardRequest, type ForwardState } from '.';

/** `cut` breaks the connection at the side of the cluster. */
type Serve = (connection: Duplex, cut: (error: Error) => void) => void;

/** A cluster whose pods answer with their name; what listens can be changed. */
function shop() {
  const kube = fakeKube({ namespaces: ['shop'] });
  const serving = new Map<string, Serve>();
  kube.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      selector: { app: 'web' },
      ports: [
        { name: 'http', port: 80, targetPort: 'web' },
        { name: 'raw', port: 81, targetPort: 9090 },
      ],
    },
  });
  kube.put({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'web' } } },
  });
  const pod = (name: string, { ready = true, more = {} }: { ready?: boolean; more?: Partial<KubeObject['metadata']> } = {}) => {
    if (!serving.has(`${name}:8080`))
      serving.set(`${name}:8080`, (connection) => connection.on('data', () => connection.end(`${name}:8080`)));
    if (!serving.has(`${name}:9090`))
      serving.set(`${name}:9090`, (connection) => connection.on('data', () => connection.end(`${name}:9090`)));
    kube.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...more },
      spec: { containers: [{ name: 'web', ports: [{ name: 'web', containerPort: 8080 }] }] },
      status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    });
  };
  const client: Pick<Kube, 'get' | 'watch' | 'portForward'> = {
    get: (ref) => kube.get(ref),
    watch: (kind, options, events) => kube.watch(kind, options, events),
    portForward: ({ pod: name, port }) => {
      if (!kube.all('Pod').some(({ metadata }) => metadata.name === name))
        return Promise.resolve(failed({ code: 'podGone', message: `pod ${name} is gone`, retry: 'afterDelay', exitCode: 1 }));
      const [near, far] = duplexPair();
      const serve = serving.get(`${name}:${port}`);
      near.once('close', () => far.destroy());
      if (serve) serve(far, (error) => near.destroy(error));
      else setImmediate(() => near.destroy(new Error(`connect: connection refused`)));
      return Promise.resolve(succeeded(near));
    },
  };
  return { kube, client, pod, serving };
}

async function withoutService() {
  const { kube, ...rest } = shop();
  const ref = { apiVersion: 'v1', kind: 'Service', name: 'web', namespace: 'shop' };
  const service = await kube.get(ref);
  if (!service.ok || !service.value) throw new Error('there is no Service');
  await kube.delete(ref);
  return { kube, ...rest, service: service.value };
}

interface Opened extends Forward {
  readonly states: readonly ForwardState[];
  /** Waits for a state. */
  readonly until: (kind: ForwardState['kind']) => Promise<ForwardState>;
  readonly ready: (pods: readonly string[]) => Promise<void>;
}

const open: Forward[] = [];
afterEach(() => {
  for (const forward of open.splice(0)) forward.close();
});

async function opened(client: ForwardRequest['kube'], more: Partial<ForwardRequest> = {}): Promise<Opened> {
  const states: ForwardState[] = [];
  let wake: () => void = () => undefined;
  const onState = (state: ForwardState): void => {
    states.push(state);
    wake();
  };
  const result = await openForward({
    kube: client,
    namespace: 'shop',
    resource: 'service/web',
    port: 80,
    localPort: 0,
    strict: false,
    onState,
    ...more,
  });
  if (!result.ok) throw new Error(result.problem.message);
  open.push(result.value);
  const last = async (wanted: (state: ForwardState) => boolean): Promise<ForwardState> => {
    for (;;) {
      const state = states.at(-1);
      if (state && wanted(state)) return state;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return {
    ...result.value,
    states,
    until: (kind) => last((state) => state.kind === kind),
    ready: async (pods) => {
      await last((state) => state.kind === 'ready' && state.pods.join() === pods.join());
    },
  };
}

/** The age of pods is told by the time they were made. */
async function nextMillisecond(): Promise<void> {
  const before = new Date().toISOString();
  while (new Date().toISOString() === before) await new Promise((resolve) => setImmediate(resolve));
}

/** What the other end answers to a request, or that it gave none. */
function ask(port: number, host = '127.0.0.1', said: string | Buffer = 'GET'): Promise<string> {
  return new Promise((resolve) => {
    let answer = '';
    const socket = connect({ port, host }, () => socket.write(said));
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(answer === '' ? 'nothing' : answer));
  });
}

describe('openForward', () => {
  test.each<[string, string, number | string, string]>([
    ['a port of a Service by number, whose target has a name', 'service/web', 80, 'web-1:8080'],
    ['by name', 'svc/web', 'http', 'web-1:8080'],
    ['whose target is a number', 'service/web', 81, 'web-1:9090'],
    ['a Deployment', 'deployment/web', 9090, 'web-1:9090'],
    ['a Deployment, by the name of a container port', 'deploy/web', 'web', 'web-1:8080'],
    ['a pod', 'pod/web-1', 8080, 'web-1:8080'],
  ])('%s', async (_name, resource, port, answer) => {
    const { client, pod } = shop();
    pod('web-1');
    const forward = await opened(client, { resource, port });
    expect(await ask(forward.localPort)).toBe(answer);
  });

  test('the port stays the same whatever becomes of the pods, and the newest ready pod answers', async () => {
    const { client, pod } = shop();
    pod('old');
    const forward = await opened(client);
    expect(await ask(forward.localPort)).toBe('old:8080');
    await nextMillisecond();
    pod('new', { ready: false });
    expect(await ask(forward.localPort)).toBe('old:8080');
    pod('new');
    await forward.ready(['new', 'old']);
    expect(await ask(forward.localPort)).toBe('new:8080');
    pod('new', { more: { deletionTimestamp: 'now' } });
    await forward.ready(['old']);
    expect(await ask(forward.localPort)).toBe('old:8080');
  });

  test('a connection waits for a pod that is not ready yet', async () => {
    const { client, pod } = shop();
    const forward = await opened(client);
    const answer = ask(forward.localPort);
    pod('web-1', { ready: false });
    await forward.until('waiting');
    pod('web-1');
    expect(await answer).toBe('web-1:8080');
  });

  test('a connection that waited long enough is closed, and it is said why', async () => {
    const { client } = shop();
    const forward = await opened(client, { patienceMs: 20 });
    expect(await ask(forward.localPort)).toBe('nothing');
    expect(await forward.until('refused')).toMatchObject({
      problem: {
        code: 'noReadyPod',
        message: 'no pod of service/web in namespace shop is ready',
        hint: 'see why: kubectl get pods --namespace shop',
      },
    });
  });

  test('a pod that is ready before it listens gets the request again', async () => {
    const { client, pod, serving } = shop();
    pod('web-1');
    const listening = serving.get('web-1:8080');
    serving.delete('web-1:8080');
    const forward = await opened(client);
    const answer = ask(forward.localPort);
    await forward.until('ready');
    if (listening) serving.set('web-1:8080', listening);
    expect(await answer).toBe('web-1:8080');
  });

  test('a request that is too long to be kept is not sent again', async () => {
    const { client, pod, serving } = shop();
    pod('web-1');
    let connections = 0;
    serving.set('web-1:8080', (connection, cut) => {
      connections += 1;
      let bytes = 0;
      connection.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes === 9_000_000) cut(new Error('connection refused'));
      });
    });
    const forward = await opened(client, { patienceMs: 500 });
    expect(await ask(forward.localPort, '127.0.0.1', Buffer.alloc(9_000_000))).toBe('nothing');
    expect(connections).toBe(1);
  });

  test('a request that a pod took is not sent again when the pod dies', async () => {
    const { client, pod, serving } = shop();
    pod('web-1');
    let requests = 0;
    serving.set('web-1:8080', (connection, cut) =>
      connection.on('data', () => {
        requests += 1;
        cut(new Error('connection reset'));
      }),
    );
    const forward = await opened(client, { patienceMs: 500 });
    expect(await ask(forward.localPort)).toBe('nothing');
    expect(requests).toBe(1);
  });

  test.each<[string, Partial<ForwardRequest>, string]>([
    ['a port that the Service does not have', { port: 82 }, 'cannot forward to port 82 of service/web, which has 80 (http), 81 (raw)'],
    ['a resource that is not there', { resource: 'service/nope' }, 'cannot forward to service/nope: namespace shop has none'],
    ['a kind without pods', { resource: 'configmap/web' }, 'cannot forward to configmap/web: it is not a service, a workload or a pod'],
    [
      'a name that no container port has',
      { resource: 'deployment/web', port: 'nope' },
      'no container of deployment/web in namespace shop has a port named nope',
    ],
  ])('%s is named when a connection needs it', async (_name, more, message) => {
    const { client, pod } = shop();
    pod('web-1');
    const forward = await opened(client, { patienceMs: 20, ...more });
    expect(await ask(forward.localPort)).toBe('nothing');
    expect(await forward.until('refused')).toMatchObject({ problem: { message } });
  });

  test('is named without a connection too, once; what is deployed later is found then', async () => {
    const { kube, client, pod, service } = await withoutService();
    const forward = await opened(client, { patienceMs: 5 });
    expect(await forward.until('refused')).toMatchObject({
      problem: { message: 'cannot forward to service/web: namespace shop has none' },
    });
    pod('web-1');
    kube.put(service);
    await forward.ready(['web-1']);
    expect(forward.states.map(({ kind }) => kind)).toEqual(['refused', 'ready']);
  });

  test('a resource that is deployed later is found then', async () => {
    const { kube, client, pod, service } = await withoutService();
    const forward = await opened(client);
    const answer = ask(forward.localPort);
    pod('web-1');
    kube.put(service);
    expect(await answer).toBe('web-1:8080');
  });

  test('a taken port is a problem when it is a demand, else the next free one is used', async () => {
    const { client, pod } = shop();
    pod('web-1');
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    const request = { kube: client, namespace: 'shop', resource: 'service/web', port: 80, localPort: port };
    expect(await openForward({ ...request, strict: true })).toMatchObject({
      ok: false,
      problem: { code: 'portTaken', exitCode: 2, message: `local port ${port} is taken by node (pid ${process.pid})` },
    });
    const forward = await opened(client, { localPort: port });
    expect(forward.localPort).toBeGreaterThan(port);
    expect(forward).toMatchObject({ moved: true, holder: `node (pid ${process.pid})`, url: `localhost:${forward.localPort}` });
    expect(await ask(forward.localPort)).toBe('web-1:8080');
    other.close();
  });

  test('a web server has an address for browsers, and other addresses of this machine can be listened on', async () => {
    const { client, pod } = shop();
    pod('web-1');
    const forward = await opened(client, { scheme: 'http', address: '127.0.0.2' });
    expect(forward.url).toBe(`http://127.0.0.2:${forward.localPort}`);
    expect(await ask(forward.localPort, '127.0.0.2')).toBe('web-1:8080');
  });

  test('an answer of some size arrives whole, and both ends are closed', async () => {
    const { client, pod, serving } = shop();
    pod('web-1');
    const size = 5_000_000;
    const remoteClosed = new Promise<void>((resolve) => {
      serving.set('web-1:8080', (connection) => {
        connection.on('close', resolve);
        connection.on('data', () => connection.end(Buffer.alloc(size, 'x')));
      });
    });
    const forward = await opened(client);
    expect((await ask(forward.localPort)).length).toBe(size);
    await remoteClosed;
  });

  test('closing it ends its connections and frees the port', async () => {
    const { client, pod, serving } = shop();
    pod('web-1');
    serving.set('web-1:8080', (connection) => connection.resume());
    const forward = await opened(client);
    const answer = ask(forward.localPort);
    await forward.until('ready');
    forward.close();
    expect(await answer).toBe('nothing');
    const again = await opened(client, { localPort: forward.localPort, strict: true });
    expect(again.localPort).toBe(forward.localPort);
  });
});
