import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { valueOf } from './localRegistry';
import { objectsIn } from './objectsIn';
import { runCommand } from './runCommand';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';
import { until } from './until';

/** Says who it is, says again what it is told, sends a stream of bytes that anyone can make again, and answers /hold without an end. */
const server = `
const { createCipheriv } = require('node:crypto');
const { createServer } = require('node:http');
const { hostname } = require('node:os');
const { pipeline } = require('node:stream/promises');
process.on('SIGTERM', () => process.exit());
const answer = async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://pod');
  if (pathname === '/echo') return void setTimeout(() => pipeline(request, response), Number(searchParams.get('ms')));
  if (pathname === '/hold') return void response.write('held');
  if (pathname !== '/bytes') return void response.end(hostname() + ':' + request.socket.localPort);
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  await pipeline(function* () {
    const zeros = Buffer.alloc(1 << 20);
    for (let sent = 0; sent < Number(searchParams.get('megabytes')); sent += 1) yield cipher.update(zeros);
  }, response);
};
for (const port of [8080, 9090]) createServer((...both) => void answer(...both).catch(() => both[1].destroy())).listen(port);
`;

const pod = (app: string, image = 'ports') => ({
  metadata: { labels: { app } },
  spec: {
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image,
        ports: [
          { name: 'http', containerPort: 8080 },
          { name: 'admin', containerPort: 9090 },
        ],
        readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
      },
    ],
  },
});
const workload = (kind: string, name: string, image?: string) => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    ...(kind === 'StatefulSet' && { serviceName: name }),
    template: pod(name, image),
  },
});
const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: {
    selector: { app: name },
    ports: [
      { name: 'web', port: 80, targetPort: 'http' },
      { name: 'plain', port: 81, targetPort: 9090 },
    ],
  },
});
const objects = [
  workload('Deployment', 'shown'),
  service('shown'),
  workload('StatefulSet', 'kept'),
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', labels: { app: 'bare' } }, spec: pod('bare').spec },
];

const wrong = { resource: 'service/shown', port: 82 };

describe('ports that are forwarded', () => {
  const shop = new Shop();
  const theirs = (): string => `${shop.namespace}-theirs`;
  const holder = createServer();
  let dev: RunningDev;

  const rules = (): readonly { readonly resource: string; readonly port: number | string; readonly answer: RegExp }[] => [
    { resource: 'service/shown', port: 80, answer: /^shown-.*:8080$/ },
    { resource: 'service/shown', port: 'plain', answer: /^shown-.*:9090$/ },
    { resource: 'deployment/shown', port: 9090, answer: /^shown-.*:9090$/ },
    { resource: 'statefulset/kept', port: 'admin', answer: /^kept-0:9090$/ },
    { resource: 'pod/bare', port: 8080, answer: /^bare:8080$/ },
    { resource: 'service/foreign', port: 'web', answer: /^foreign-.*:8080$/ },
    { resource: 'deployment/foreign', port: 'admin', answer: /^foreign-.*:9090$/ },
  ];
  const portOf = async (resource: string, port: number | string): Promise<number> =>
    (await dev.until('forwarded', (event) => event.resource === resource && event.port === port)).localPort;

  /** What somebody else has deployed, with the same image. */
  const deployTheirs = async (): Promise<void> => {
    const bare = valueOf(await shop.kube.get({ apiVersion: 'v1', kind: 'Pod', name: 'bare', namespace: shop.namespace }));
    const [first] = (bare?.['spec'] as ReturnType<typeof pod>['spec']).containers;
    valueOf(await shop.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: theirs() } }));
    for (const object of [workload('Deployment', 'foreign', first?.image), service('foreign')])
      valueOf(await shop.kube.apply({ ...object, metadata: { ...object.metadata, namespace: theirs() } }));
  };

  beforeAll(async () => {
    await shop.open();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const portForward = rules().map(({ resource, port }, index) => ({
      resource,
      port,
      ...(index === 0 && { localPort: (holder.address() as AddressInfo).port }),
      ...(resource.endsWith('/foreign') && { namespace: theirs() }),
    }));
    shop.write('infra/ports/project.json', '{"name": "ports"}');
    shop.write('infra/ports/slipway.yaml', JSON.stringify({ version: 1, portForward: [...portForward, wrong] }));
    shop.write('infra/ports/k8s/all.yaml', objects.map((object) => JSON.stringify(object)).join('\n---\n'));
    shop.write('infra/ports/Dockerfile', 'FROM node:20-slim\nCOPY server.js .\nCMD ["node", "server.js"]\n');
    shop.write('infra/ports/server.js', server);
    dev = shop.dev('ports', '--no-logs');
    await dev.until('ready');
    await deployTheirs();
  });
  afterAll(async () => {
    holder.close();
    await shop.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: theirs() });
    await shop.close();
  });

  it.each(rules())('port $port of $resource', async ({ resource, port, answer }) => {
    expect(await ask(await portOf(resource, port), '/')).toMatch(answer);
  });

  it('one whose local port is taken is at the next, and who has it is told', async () => {
    const { port } = holder.address() as AddressInfo;
    const local = await portOf('service/shown', 80);
    expect(local).toBeGreaterThan(port);
    await dev.until('notice', ({ message }) =>
      message.includes(`port ${port} is taken by node (pid ${process.pid}), so service/shown is at ${local}`),
    );
  });

  it('200 connections at once each have their own answer', async () => {
    const port = await portOf('service/shown', 80);
    const texts = Array.from({ length: 200 }, (_, index) => `${index} ${randomBytes(10_000).toString('hex')}`);
    const answers = await Promise.all(texts.map((said, index) => ask(port, `/echo?ms=${(index % 10) * 20}`, said)));
    expect(answers.filter((answer, index) => answer !== texts[index])).toEqual([]);
  });

  it('100 MB arrive as they were sent', async () => {
    const hash = createHash('sha256');
    let bytes = 0;
    const response = await open(await portOf('service/shown', 80), '/bytes?megabytes=100');
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
    }
    expect({ bytes, hash: hash.digest('hex') }).toEqual({ bytes: 100 * megabyte, hash: hashOfStream(100) });
  });

  it('while the pod is replaced the local port stays: what is open ends, and each request gets through, retried at most once a pod', async () => {
    const port = await portOf('service/shown', 80);
    const before = await ask(port, '/');
    const held = await open(port, '/hold');
    const ended = new Promise<string>((resolve) => held.resume().on('close', () => resolve('ended')));
    const args = ['rollout', 'restart', 'deployment/shown', '--namespace', shop.namespace];
    await runCommand({ command: 'kubectl', args, cwd: shop.root });
    let answer = before;
    await until('another pod answers', async () => {
      answer = await asOftenAsItTakes(3, () => ask(port, '/'));
      return answer === before ? undefined : true;
    });
    expect(answer).toMatch(/^shown-.*:8080$/);
    expect(await ended).toBe('ended');
    for (let count = 0; count < 20; count += 1) expect(await asOftenAsItTakes(3, () => ask(port, '/'))).toBe(answer);
  });

  it('a rule that names a port which is not there is told, with those that are', async () => {
    await dev.until('notice', ({ message }) => message === 'cannot forward to port 82 of service/shown, which has 80 (web), 81 (plain)');
  });

  it('Ctrl+C leaves what others deployed', async () => {
    expect(await dev.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);
    expect(await objectsIn(shop.kube, theirs())).toContain('Service/foreign');
  });

  it('`run --port-forward` goes on until Ctrl+C, and leaves what it deployed', async () => {
    const run = shop.goesOn('run', 'ports', '--port-forward');
    const { localPort } = await run.until('forwarded', ({ port }) => port === 'plain');
    expect(await ask(localPort, '/')).toMatch(/^shown-.*:9090$/);
    expect(await run.interrupt()).toBe(0);
    expect(await shop.objects()).toContain('Deployment/shown');
  });
});

/** A request on a connection of its own; the answer as it begins. */
function open(port: number, path: string, said?: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request({ port, path, method: said === undefined ? 'GET' : 'POST', agent: false }, resolve);
    asking.on('error', reject);
    asking.end(said);
  });
}

async function ask(port: number, path: string, said?: string): Promise<string> {
  return text(await open(port, path, said));
}

async function asOftenAsItTakes<T>(tries: number, attempt: () => Promise<T>): Promise<T> {
  return tries === 1 ? attempt() : attempt().catch(() => asOftenAsItTakes(tries - 1, attempt));
}

const megabyte = 1 << 20;

/** What the server sends for /bytes. */
function hashOfStream(megabytes: number): string {
  const [cipher, hash, zeros] = [
    createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)),
    createHash('sha256'),
    Buffer.alloc(megabyte),
  ];
  for (let made = 0; made < megabytes; made += 1) hash.update(cipher.update(zeros));
  return hash.digest('hex');
}
