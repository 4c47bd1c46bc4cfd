import { FreshWorkspace, nextCommand } from './freshWorkspace';

describe('in a workspace that has nothing yet', () => {
  const fresh = new FreshWorkspace({ packageManager: 'npm', nx: '24.0.6' });
  beforeAll(() => fresh.open());
  afterAll(() => fresh.close());

  it('each command says the next one, until a service runs and takes up an edit; Ctrl+C leaves nothing', async () => {
    await fresh.install();
    const said = await fresh.type('npx nx g nx-slipway:init');
    const made = await fresh.type(nextCommand(said));
    const dev = fresh.start(nextCommand(made));
    await dev.until('ready');
    await dev.answer('api', '/', 'Hello from api');
    const running = dev.mark();
    fresh.edit('apps/api/src/server.js', 'Hello from', 'Good evening from');
    await dev.answer('api', '/', 'Good evening from api');
    fresh.tell();
    expect(dev.since(running, 'built')).toEqual([]);
    await dev.interrupt();
    await fresh.nothingLeft(dev);
  });
});
