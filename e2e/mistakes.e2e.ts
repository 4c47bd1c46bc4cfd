import { randomUUID } from 'node:crypto';
import type { Problem } from '../model';
import { localRegistry } from './localRegistry';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';

// A mistake is told with its place, everything else goes on, and mending it is enough.
describe('while `slipway dev worker` runs', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    dev = shop.dev('worker');
    await dev.until('ready');
  });
  afterAll(() => shop.close());

  /** What holds for every mistake: the problem is told with its place, a file is still synced, and mending makes all ready. */
  const expectToRecover = async (mistake: () => () => void, told: Partial<Problem>): Promise<void> => {
    const mark = dev.mark();
    const before = await shop.onlyOne('worker');
    const mend = mistake();
    const { problem } = await dev.until('failed', undefined, mark);
    expect(problem).toMatchObject(told);

    const word = randomUUID();
    const undo = shop.edit('apps/worker/src/server.js', 'total: formatPrice', `word: '${word}', total: formatPrice`);
    await dev.answer('worker', '/', word);
    expect(await shop.onlyOne('worker')).toEqual(before);

    const mended = dev.mark();
    mend();
    await dev.until('ready', undefined, mended);
    expect(dev.since(mended, 'mended').map(({ subject }) => subject)).toEqual(['worker']);
    const undone = dev.mark();
    undo();
    await dev.until('synced', undefined, undone);
  };

  it('a Dockerfile that cannot be read is told with its line, and mending it is enough', () =>
    expectToRecover(() => shop.edit('apps/worker/Dockerfile', 'WORKDIR /app', 'WORKDIRR /app'), {
      location: { file: 'apps/worker/Dockerfile', line: 3 },
    }));

  it('a base image that is not there is told with the Dockerfile, and mending it is enough', async () => {
    const missing = `${await localRegistry(shop.kube)}/no-such-image:1`;
    await expectToRecover(() => shop.edit('apps/worker/Dockerfile', 'FROM node:20-slim', `FROM ${missing}`), {
      code: 'baseImageNotFound',
      message: expect.stringContaining(missing) as string,
      location: { file: 'apps/worker/Dockerfile' },
    });
  });

  it('a manifest with a wrong field is told with its line, and mending it is enough', () =>
    expectToRecover(() => shop.edit('apps/worker/k8s/worker.yaml', '  replicas: 1', '  replica: 1'), {
      code: 'manifestInvalid',
      message: expect.stringContaining('spec.replica') as string,
      location: expect.objectContaining({ file: 'apps/worker/k8s/worker.yaml', line: 17 }) as Problem['location'] & object,
    }));

  it('a source file that the process cannot start with is mended by the next edit, in the same container', async () => {
    const before = await shop.onlyOne('worker');
    const mark = dev.mark();
    const mend = shop.edit('apps/worker/src/basket.js', "'use strict'", 'this is not JavaScript');
    await dev.until('synced', undefined, mark);
    await dev.silence('worker', '/');
    mend();
    await dev.answer('worker', '/', 'message');
    const { podUid, containerId, restarts } = await shop.onlyOne('worker');
    expect({ podUid, containerId, restarts }).toEqual({
      podUid: before.podUid,
      containerId: before.containerId,
      restarts: before.restarts,
    });
  });
});
