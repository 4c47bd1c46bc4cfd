import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { CuttableApi } from './cuttableApi';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';
import { until } from './until';

const joins = 'this one joins its loop';
const goesOn = 'this one goes on with it';
const leftBehind = 'was deployed for the dev that has ended without removing it';

describe('several `dev` in one workspace', () => {
  const shop = new Shop();
  let api: CuttableApi;
  beforeAll(async () => {
    await shop.open();
    api = await CuttableApi.open();
    // A library that both copy.
    shop.edit('apps/web/Dockerfile', 'USER 1000', 'COPY --chown=1000:1000 libs/greeting /www/greeting\nUSER 1000');
  });
  afterAll(async () => {
    await shop.close();
    await api.close();
  });

  let greeted = 'Welcome';
  /** Edits the library, and waits until the services that are named answer with it, and what they log is shown. */
  const greet = async (answering: Readonly<Record<string, RunningDev>>): Promise<void> => {
    const word = `w${randomUUID().slice(0, 8)}`;
    shop.edit('libs/greeting/src/index.js', greeted, word);
    greeted = word;
    for (const [app, dev] of Object.entries(answering)) {
      const before = dev.printed.length;
      await dev.answer(app, app === 'web' ? '/greeting/src/index.js' : '/', word);
      // It writes down what it was asked for; web does not.
      if (app === 'worker') await dev.prints('what worker logs', (printed) => printed.slice(before).includes('│ GET /'));
    }
  };
  const hasJoined = (dev: RunningDev) => dev.since(0, 'notice').some(({ message }) => message.endsWith(joins));
  const namesIn = (dev: RunningDev) =>
    new Set(dev.events.flatMap((event) => ('artifact' in event ? [event.artifact] : 'release' in event ? [event.release] : [])));

  it('are one loop, of which each hears its part; it outlives who led it, without a rollout, and each removes what is its own', async () => {
    const dev = (app: 'worker' | 'web'): RunningDev => shop.dev(app, `--kubeconfig=${api.kubeconfig}`);
    const both = { worker: dev('worker'), web: dev('web') };
    for (const dev of Object.values(both)) await dev.until('ready');
    expect(Object.values(both).map(hasJoined).sort()).toEqual([false, true]);
    await greet(both);
    expect([namesIn(both.worker), namesIn(both.web)]).toEqual([new Set(['worker']), new Set(['web'])]);
    const refused = await shop.slipway(['dev', 'web', `--kubeconfig=${api.kubeconfig}`, ...shop.where, '--namespace=elsewhere'], {
      exitCode: 2,
    });
    expect(refused.stderr).toContain(`its loop has --namespace ${shop.namespace}, not elsewhere`);

    const [leads, follows] = hasJoined(both.web) ? (['worker', 'web'] as const) : (['web', 'worker'] as const);
    const podOf = async (app: 'worker' | 'web'): Promise<string> => (await shop.onlyOne(app)).podUid;
    const before = { worker: await podOf('worker'), web: await podOf('web') };
    await both[leads].kill9();
    const heir = both[follows];
    await heir.until('notice', ({ message }) => message.endsWith(goesOn));
    await heir.until('notice', ({ message }) => message.startsWith(`${leads} ${leftBehind}`));
    await greet({ [follows]: heir });

    // It counts from when it came, however long the loop has had nothing to do.
    await pause(3000);
    const asked = Date.now();
    const third = dev(leads);
    expect((await third.until('ready')).ms).toBeLessThan(Date.now() - asked);
    expect(hasJoined(third)).toBe(true);
    await greet({ [leads]: third, [follows]: heir });
    expect({ worker: await podOf('worker'), web: await podOf('web') }).toEqual(before);

    expect(await heir.interrupt()).toBe(0);
    expect(await shop.running(follows)).toEqual([]);
    await third.until('notice', ({ message }) => message.endsWith(goesOn));
    await greet({ [leads]: third });
    expect(await podOf(leads)).toBe(before[leads]);
    expect(third.since(0, 'notice').filter(({ message }) => message.includes(leftBehind))).toEqual([]);

    // Nobody works on what a killed one leaves: who takes its loop over, as soon as there is a cluster again, removes that at its own end.
    const fourth = dev(follows);
    await fourth.until('ready');
    await api.closedWhile(third.kill9().then(() => fourth.until('failed', ({ code }) => code === 'clusterUnreachable')));
    await fourth.until('notice', ({ message }) => message.startsWith(`${leads} ${leftBehind}`));
    expect(await podOf(leads)).toBe(before[leads]);
    expect(await fourth.interrupt()).toBe(0);
    expect(await shop.objects()).toEqual([]);
  });

  it('of `nx run-many -t dev` are one too, and Ctrl+C leaves nothing of any', async () => {
    const devs = shop.nxDevs('worker', 'web', 'reports');
    await devs.prints('that all are ready', (printed) => printed.split('ready in').length === 4);
    // Two join at once, and neither takes from the other what was read for it.
    expect(devs.printed.split(joins).length).toBe(3);
    expect(devs.since(0, 'failed')).toEqual([]);
    // All have written the same file, each of its own part.
    const parts = () => devs.since(0, 'ready').map((event) => (event as { readonly part?: readonly string[] }).part?.join());
    await until('each has written that it is ready', () => (parts().length === 3 ? true : undefined));
    expect(parts().sort()).toEqual(['reports', 'web', 'worker']);
    await greet({});
    const holds = async (app: string, path: string): Promise<boolean> => {
      const { pod } = await shop.onlyOne(app);
      return (await shop.inside(app, pod, ['cat', path])).includes(greeted);
    };
    await until(
      'both have the edit',
      async () =>
        (await holds('worker', '/app/node_modules/@shop/greeting/src/index.js')) && (await holds('web', '/www/greeting/src/index.js'))
          ? true
          : undefined,
      () => devs.told(),
    );
    await devs.interrupt();
    await until(
      'nothing is left',
      async () => ((await shop.objects()).length === 0 ? true : undefined),
      () => devs.told(),
    );
  });
});
