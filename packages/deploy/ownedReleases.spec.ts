import type { Kube, KubeObject } from '../clients';
import { failed } from '../model';
import { fakeKube } from '../testkit/fakeKube';
import { ownedReleases } from './ownedReleases';
import { ownerLabels } from './ownership';

function cluster() {
  const fake = fakeKube({ namespaces: ['shop', 'stage'] });
  const put = (object: Partial<KubeObject> & { readonly kind: string; readonly name: string }, workspaceId: string, namespace = 'shop') => {
    const { name, ...fields } = object;
    const labels = ownerLabels({ workspaceId, release: 'api' });
    const placed = { name, namespace, labels, ...(fields.metadata ?? {}) };
    fake.put({ apiVersion: 'v1', ...fields, metadata: placed });
  };
  return { fake, put };
}

const namesOf = ({ releases }: Awaited<ReturnType<typeof ownedReleases>>) =>
  releases.map(({ release, namespaces, objects }) => [
    release,
    namespaces,
    objects.map(({ kind, metadata }) => `${kind} ${metadata.name ?? ''}`),
  ]);

describe('what a workspace owns in a cluster', () => {
  test('is told by release, from all namespaces or from one', async () => {
    const { fake: kube, put } = cluster();
    put({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' }, 'ours');
    put({ kind: 'Service', name: 'api' }, 'ours', 'stage');
    put({ kind: 'ConfigMap', name: 'web', metadata: { labels: ownerLabels({ workspaceId: 'ours', release: 'web' }) } }, 'ours');
    expect(namesOf(await ownedReleases({ kube, workspaceId: 'ours' }))).toEqual([
      ['api', ['shop', 'stage'], ['Deployment api', 'Service api']],
      ['web', ['shop'], ['ConfigMap web']],
    ]);
    expect(namesOf(await ownedReleases({ kube, workspaceId: 'ours', namespace: 'stage' }))).toEqual([['api', ['stage'], ['Service api']]]);
  });

  test("is neither another workspace's, nor anything without our label, nor what a controller made", async () => {
    const { fake: kube, put } = cluster();
    put({ kind: 'Service', name: 'theirs' }, 'theirs');
    put({ kind: 'Service', name: 'nobodys', metadata: { labels: { 'slipway.dev/release': 'api' } } }, 'ours');
    put(
      { kind: 'Service', name: 'copied', metadata: { labels: { 'slipway.dev/workspace': 'ours', 'slipway.dev/release': 'api' } } },
      'ours',
    );
    const ownerReferences = [{ kind: 'ReplicaSet', name: 'api', uid: 'u', controller: true }];
    put(
      { kind: 'Pod', name: 'api-1', metadata: { ownerReferences, labels: ownerLabels({ workspaceId: 'ours', release: 'api' }) } },
      'ours',
    );
    expect(await ownedReleases({ kube, workspaceId: 'ours' })).toEqual({ releases: [], problems: [] });
  });

  test('a kind that may not be listed is told, and the others are listed', async () => {
    const { fake, put } = cluster();
    put({ kind: 'Service', name: 'api' }, 'ours');
    const refused = { code: 'clusterRefused', message: 'secrets is forbidden', retry: 'whenInputChanges', exitCode: 3 } as const;
    const kube: Pick<Kube, 'list'> = {
      list: (kind, options) => (kind.kind === 'Secret' ? Promise.resolve(failed(refused)) : fake.list(kind, options)),
    };
    const owned = await ownedReleases({ kube, workspaceId: 'ours' });
    expect(namesOf(owned)).toEqual([['api', ['shop'], ['Service api']]]);
    expect(owned.problems).toEqual([refused]);
  });
});
