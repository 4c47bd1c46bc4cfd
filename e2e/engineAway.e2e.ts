import { randomUUID } from 'node:crypto';
import { type CuttableEngine, openCuttableEngine } from './cuttableEngine';
import { Shop } from './shop';

describe('an engine that goes away in the middle of a build', () => {
  const shop = new Shop();
  let engine: CuttableEngine;
  beforeAll(async () => {
    await shop.open();
    engine = await openCuttableEngine(shop.path('engine.sock'));
    process.env['DOCKER_HOST'] = engine.host;
    shop.edit('apps/worker/Dockerfile', 'RUN chown', `RUN echo ${randomUUID()} > /tmp/own && chown`);
  });
  afterAll(async () => {
    await shop.close();
    await engine.close();
  });

  it('ends a build with what happened and what to do; the next one is as if nothing had been', async () => {
    engine.cutAtNextBuild();
    const { stdout, stderr } = await shop.slipway(['build', 'worker', ...shop.where], { exitCode: 3 });
    expect(stdout + stderr).toMatch(/engine at unix:.*engine\.sock went away during the build[^]*look whether it runs/);
    await engine.mend();
    expect((await shop.slipway(['build', 'worker', ...shop.where])).stdout).toMatch(/worker .*built/);
  });

  it('is told by dev, which waits for it and goes on by itself', async () => {
    shop.edit('apps/worker/Dockerfile', 'RUN echo', `RUN echo ${randomUUID()}`);
    engine.cutAtNextBuild();
    const dev = shop.dev('worker');
    expect(await dev.until('failed')).toMatchObject({ subject: 'worker', code: 'engineUnreachable' });
    await engine.mend();
    await dev.until('ready');
    expect(await dev.interrupt()).toBe(0);
  });
});
