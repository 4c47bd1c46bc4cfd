import { createServer, type AddressInfo, type Server } from 'node:net';
import type { Event, PortForward, World } from '../model';
import { emptyWorld } from '../plan';
import { fakeKube } from '../testkit/fakeKube';
import { Forwards } from './forwards';
import type { Session } from './session';

const over = new AbortController();
const servers: Server[] = [];
afterAll(() => {
  over.abort();
  for (const server of servers) server.close();
});

/** A local port that another program has; a free one when that ends. */
async function taken(): Promise<{ readonly port: number; readonly free: () => Promise<void> }> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, free: () => new Promise((resolve) => void server.close(() => resolve())) };
}

async function freePort(): Promise<number> {
  const { port, free } = await taken();
  await free();
  return port;
}

function world(forward: PortForward): World {
  const release = { name: 'web', project: 'web', sources: [], inputs: [], artifacts: [], namesForwards: true } as const;
  const live = { fingerprint: 'f', appliedAt: 1, images: {}, rollout: { state: 'ready' } } as const;
  return {
    ...emptyWorld,
    workspace: {
      ...{ root: '/', projects: new Map(), artifacts: new Map(), targets: new Map(), problems: [] },
      ...{ releases: new Map([['web', release]]), forwards: [forward] },
    },
    goal: { kind: 'live', artifacts: new Set(), releases: new Set(['web']) },
    releases: new Map([['web', { revision: 1, applied: undefined, uncertain: false, live: { state: 'found', value: live } }]]),
  };
}

/** Where it is open, or why it is not. */
async function opened(wanted: Partial<PortForward>, before?: number): Promise<number | string> {
  const forward: PortForward = { release: 'web', resource: 'service/web', port: 80, localPort: 0, strict: false, ...wanted };
  const told: Event[] = [];
  const session = {
    kube: fakeKube({ namespaces: ['shop'] }),
    options: { namespace: 'shop' },
    read: { settings: {} },
  } as unknown as Session;
  const earlier = { kind: 'forwarded', release: 'web', resource: 'service/web', port: 80, localPort: before ?? 0, url: '' } as const;
  const forwards = new Forwards(session, (event) => told.push(event), over.signal, before === undefined ? {} : { before: [earlier] });
  forwards.update(world(forward));
  const problems = await forwards.problems(new Set(['web']));
  await new Promise((resolve) => setImmediate(resolve));
  const [current] = forwards.current;
  forwards.close();
  expect(await forwards.problems(new Set(['web']))).toEqual([]);
  return current?.localPort ?? problems.map(({ code }) => code).join();
}

describe('the ports of a session', () => {
  it('are where they were in the loop before', async () => {
    const [usual, remembered] = [await freePort(), await freePort()];
    expect(await opened({ localPort: usual }, remembered)).toBe(remembered);
  });

  it('are where the config says, wherever they were before', async () => {
    const [named, remembered] = [await freePort(), await freePort()];
    expect(await opened({ localPort: named, asked: true }, remembered)).toBe(named);
  });

  it('that are demanded and taken are problems', async () => {
    const { port } = await taken();
    expect(await opened({ localPort: port, asked: true, strict: true })).toBe('portTaken');
    expect(await opened({ localPort: port, asked: true })).not.toBe(port);
  });
});
