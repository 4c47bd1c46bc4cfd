import { valueOf } from './localRegistry';
import { Shop } from './shop';

// Other systems have another script(1), or none.
const suite = process.platform === 'linux' ? describe : describe.skip;

suite('`slipway dev web` at a terminal', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  it('shows how its service is, does what its keys ask for, and q leaves what was deployed', async () => {
    const dev = shop.devAtTerminal('web');
    await dev.until('ready');
    await dev.prints('the keys', (printed) => printed.includes('delete and quit'));
    const before = await shop.onlyOne('web');

    dev.type('?');
    await dev.prints('what the keys do', (printed) => printed.includes('makes a new image of a service, from scratch'));
    await dev.until('connected');
    dev.type('s');
    await dev.until('notice', ({ message }) => message === 'compared: its container holds the same as the files');
    dev.type('l-\r');
    await dev.prints('whose logs are shown', (printed) => printed.includes('logs (none)'));
    const mark = dev.mark();
    dev.type('r');
    await dev.until('built', ({ artifact }) => artifact === 'web', mark);
    await dev.until('ready', () => true, mark);

    dev.type('q');
    expect(await dev.ends()).toBe(0);
    expect(dev.since(mark, 'stopped')).toMatchObject([{ reason: 'as asked for', kept: true }]);
    // The same files give the same image, so nothing has rolled out.
    expect(await shop.onlyOne('web')).toEqual(before);
  });

  it('d deletes what was deployed, also by the one before', async () => {
    const dev = shop.devAtTerminal('web');
    await dev.until('ready');
    await dev.prints('the keys', (printed) => printed.includes('delete and quit'));
    dev.type('d');
    expect(await dev.ends()).toBe(0);
    expect(dev.since(0, 'stopped')).toMatchObject([{ reason: 'as asked for', kept: false }]);
    expect(await shop.objects()).toEqual([]);
  });

  it('a terminal that is closed leaves nothing behind', async () => {
    const dev = shop.devAtTerminal('web');
    await dev.until('ready');
    await dev.answer('web', '/', 'Ropes');
    await dev.closeTerminal();
    await shop.nothingIsLeft();
    expect(dev.since(0, 'stopped')).toMatchObject([{ kept: false }]);
  });

  it('Ctrl+C twice ends it at once, and what it has begun to remove goes all the same', async () => {
    const held = (finalizers: readonly string[]) => {
      const metadata = { name: 'web', namespace: shop.namespace, finalizers };
      return shop.kube.apply({ apiVersion: 'v1', kind: 'Service', metadata }, { fieldManager: 'e2e' });
    };
    const dev = shop.devAtTerminal('web');
    await dev.until('ready');
    // So that it does not come to an end before.
    valueOf(await held(['e2e.example.com/hold']));
    expect(await dev.interruptImpatiently()).toBe(130);
    expect(dev.printed).toContain('left at once; the rest goes on being removed: web');
    expect(dev.since(0, 'stopped')).toEqual([]);
    valueOf(await held([]));
    await shop.nothingIsLeft();
  });
});
