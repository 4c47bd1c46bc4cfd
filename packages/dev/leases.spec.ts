import type { Problem } from '../model';
import { fakeKube } from '../testkit/fakeKube';
import { holderAlive, openLeases, type LeaseRequest, type Leases } from './leases';
import type { Place } from './session';

const api: Place = { release: 'api', namespace: 'shop' };
const web: Place = { release: '@shop/web', namespace: 'shop' };

function cluster() {
  const kube = fakeKube({ namespaces: ['shop'] });
  const clock = { now: Date.parse('2026-01-01T10:00:00Z') };
  const told: string[] = [];
  const open = (holder: string, more: Partial<LeaseRequest> = {}) =>
    openLeases({
      kube,
      holder,
      places: [api],
      takeover: false,
      now: () => clock.now,
      onLost: ({ release }, other) => told.push(`${holder} lost ${release} to ${other}`),
      onNotice: ({ code }) => told.push(`${holder} ${code}`),
      ...more,
    });
  return { kube, clock, told, open };
}

function held(opened: Leases | readonly Problem[]): Leases {
  if ('held' in opened) return opened;
  throw new Error(opened.map(({ message }) => message).join('; '));
}

describe('a release in a namespace', () => {
  it('is in the hands of one at a time, and the other is told of whom', async () => {
    const { open, clock } = cluster();
    held(await open('ann@laptop/shop-1'));
    clock.now += 4000;
    expect(await open('bob@desk/shop-2')).toMatchObject([
      { code: 'releaseHeld', message: 'api in namespace shop is in the hands of the dev of ann@laptop/shop-1, heard of 4 s ago' },
    ]);
  });

  it('is known to be in the hands of one for as long as that one gives signs of life', async () => {
    const { open, kube, clock } = cluster();
    const holder = () => holderAlive({ kube, now: () => clock.now }, api);
    expect(await holder()).toBeUndefined();
    const ann = held(await open('ann@laptop/shop-1'));
    clock.now += 20_000;
    await ann.renew();
    clock.now += 20_000;
    expect(await holder()).toBe('ann@laptop/shop-1');
    expect(await holderAlive({ kube, now: () => clock.now }, web)).toBeUndefined();
    clock.now += 10_000;
    expect(await holder()).toBeUndefined();
    await ann.renew();
    expect(await holder()).toBe('ann@laptop/shop-1');
    await ann.release();
    expect(await holder()).toBeUndefined();
  });

  it('is had together with the others, or none is', async () => {
    const { open, kube } = cluster();
    held(await open('ann@laptop/shop-1', { places: [web] }));
    const refused = await open('bob@desk/shop-2', { places: [api, web] });
    expect(refused).toMatchObject([{ code: 'releaseHeld' }]);
    expect(kube.all('Lease').map(({ metadata }) => metadata.name)).toHaveLength(1);
  });

  it('is free again when it was given back, or not renewed for half a minute', async () => {
    const { open, clock } = cluster();
    await held(await open('ann@laptop/shop-1')).release();
    held(await open('bob@desk/shop-2'));
    clock.now += 30_000;
    held(await open('carl@desk/shop-3'));
  });

  it('stays with who renews it', async () => {
    const { open, clock } = cluster();
    const ann = held(await open('ann@laptop/shop-1'));
    for (let count = 0; count < 5; count += 1) {
      clock.now += 10_000;
      await ann.renew();
    }
    expect(await open('bob@desk/shop-2')).toMatchObject([{ code: 'releaseHeld' }]);
    expect(ann.held()).toEqual([api]);
  });

  it('costs one write and one look, however many releases there are', async () => {
    const { open, kube, clock } = cluster();
    const places = Array.from({ length: 50 }, (_, index): Place => ({ release: `r${index}`, namespace: 'shop' }));
    let calls = 0;
    const counted = <Answer>(answer: Answer): Answer => {
      calls += 1;
      return answer;
    };
    const ann = held(
      await open('ann@laptop/shop-1', {
        places,
        kube: {
          get: (ref) => counted(kube.get(ref)),
          list: (kind, options) => counted(kube.list(kind, options)),
          apply: (object, options) => counted(kube.apply(object, options)),
          delete: (ref) => counted(kube.delete(ref)),
        },
      }),
    );
    calls = 0;
    clock.now += 10_000;
    await ann.renew();
    expect(calls).toBe(2);
    await ann.release();
    expect(kube.all('Lease')).toEqual([]);
  });

  it('is had by the same user in the same workspace at once, as after a kill', async () => {
    const { open, told } = cluster();
    const first = held(await open('ann@laptop/shop-1'));
    const second = held(await open('ann@laptop/shop-1'));
    await first.renew();
    await second.renew();
    expect([...first.held(), ...second.held()]).toEqual([api, api]);
    await first.release();
    await second.renew();
    expect(second.held()).toEqual([api]);
    expect(told).toEqual([]);
  });

  it('can be taken over, which the other is told, once', async () => {
    const { open, told, kube } = cluster();
    const ann = held(await open('ann@laptop/shop-1'));
    held(await open('bob@desk/shop-2', { takeover: true }));
    await ann.renew();
    await ann.renew();
    expect(told).toEqual(['ann@laptop/shop-1 lost api to bob@desk/shop-2']);
    expect(ann.held()).toEqual([]);
    await ann.release();
    expect(kube.all('Lease').filter(({ metadata }) => metadata.name?.startsWith('slipway-dev-'))).toMatchObject([
      { spec: { holderIdentity: 'bob@desk/shop-2' } },
    ]);
  });

  it('is had later where its namespace does not exist yet', async () => {
    const { open, kube } = cluster();
    const ann = held(await open('ann@laptop/shop-1', { places: [{ release: 'api', namespace: 'new' }] }));
    expect(ann.held()).toEqual([]);
    kube.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'new' } });
    await ann.renew();
    expect(ann.held()).toHaveLength(1);
  });

  it('keeps what it holds while the cluster cannot be reached', async () => {
    const { open, kube, told } = cluster();
    const ann = held(await open('ann@laptop/shop-1'));
    kube.reachable = false;
    await ann.renew();
    kube.reachable = true;
    await ann.renew();
    expect(ann.held()).toEqual([api]);
    expect(told).toEqual([]);
  });

  it('is nobody’s where leases are forbidden, which is told once', async () => {
    const { open, kube, told } = cluster();
    const forbidden: Problem = { code: 'clusterRefused', message: 'forbidden', retry: 'never', exitCode: 1 };
    const ann = held(
      await open('ann@laptop/shop-1', {
        kube: {
          get: (ref) => kube.get(ref),
          list: (kind, options) => kube.list(kind, options),
          delete: (ref) => kube.delete(ref),
          apply: () => Promise.resolve({ ok: false, problem: forbidden }),
        },
      }),
    );
    await ann.renew();
    expect(told).toEqual(['ann@laptop/shop-1 clusterRefused']);
    expect(ann.held()).toEqual([]);
  });
});
