import { serviceKinds, type ServiceKind } from '../scaffold';
import { FreshWorkspace, nextCommand, type FreshOptions } from './freshWorkspace';

const entries: Readonly<Record<ServiceKind, string>> = {
  node: 'src/server.js',
  'node-bundle': 'src/server.ts',
  static: 'site/index.html',
  go: 'main.go',
  python: 'src/server.py',
};
/** A service by the name of a language would have the name of the image that it stands on. */
const nameOf = (kind: ServiceKind) => `a-${kind}`;
const workspaces: readonly FreshOptions[] = [
  { packageManager: 'npm', nx: '24.0.6' },
  { packageManager: 'pnpm', nx: '24.0.6' },
  { packageManager: 'npm', nx: '23.3.2' },
  { packageManager: 'npm', nx: '22.7.12' },
];

describe.each(workspaces)('in a new workspace of $packageManager and Nx $nx', (options) => {
  const fresh = new FreshWorkspace(options);
  beforeAll(() => fresh.open());
  afterAll(() => fresh.close());

  it('services of all kinds are made, run in one dev, and take up an edit each; a second time changes nothing', async () => {
    await fresh.install();
    await fresh.type(`${fresh.exec} nx g nx-slipway:init`);
    for (const kind of serviceKinds) await fresh.type(`${fresh.exec} nx g nx-slipway:service ${nameOf(kind)} --kind ${kind}`);
    expect(await fresh.type(`${fresh.exec} nx g nx-slipway:service a-go --kind go`)).not.toMatch(/^(CREATE|UPDATE)/m);
    expect(nextCommand(await fresh.type(`${fresh.exec} nx g nx-slipway:init`))).toMatch(/nx run [\w-]+:dev$/);

    const dev = fresh.start(`${fresh.exec} slipway dev ${serviceKinds.map(nameOf).join(' ')}`);
    await dev.until('ready');
    const running = dev.mark();
    for (const kind of serviceKinds) {
      await dev.answer(nameOf(kind), '/', `Hello from ${nameOf(kind)}`);
      const savedAt = performance.now();
      fresh.edit(`apps/${nameOf(kind)}/${entries[kind]}`, 'Hello from', 'Good evening from');
      await dev.answer(nameOf(kind), '/', `Good evening from ${nameOf(kind)}`);
      process.stdout.write(`${kind}: save to new answer ${((performance.now() - savedAt) / 1000).toFixed(1)} s\n`);
    }
    fresh.tell();
    // An edit is copied; none of them needed another image.
    expect(dev.since(running, 'built')).toEqual([]);
    await dev.interrupt();
    await fresh.nothingLeft(dev);
  });

  it('one service runs by its own target too', async () => {
    const dev = fresh.start(`${fresh.exec} nx run a-static:dev`);
    await dev.until('ready');
    await dev.answer('a-static', '/', 'a-static');
    await dev.interrupt();
    await fresh.nothingLeft(dev);
  });
});
