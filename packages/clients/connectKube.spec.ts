import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { type AddressInfo, type Socket, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Problem, Result } from '../model';
import { connectKube } from './connectKube';
import type { Kube, KubeObject } from './kube';

// What a real API server does only on a bad day: connections that are cut, versions that expire, logins that run out.

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

interface ApiServer {
  readonly kube: Kube;
  /** What was asked for, in order. */
  readonly asked: readonly URL[];
  readonly sockets: WebSocketServer;
}

/** An API server that has pods and answers as it is told. */
async function apiServer(answer: Answer, login: object = { token: 'good' }): Promise<ApiServer> {
  const asked: URL[] = [];
  const connections = new Set<Socket>();
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x'));
    answer(request, response);
  });
  server.on('connection', (connection: Socket) => connections.add(connection));
  server.on('upgrade', (request, socket, head) => {
    asked.push(new URL(request.url ?? '', 'http://x'));
    sockets.handleUpgrade(request, socket, head, (ws) => sockets.emit('connection', ws, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const connection of connections) connection.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return { kube: await kubeAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, login), asked, sockets };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'kube-'));
  closing.push(() => {
    rmSync(folder, { recursive: true });
    return Promise.resolve();
  });
  return folder;
}

async function kubeAt(server: string, user: object): Promise<Kube> {
  const file = join(temporaryFolder(), 'config');
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    clusters: [{ name: 'x', cluster: { server } }],
    users: [{ name: 'x', user }],
  };
  writeFileSync(file, JSON.stringify(config));
  return valueOf(await connectKube({ kubeconfig: file }));
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

const pod = (name: string, resourceVersion: string): KubeObject => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, resourceVersion } });
const event = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;
const isWatch = (request: IncomingMessage): boolean => request.url?.includes('watch=true') ?? false;
const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };

/** What a watch tells, as words, and a way to wait for them. */
function watchPods(kube: Kube) {
  const told: string[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const tell = (word: string): void => {
    told.push(word);
    for (const wait of waiting) if (told.length >= wait.count) wait.resolve();
  };
  const watch = kube.watch(
    { apiVersion: 'v1', kind: 'Pod' },
    {},
    {
      onList: (objects, version) => tell(`list ${version}: ${objects.map((each) => each.metadata.name).join(' ')}`),
      onChange: (change, object) => tell(`${change} ${object.metadata.name ?? ''}`),
      onTrouble: (problem: Problem) => tell(problem.code),
    },
  );
  closing.unshift(() => {
    watch.stop();
    return Promise.resolve();
  });
  const until = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (told.length >= count) resolve();
      else waiting.push({ count, resolve });
    });
  return { told, until };
}

describe('a watch', () => {
  it('goes on from the last version it saw when its connection is cut, even in the middle of a line', async () => {
    let watches = 0;
    const { kube, asked } = await apiServer((request, response) => {
      if (!isWatch(request)) {
        json(response, 200, { metadata: { resourceVersion: '10' }, items: [pod('a', '9')] });
        return;
      }
      watches += 1;
      if (watches > 1) {
        response.write(event('ADDED', pod('c', '13')));
        return;
      }
      response.write(
        event('ADDED', pod('b', '11')) +
          event('BOOKMARK', { metadata: { resourceVersion: '12' } }) +
          event('ADDED', pod('c', '13')).slice(0, 20),
        () => request.socket.destroy(),
      );
    });
    const { told, until } = watchPods(kube);
    await until(3);
    expect(told).toEqual(['list 10: a', 'added b', 'added c']);
    expect(asked.filter((url) => url.searchParams.has('watch')).map((url) => url.searchParams.get('resourceVersion'))).toEqual([
      '10',
      '12',
    ]);
  });

  it.each<[string, Answer]>([
    ['as an event', (_request, response) => void response.end(event('ERROR', expired))],
    ['as the answer', (_request, response) => json(response, 410, expired)],
  ])('lists again when its version is too old, told %s', async (_name, refuse) => {
    let lists = 0;
    const { kube } = await apiServer((request, response) => {
      if (!isWatch(request)) {
        lists += 1;
        json(response, 200, { metadata: { resourceVersion: `${lists}0` }, items: [] });
      } else if (lists === 1) refuse(request, response);
      else response.write(event('ADDED', pod('a', '21')));
    });
    const { told, until } = watchPods(kube);
    await until(3);
    expect(told).toEqual(['list 10: ', 'list 20: ', 'added a']);
  });

  it('tells its trouble and goes on when the server is well again', async () => {
    let refusals = 2;
    const { kube } = await apiServer((request, response) => {
      if (isWatch(request)) response.write(event('ADDED', pod('a', '11')));
      else if (refusals-- > 0) json(response, 500, { message: 'no leader' });
      else json(response, 200, { metadata: { resourceVersion: '10' }, items: [] });
    });
    const { told, until } = watchPods(kube);
    await until(4);
    expect(told).toEqual(['clusterFailed', 'clusterFailed', 'list 10: ', 'added a']);
  });

  it('asks neither for the kind nor for changes when the list is all that was wanted', async () => {
    const { kube, asked } = await apiServer((_request, response) =>
      json(response, 200, { metadata: { resourceVersion: '10' }, items: [] }),
    );
    const listed = new Promise<void>((resolve) => {
      const watch = kube.watch(
        { apiVersion: 'v1', kind: 'Pod' },
        {},
        {
          // Other things are asked first, as whoever looks at what is there does.
          onList: () =>
            void (async () => {
              for (const kind of ['Service', 'Secret', 'Service', 'Secret', 'Service']) await kube.list({ apiVersion: 'v1', kind });
              watch.stop();
              resolve();
            })(),
          onChange: () => undefined,
          onTrouble: () => undefined,
        },
      );
    });
    await listed;
    expect([...new Set(asked.map(({ pathname }) => pathname))]).toEqual(['/api/v1/pods', '/api/v1/services', '/api/v1/secrets']);
    expect(asked.filter(({ searchParams }) => searchParams.has('watch'))).toEqual([]);
  });

  it('puts pages of a list together', async () => {
    const { kube } = await apiServer((request, response) => {
      if (isWatch(request)) response.flushHeaders();
      else if (request.url?.includes('continue=more')) json(response, 200, { metadata: { resourceVersion: '10' }, items: [pod('b', '2')] });
      else json(response, 200, { metadata: { resourceVersion: '10', continue: 'more' }, items: [pod('a', '1')] });
    });
    const { told, until } = watchPods(kube);
    await until(1);
    expect(told).toEqual(['list 10: a b']);
  });
});

describe('an apply that is only tried', () => {
  const undeclared = 'failed to create typed patch object (n/a; /v1, Kind=Pod): .spec.bogus: field not declared in schema';
  const unknown =
    'Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.bogus", unknown field "spec.containers[0].foo"';
  const refusing = (atCreate: { readonly status: number; readonly message: string }) =>
    apiServer((request, response) => {
      if (request.method === 'PATCH') json(response, 500, { message: undeclared });
      else if (request.method === 'POST') json(response, atCreate.status, { message: atCreate.message });
      else json(response, 200, { resources: [{ name: 'pods', kind: 'Pod', namespaced: true }] });
    });
  const tried = { ...pod('a', '1'), spec: {} };

  it('tells all fields that nobody knows, and not the outermost alone', async () => {
    const { kube, asked } = await refusing({ status: 400, message: unknown });
    const answer = await kube.apply(tried, { dryRun: true, namespace: 'n' });
    expect(answer).toMatchObject({
      problem: {
        code: 'objectInvalid',
        detail: expect.stringMatching(/spec.bogus.*\nunknown field "spec.containers\[0\].foo"$/s) as string,
      },
    });
    const last = asked.at(-1);
    expect(`${String(last?.pathname)}${String(last?.search)}`).toBe('/api/v1/namespaces/n/pods?dryRun=All&fieldValidation=Strict');
  });

  it('tells what it knows where the object may not be made', async () => {
    const { kube } = await refusing({ status: 403, message: 'pods is forbidden' });
    const message = 'Pod n/a is not valid: spec.bogus: field not declared in schema';
    expect(await kube.apply(tried, { dryRun: true, namespace: 'n' })).toMatchObject({ problem: { code: 'objectInvalid', message } });
  });
});

describe('a request', () => {
  const aPod = { apiVersion: 'v1', kind: 'Pod', name: 'a', namespace: 'n' };

  it('is sent again when the kept connection was closed in that moment', async () => {
    let requests = 0;
    const { kube } = await apiServer((request, response) => {
      requests += 1;
      if (requests === 2) request.socket.destroy();
      else json(response, 200, pod('a', '1'));
    });
    expect(await kube.get(aPod)).toMatchObject({ ok: true });
    expect(await kube.get(aPod)).toMatchObject({ ok: true });
    expect(requests).toBe(3);
  });

  it('asks the credential plugin again when its token has run out', async () => {
    const folder = temporaryFolder();
    const credential = (token: string): string =>
      JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } });
    const script = `const fs = require('fs'); const seen = '${join(folder, 'seen')}';
      console.log(fs.existsSync(seen) ? '${credential('good')}' : '${credential('old')}'); fs.writeFileSync(seen, '')`;
    const { kube } = await apiServer(
      (request, response) => {
        if (request.headers.authorization === 'Bearer good') json(response, 200, pod('a', '1'));
        else json(response, 401, { message: 'Unauthorized' });
      },
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] } },
    );
    expect(await kube.get(aPod)).toMatchObject({ ok: true, value: { metadata: { name: 'a' } } });
  });

  it('waits as long as a busy server asks for', async () => {
    let requests = 0;
    const { kube } = await apiServer((_request, response) => {
      requests += 1;
      if (requests > 1) json(response, 200, pod('a', '1'));
      else response.writeHead(429, { 'Retry-After': '0' }).end();
    });
    expect(await kube.get(aPod)).toMatchObject({ ok: true });
  });

  it('says that what answers is no API server', async () => {
    const { kube } = await apiServer((_request, response) => void response.end('<html>'));
    expect(await kube.get(aPod)).toMatchObject({ ok: false, problem: { code: 'clusterUnreachable' } });
  });

  it('gives a server up that does not shake hands', async () => {
    const silent = createTcpServer(() => jest.advanceTimersByTime(10_000));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    closing.push(() => Promise.resolve(silent.close()));
    const kube = await kubeAt(`https://127.0.0.1:${(silent.address() as AddressInfo).port}`, {});
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] });
    closing.push(() => Promise.resolve(void jest.useRealTimers()));
    expect(await kube.version()).toMatchObject({
      ok: false,
      problem: { code: 'clusterUnreachable', message: expect.stringContaining('no connection within 10 s') as string },
    });
  });
});

describe('an exec', () => {
  const request = { namespace: 'n', pod: 'p', container: 'c', command: ['x'] };
  const status = (body: object): Buffer => Buffer.concat([Buffer.of(3), Buffer.from(JSON.stringify(body))]);

  it('says in the newer protocol that its input has ended', async () => {
    const { kube, sockets } = await apiServer(() => undefined);
    const received: number[][] = [];
    sockets.on('connection', (ws: WebSocket) => {
      ws.on('message', (message: Buffer) => {
        received.push([...message]);
        if (message[0] !== 255) return;
        ws.send(status({ status: 'Success' }));
        ws.close();
      });
    });
    const { stdin, ended } = valueOf(await kube.exec(request));
    stdin.end('a');
    expect(await ended).toEqual({ exitCode: 0, problem: undefined });
    expect(received).toEqual([
      [0, 97],
      [255, 0],
    ]);
  });

  it('hears what was sent together with the answer to its handshake', async () => {
    const { kube, sockets } = await apiServer(() => undefined);
    sockets.on('connection', (ws: WebSocket) => {
      ws.send(Buffer.from('\u0001early'));
      ws.send(status({ status: 'Failure', details: { causes: [{ reason: 'ExitCode', message: '7' }] } }));
      ws.close();
    });
    const { stdout, ended } = valueOf(await kube.exec(request));
    expect(await text(stdout)).toBe('early');
    expect(await ended).toEqual({ exitCode: 7, problem: undefined });
  });

  it('ends with a problem when its connection is cut', async () => {
    const { kube, sockets } = await apiServer(() => undefined);
    sockets.on('connection', (ws: WebSocket) => ws.terminate());
    const { stdout, stdin, ended } = valueOf(await kube.exec(request));
    expect(await text(stdout)).toBe('');
    expect(await ended).toMatchObject({ exitCode: undefined, problem: { code: 'clusterUnreachable', retry: 'afterDelay' } });
    expect(stdin.destroyed).toBe(true);
  });

  it('is lost within 20 s when its connection leads nowhere, and what is watched is followed over another one', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'Date', 'setTimeout', 'clearTimeout'] });
    closing.push(() => Promise.resolve(void jest.useRealTimers()));
    let watches = 0;
    const { kube, sockets } = await apiServer((asked, response) => {
      if (!isWatch(asked)) json(response, 200, { metadata: { resourceVersion: '10' }, items: [] });
      else response.write(event('ADDED', pod(`seen-${String((watches += 1))}`, '11')));
    });
    const { told, until } = watchPods(kube);
    await until(2);
    const started = async () => {
      const connected = once(sockets, 'connection') as Promise<[WebSocket]>;
      const exec = valueOf(await kube.exec(request));
      exec.stdout.resume();
      const [ws] = await connected;
      return { exec, ws };
    };
    /** A ping back says that the answer has arrived. */
    const hears = async (ws: WebSocket, afterMs: number) => {
      ws.once('ping', () => ws.ping());
      const answered = once(ws, 'pong');
      jest.advanceTimersByTime(afterMs);
      await answered;
    };
    const [one, other] = [await started(), await started()];
    // Quiet is no sign of it, as long as pings are answered.
    for (let time = 0; time < 10; time += 1) await Promise.all([hears(one.ws, 5_000), hears(other.ws, 0)]);
    one.ws.pause();
    for (let time = 0; time < 3; time += 1) await hears(other.ws, 5_000);
    expect(one.exec.stdin.destroyed).toBe(false);
    await hears(other.ws, 5_000);
    const message = expect.stringContaining('silent') as string;
    expect(await one.exec.ended).toMatchObject({ exitCode: undefined, problem: { code: 'clusterUnreachable', message } });
    await until(3);
    expect(told).toEqual(['list 10: ', 'added seen-1', 'added seen-2']);
    expect(other.exec.stdin.destroyed).toBe(false);
  });

  it('says that the process went away when the server closes without an exit code', async () => {
    const { kube, sockets } = await apiServer(() => undefined);
    sockets.on('connection', (ws: WebSocket) => ws.close(1000));
    const { ended } = valueOf(await kube.exec(request));
    expect(await ended).toMatchObject({ exitCode: undefined, problem: { code: 'execLost' } });
  });

  it.each([
    ['a container that has just ended', 'failed to create exec "5c": container not created: not found', 'podGone', 'afterDelay'],
    ['a process that has just ended', 'failed to start exec "5c": task 5c not found: not found', 'podGone', 'afterDelay'],
    ['what nobody has seen yet', 'something new', 'execRefused', 'afterDelay'],
    [
      'a program that the image lacks',
      'exec failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown',
      'execRefused',
      'whenInputChanges',
    ],
  ])('that is refused because of %s', async (_name, words, code, retry) => {
    const { kube, sockets } = await apiServer(() => undefined);
    sockets.on('connection', (ws: WebSocket) => {
      ws.send(
        status({ status: 'Failure', code: 500, message: `error executing command in container: failed to exec in container: ${words}` }),
      );
      ws.close();
    });
    const { ended } = valueOf(await kube.exec(request));
    expect(await ended).toMatchObject({ exitCode: undefined, problem: { code, retry } });
  });

  it('holds output back that nobody reads', async () => {
    const { kube, sockets } = await apiServer(() => undefined);
    let sent = 0;
    const full = new Promise<void>((resolve) => {
      sockets.on('connection', (ws: WebSocket) => {
        const part = Buffer.concat([Buffer.of(1), Buffer.alloc(256 * 1024)]);
        const send = (): void => {
          sent += 1;
          ws.send(part);
          if (ws.bufferedAmount > 32 * 1024 * 1024) resolve();
          else setImmediate(send);
        };
        send();
      });
    });
    const exec = valueOf(await kube.exec(request));
    await full;
    expect(exec.stdout.readableLength).toBeLessThan(16 * 1024 * 1024);
    exec.close();
    exec.stdout.resume();
    await once(exec.stdout, 'end');
    expect(sent).toBeGreaterThan(0);
  });
});

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.problem.code}: ${result.problem.message}`);
}
