import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Shop } from './shop';

describe('in an Nx workspace', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  it('`nx run-many -t k8s-deploy` builds what the registry lacks and deploys it, and the second time builds nothing', async () => {
    const word = randomUUID();
    shop.edit('libs/greeting/src/index.js', 'Welcome', word);
    const deploy = () => shop.nx(['run-many', '-t', 'k8s-deploy', '-p', 'worker,web', '--output-style=static', ...shop.where]);
    const first = await deploy();
    expect(first.stdout).toMatch(/^worker +built/m);
    const before = [await shop.onlyOne('worker'), await shop.onlyOne('web')];
    expect(before).toMatchObject([{ ready: true }, { ready: true }]);
    expect(existsSync(shop.path('.slipway/images/worker.json'))).toBe(true);

    const second = await deploy();
    expect(second.stdout).not.toMatch(/^\S+ +built/m);
    expect([await shop.onlyOne('worker'), await shop.onlyOne('web')]).toEqual(before);

    await shop.nx(['run-many', '-t', 'k8s-delete', '-p', 'worker,web', ...shop.where]);
    expect(await shop.objects()).toEqual([]);
  });

  it('a target that depends on `dev` begins when that is ready, knows its address, and leaves nothing', async () => {
    const ask = `fetch(process.env.NX_READY_URL).then((answer) => answer.text()).then((text) => console.log('answered', text))`;
    shop.write('apps/checks/check.js', `${ask};\n`);
    shop.addChecks('worker', { command: 'node apps/checks/check.js', waitFor: 'ready' });
    const { stdout } = await shop.nx(['run', 'checks:e2e']);
    expect(stdout).toMatch(/answered .*"total"/);
    expect(await shop.objects()).toEqual([]);
  });

  it('`nx run worker:dev` is the same loop, and Ctrl+C leaves nothing', async () => {
    const dev = shop.nxDev('worker');
    await dev.until('ready');
    const before = await shop.onlyOne('worker');
    shop.edit('apps/worker/src/server.js', 'total: formatPrice', `note: 'by nx', total: formatPrice`);
    await dev.answer('worker', '/', 'by nx');
    expect(await shop.onlyOne('worker')).toEqual(before);
    await dev.interrupt();
    expect(dev.since(0, 'stopped')).toMatchObject([{ kept: false }]);
    expect(await shop.objects()).toEqual([]);
  });
});
