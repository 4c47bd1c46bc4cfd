import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openRegistry } from './openRegistry';
import { isLocalHost } from './registryHttp';

const digest = `sha256:${'a'.repeat(64)}`;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An environment whose Docker config knows a login. */
function loggedIn(host: string, entry: object): Readonly<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'docker-config-'));
  closing.push(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [host]: entry } }));
  return { DOCKER_CONFIG: folder };
}

const bob = { auth: Buffer.from('bob:pass:word').toString('base64') };
const nobody = { DOCKER_CONFIG: '/nowhere' };

describe('a registry', () => {
  it('that wants a name and a password gets those of Docker’s config', async () => {
    const host = await listen((request, response) => {
      const known = request.headers.authorization === `Basic ${bob.auth}`;
      response.writeHead(known ? 200 : 401, known ? { 'Docker-Content-Digest': digest } : { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    });
    expect(await openRegistry({ env: loggedIn(host, bob) }).digest(`${host}/api:1`)).toEqual({ ok: true, value: digest });
    expect(await openRegistry({ env: nobody }).digest(`${host}/api:1`)).toMatchObject({
      ok: false,
      problem: { code: 'registryRefused', hint: `log in with: docker login ${host}` },
    });
  });

  it.each([
    ['in its words', '{"errors":[{"message":"unknown error","detail":"write /data: no space left on device"}]}'],
    ['by a number', '{"errors":[{"message":"unknown error","detail":{"Enclosed":{"Op":"write","Err":28}}}]}'],
  ])('that is full is told as that, where it says so %s', async (_, body) => {
    const host = await listen((_request, response) => response.writeHead(500).end(body));
    const blob = { repository: `${host}/shop/api`, digest, size: 1, open: () => Readable.from([Buffer.from('x')]) };
    expect(await openRegistry({ env: nobody }).writeBlob(blob)).toMatchObject({
      ok: false,
      problem: { code: 'registryFull', message: `the registry ${host} has no space left for shop/api`, retry: 'afterDelay' },
    });
  });

  it('that wants a token is asked with one, fetched once for a repository', async () => {
    const asked: string[] = [];
    const host: string = await listen((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
      if (request.url?.startsWith('/token'))
        response.end(JSON.stringify({ token: request.headers.authorization === `Basic ${bob.auth}` ? 'good' : 'bad' }));
      else if (request.headers.authorization === 'Bearer good') response.writeHead(200, { 'Docker-Content-Digest': digest }).end();
      else
        response
          .writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${host}/token",service="here",scope="repository:team/api:pull"` })
          .end();
    });
    const registry = openRegistry({ env: loggedIn(`https://${host}`, bob) });
    expect(await registry.digest(`${host}/team/api:1`)).toEqual({ ok: true, value: digest });
    expect(await registry.digest(`${host}/team/api:2`)).toEqual({ ok: true, value: digest });
    expect(asked).toEqual([
      'HEAD /v2/team/api/manifests/1',
      'GET /token?service=here&scope=repository%3Ateam%2Fapi%3Apull',
      'HEAD /v2/team/api/manifests/1',
      'HEAD /v2/team/api/manifests/2',
    ]);
    expect(await openRegistry({ env: nobody }).digest(`${host}/team/api:1`)).toMatchObject({
      ok: false,
      problem: { code: 'registryRefused' },
    });
  });

  it('that does not tell the digest is asked for the manifest', async () => {
    const host = await listen((_request, response) => void response.end('manifest'));
    expect(await openRegistry({ env: nobody }).digest(`${host}/api:1`)).toMatchObject({
      ok: true,
      value: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string,
    });
  });

  it('lists its tags page by page', async () => {
    const host = await listen((request, response) => {
      const second = request.url?.includes('last=b');
      if (!second) response.setHeader('Link', '</v2/api/tags/list?last=b&n=2>; rel="next"');
      response.end(JSON.stringify({ name: 'api', tags: second ? ['c'] : ['a', 'b'] }));
    });
    expect(await openRegistry({ env: nobody }).tags(`${host}/api`)).toEqual({ ok: true, value: ['a', 'b', 'c'] });
  });

  it('that is not there is out of reach, which is not the same as having no image', async () => {
    const host = await listen(() => undefined);
    for (const close of closing.splice(0)) close();
    expect(await openRegistry({ env: nobody }).digest(`${host}/api:1`)).toMatchObject({
      ok: false,
      problem: { code: 'registryUnreachable', exitCode: 3, retry: 'afterDelay' },
    });
  });

  it('that fails is not one that has no image', async () => {
    const host = await listen((_request, response) => void response.writeHead(500).end());
    expect(await openRegistry({ env: nobody }).digest(`${host}/api:1`)).toMatchObject({ ok: false });
  });
});

describe('isLocalHost', () => {
  it.each([
    ['localhost:5000', true],
    ['127.0.0.1:5000', true],
    ['10.200.0.2:5000', true],
    ['192.168.1.4', true],
    ['172.20.0.1', true],
    ['172.32.0.1', false],
    ['registry.localhost:5000', true],
    ['[::1]:5000', true],
    ['kind-registry:5000', true],
    ['ghcr.io', false],
    ['registry.example', false],
    ['10.example', false],
  ])('%s: %s', (host, local) => {
    expect(isLocalHost(host)).toBe(local);
  });
});

describe('many large layers over one kept connection', () => {
  it('leave nothing behind on it', async () => {
    const sockets: Socket[] = [];
    const opened = (message: unknown) => void sockets.push((message as { readonly socket: Socket }).socket);
    subscribe('net.client.socket', opened);
    closing.push(() => unsubscribe('net.client.socket', opened));
    const host = await listen((request, response) => {
      request.resume().once('end', () => {
        if (request.method === 'POST') response.writeHead(202, { Location: '/upload' }).end();
        else response.writeHead(201).end();
      });
    });
    const registry = openRegistry({ env: nobody });
    const content = Buffer.alloc(4 * 1024 * 1024);
    for (let count = 0; count < 5; count += 1) {
      const open = () => Readable.from([content], { objectMode: false });
      expect(await registry.writeBlob({ repository: `${host}/api`, digest, size: content.length, open })).toMatchObject({ ok: true });
    }
    expect(sockets.map((socket) => socket.listenerCount('drain'))).toEqual([0]);
  });
});
