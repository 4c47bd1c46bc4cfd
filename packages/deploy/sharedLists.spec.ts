import type { KindRef } from '../clients';
import { fakeKube } from '../testkit/fakeKube';
import { ownedObjects } from './ownedObjects';
import { ownerLabels } from './ownership';
import { sharedLists } from './sharedLists';

const settings: KindRef = { apiVersion: 'v1', kind: 'ConfigMap' };

function listing() {
  const fake = fakeKube({ namespaces: ['shop'] });
  const clock = { now: 1000 };
  const asked: string[] = [];
  let refused = false;
  const kube: Parameters<typeof sharedLists>[0] = {
    list(kind, options) {
      asked.push(`${kind.kind} ${options?.namespace ?? ''} ${options?.labelSelector ?? ''}`);
      if (refused) return Promise.resolve({ ok: false, problem: { code: 'clusterRefused', message: 'no', retry: 'never', exitCode: 3 } });
      return fake.list(kind, options);
    },
  };
  return { asked, clock, refuse: (is: boolean) => (refused = is), lists: sharedLists(kube, 'ws1', () => clock.now) };
}

describe('what the releases of a workspace own', () => {
  it('is listed once for all that ask within a short time', async () => {
    const { asked, clock, lists } = listing();
    await Promise.all([lists(-Infinity)(settings, 'shop'), lists(-Infinity)(settings, 'shop')]);
    clock.now += 2_900;
    await lists(-Infinity)(settings, 'shop');
    expect(asked).toEqual(['ConfigMap shop slipway.dev/workspace=ws1']);
    clock.now += 200;
    await lists(-Infinity)(settings, 'shop');
    await lists(-Infinity)(settings, undefined);
    expect(asked).toHaveLength(3);
  });

  it('is listed anew for who has written something since', async () => {
    const { asked, clock, lists } = listing();
    await lists(-Infinity)(settings, 'shop');
    clock.now += 10;
    await lists(999)(settings, 'shop');
    expect(asked).toHaveLength(1);
    await lists(1000)(settings, 'shop');
    expect(asked).toHaveLength(2);
    await lists(1005)(settings, 'shop');
    expect(asked).toHaveLength(2);
  });

  it('is told apart by release', async () => {
    const kube = fakeKube({ namespaces: ['shop'] });
    const owners = ['api', 'web'].map((release) => ({ workspaceId: 'ws1', release }));
    for (const owner of owners)
      kube.put({ ...settings, metadata: { name: owner.release, namespace: 'shop', labels: { ...ownerLabels(owner) } } });
    const lists = sharedLists(kube, 'ws1')(-Infinity);
    const owned = await Promise.all(
      owners.map((owner) => ownedObjects({ kube, owner, home: 'shop', namespaces: [], kinds: [settings], lists })),
    );
    expect(owned.map(({ found }) => found.map(({ metadata }) => metadata.name))).toEqual([['api'], ['web']]);
  });

  it('is asked for again after it could not be listed', async () => {
    const { asked, refuse, lists } = listing();
    refuse(true);
    expect(await lists(-Infinity)(settings, 'shop')).toMatchObject({ ok: false });
    refuse(false);
    expect(await lists(-Infinity)(settings, 'shop')).toMatchObject({ ok: true });
    expect(asked).toHaveLength(2);
  });
});
