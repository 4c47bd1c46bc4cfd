import { type AddressInfo, type Server, createServer } from 'node:net';
import { kubeconfigOf } from './remoteCluster';
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

  it('a cluster and an engine that do not answer are told together', async () => {
    const closed = await listen(createServer());
    closed.close();
    shop.write('nobody', kubeconfigOf({ nobody: `https://127.0.0.1:${closed.port}` }));
    const KUBECONFIG = shop.path('nobody');
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

  it('a local port that another program has is told, with who has it, and everything else goes on', async () => {
    const other = await listen(createServer());
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

/** Listens on a free port of this machine; a test that fails before it closes it does not keep the process. */
function listen(server: Server): Promise<{ readonly port: number; close(): void }> {
  return new Promise((resolve) => {
    server
      .unref()
      .listen(0, '127.0.0.1', () => resolve({ port: (server.address() as AddressInfo).port, close: () => void server.close() }));
  });
}
