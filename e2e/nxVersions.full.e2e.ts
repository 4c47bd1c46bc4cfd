import { randomUUID } from 'node:crypto';
import { Shop } from './shop';
import { until } from './until';

// The newest version is what all other tests run on.
describe.each(['22.7.12', '23.3.2'])('in a workspace of Nx %s', (version) => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    await shop.install(`nx@${version}`, `@nx/devkit@${version}`);
  });
  afterAll(() => shop.close());

  it('targets are inferred, and `nx run worker:dev` syncs an edit and leaves nothing', async () => {
    expect((await shop.nx(['--version'])).stdout).toContain(version);
    const shown = await shop.nx(['show', 'project', 'worker', '--json']);
    const { targets } = JSON.parse(shown.stdout) as { readonly targets: Readonly<Record<string, unknown>> };
    expect(Object.keys(targets)).toEqual(expect.arrayContaining(['dev', 'k8s-build', 'k8s-deploy', 'k8s-delete']));

    const word = randomUUID();
    const dev = shop.nxDev('worker');
    await dev.until('ready');
    shop.edit('libs/greeting/src/index.js', 'Welcome', word);
    await dev.answer('worker', '/', word);
    await dev.interrupt();
    // Nx 22 does not wait for what it started; that cleans up all the same.
    await until('nothing is left', async () => ((await shop.objects()).length === 0 ? true : undefined));
  });

  it('a target that depends on `dev` waits for it by a dev of its own, and leaves nothing', async () => {
    const wait = `slipway dev worker --exit-when-ready --timeout 5m --no-logs ${shop.where.join(' ')}`;
    shop.addChecks('worker', { command: `${wait} && node apps/checks/check.js` });
    shop.write(
      'apps/worker/slipway.yaml',
      'version: 1\nportForward: [{resource: service/worker, port: 80, localPort: 8734, strict: true}]\n',
    );
    // Whoever of the two leads the loop, its port passes to the other.
    const ask = `const ask = () => fetch('http://localhost:8734').catch(() => new Promise((resolve) => setTimeout(resolve, 100)).then(ask));
      ask().then((answer) => answer.text()).then((text) => console.log('answered', text))`;
    shop.write('apps/checks/check.js', `${ask};\n`);
    const { stdout } = await shop.nx(['run', 'checks:e2e']);
    expect(stdout).toMatch(/answered .*"total"/);
    await until('nothing is left', async () => ((await shop.objects()).length === 0 ? true : undefined));
  });

  it('`nx run-many -t k8s-deploy` and `k8s-delete` do what they say', async () => {
    await shop.nx(['run-many', '-t', 'k8s-deploy', ...shop.where]);
    expect(await shop.onlyOne('worker')).toMatchObject({ ready: true });
    await shop.nx(['run-many', '-t', 'k8s-delete', ...shop.where]);
    expect(await shop.objects()).toEqual([]);
  });
});
