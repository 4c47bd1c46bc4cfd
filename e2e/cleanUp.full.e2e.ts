import { CuttableApi } from './cuttableApi';
import { valueOf } from './localRegistry';
import { Shop } from './shop';

describe('a clean-up that does not come to an end', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  it('because nothing gets through to the cluster is told in time, and ended', async () => {
    const api = await CuttableApi.open();
    try {
      const dev = shop.dev('web', `--kubeconfig=${api.kubeconfig}`);
      await dev.until('ready');
      await api.frozenWhile(dev.interrupt().then((exitCode) => expect(exitCode).toBe(3)));
      expect(dev.since(0, 'notice').at(-1)).toMatchObject({ message: 'the cluster does not answer, and web is still deployed' });
    } finally {
      await api.close();
    }
    await shop.slipway(['delete', 'web', ...shop.where]);
    expect(await shop.objects()).toEqual([]);
  });

  it('is told with what is left, and dev has failed', async () => {
    const held = (finalizers: readonly string[]) => {
      const metadata = { name: 'web', namespace: shop.namespace, finalizers };
      return shop.kube.apply({ apiVersion: 'v1', kind: 'Service', metadata }, { fieldManager: 'e2e' });
    };
    const dev = shop.dev('web');
    await dev.until('ready');
    valueOf(await held(['e2e.example.com/hold']));
    try {
      expect(await dev.interrupt()).toBe(1);
      expect(dev.since(0, 'failed')).toMatchObject([{ code: 'notGone', problem: { message: 'deleted, and still there: service/web' } }]);
      expect(dev.since(0, 'removed')).toEqual([]);
      expect(await shop.objects()).toEqual(['Service/web']);
    } finally {
      valueOf(await held([]));
    }
  });

  it('of a service that a dev runs on is told with whose that is', async () => {
    const dev = shop.dev('web');
    await dev.until('ready');
    const { stdout, stderr } = await shop.slipway(['delete', 'web', ...shop.where], { exitCode: 1 });
    expect(`${stdout}${stderr}`).toMatch(
      /web: the dev of .+ runs it, and brings back what is deleted: .*\n(.*\n)*.*deleted, and still there: .* \[notGone\]\n.*the dev of .+ runs it/,
    );
    expect(await dev.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);
  });
});
