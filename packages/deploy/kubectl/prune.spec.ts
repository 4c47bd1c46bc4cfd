import type { Kube, KubeObject } from '../../clients';
import { fakeKube } from '../../testkit/fakeKube';
import { apply, type Installer } from './apply';
import { remove } from './remove';
import { render } from './render';
import type { ManifestText } from './manifest';

const owner = { workspaceId: 'ws1', release: 'shop' };
const config = (name: string): ManifestText => ({
  path: `k8s/${name}.yaml`,
  text: `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {A: "1"}\n`,
});

async function deploy(kube: Kube, manifests: readonly ManifestText[], at: number, installer?: Installer) {
  const rendered = render({
    release: { name: 'shop' },
    manifests,
    images: {},
    imageNames: {},
    namespace: 'shop',
    workspaceId: 'ws1',
    // What a tool makes is no part of it.
    fingerprint: manifests.map(({ path, text, part }) => `${path} ${part ?? text}`).join(' '),
  });
  if (!rendered.ok) throw new Error(rendered.problem.message);
  const applied = await apply({ kube, objects: rendered.value, owner, namespace: 'shop', now: () => at, ...(installer && { installer }) });
  if (!applied.ok) throw new Error(applied.problem.message);
  return applied.value;
}

/** As helm does: it marks what it installs as its own, and removes what a release has no more. */
function helmIn(fake: ReturnType<typeof fakeKube>, parts: readonly string[]) {
  const uninstalled: string[] = [];
  const release = (name: string) => ({ 'meta.helm.sh/release-name': name, 'meta.helm.sh/release-namespace': 'shop' });
  const isOf = (object: KubeObject, name: string) => object.metadata.annotations?.['meta.helm.sh/release-name'] === name;
  const installer: Installer = {
    parts,
    makesNamespaces: new Set(),
    install(part, objects) {
      for (const { metadata, ...object } of objects) {
        const labels = { ...metadata.labels, 'app.kubernetes.io/managed-by': 'Helm' };
        fake.put({
          ...object,
          metadata: { ...metadata, labels, annotations: { ...metadata.annotations, ...release(part) } },
        });
      }
      return Promise.resolve({ ok: true, value: undefined });
    },
    async uninstall({ name }) {
      uninstalled.push(name);
      for (const { metadata } of fake.all('ConfigMap').filter((object) => isOf(object, name)))
        await fake.delete({ apiVersion: 'v1', kind: 'ConfigMap', name: metadata.name ?? '', namespace: 'shop' });
      return { ok: true, value: undefined };
    },
  };
  return { installer, uninstalled };
}

const names = (fake: ReturnType<typeof fakeKube>) => fake.all('ConfigMap').map(({ metadata }) => metadata.name);

describe('what left the manifests', () => {
  test('is deleted, and nothing that has other labels, belongs to another release or was never applied by us', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    fake.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foreign', namespace: 'shop' } });
    const labels = { 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'other', 'app.kubernetes.io/managed-by': 'slipway' };
    fake.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'others', namespace: 'shop', labels } });
    const unstamped = { ...labels, 'slipway.dev/release': 'shop' };
    fake.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unstamped', namespace: 'shop', labels: unstamped } });
    await deploy(fake, [config('a'), config('b')], 1);
    expect((await deploy(fake, [config('a')], 2)).pruned).toEqual(['configmap/b']);
    expect(names(fake)).toEqual(['foreign', 'others', 'unstamped', 'a']);
  });

  test('is found in other namespaces and of other kinds by the record of the apply before, and never that of the release in another namespace', async () => {
    const fake = fakeKube({ namespaces: ['shop', 'far', 'review'] });
    const inFar = (name: string): ManifestText => ({
      ...config(name),
      text: config(name).text.replace(`{name: ${name}}`, `{name: ${name}, namespace: far}`),
    });
    const role = { path: 'k8s/r.yaml', text: 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\n' };
    await deploy(fake, [config('a'), inFar('b'), inFar('c'), role], 1);
    expect((await deploy(fake, [config('a')], 2)).pruned).toEqual(['configmap/b', 'configmap/c', 'clusterrole/reader']);
    await deploy(fake, [config('a'), inFar('b')], 3);
    const also = JSON.stringify({ at: 1, objects: 1, also: { home: 'review', namespaces: ['far'], kinds: [] } });
    const labels = { 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop', 'app.kubernetes.io/managed-by': 'slipway' };
    fake.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'review', namespace: 'far', labels, annotations: { 'slipway.dev/applied': also } },
    });
    expect((await deploy(fake, [config('a')], 4)).pruned).toEqual(['configmap/b']);
    await deploy(fake, [config('a'), inFar('b')], 5);
    const removed = await remove({ kube: fake, owner, namespaces: ['shop'] });
    expect(removed).toMatchObject({ value: { objects: ['configmap/a', 'configmap/b'] } });
    expect(names(fake)).toEqual(['review']);
  });

  test('keeps its data: neither a claim nor a volume is ever deleted for it, and with the release only when it is not to be kept', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    const holders = ['PersistentVolumeClaim', 'PersistentVolume'];
    const data = holders.map((kind) => ({ path: `k8s/${kind}.yaml`, text: `apiVersion: v1\nkind: ${kind}\nmetadata: {name: data}\n` }));
    await deploy(fake, [config('a'), ...data], 1);
    expect((await deploy(fake, [config('a')], 2)).pruned).toEqual([]);
    const kinds = [{ apiVersion: 'v1', kind: 'PersistentVolume' }];
    expect(await remove({ kube: fake, owner, namespaces: ['shop'], kinds, keepVolumes: true })).toMatchObject({
      value: { objects: ['configmap/a'] },
    });
    expect(await remove({ kube: fake, owner, namespaces: ['shop'], kinds })).toMatchObject({
      value: { objects: ['persistentvolumeclaim/data', 'persistentvolume/data'] },
    });
  });

  test('is told by its name when it is not gone in time', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    const pod = { path: 'k8s/p.yaml', text: 'apiVersion: v1\nkind: Pod\nmetadata: {name: user}\n' };
    const role = { path: 'k8s/r.yaml', text: 'apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: held}\n' };
    await deploy(fake, [pod, config('a'), role], 1);
    const held: Kube = {
      ...fake,
      delete: (ref, ...more) => (ref.kind === 'Role' ? Promise.resolve({ ok: true, value: undefined }) : fake.delete(ref, ...more)),
    };
    expect(await remove({ kube: held, owner, namespaces: ['shop'], patienceMs: 20 })).toMatchObject({
      value: { remaining: ['role/held'] },
    });
  });
});

describe('what helm installs', () => {
  test('is tried, installed with the stamps of the whole apply, and never deleted piece by piece', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    const { installer, uninstalled } = helmIn(fake, ['chart']);
    const ofChart = (name: string): ManifestText => ({ ...config(name), part: 'chart' });
    const first = await deploy(fake, [config('own'), ofChart('a')], 1, installer);
    expect(first).toMatchObject({ changed: ['configmap/own', 'configmap/a'], pruned: [] });
    expect(fake.all('ConfigMap').map(({ metadata }) => metadata.annotations?.['slipway.dev/applied'])).toEqual(
      Array<string>(2).fill('{"at":1,"objects":2}'),
    );
    // The chart has it no more; that is for helm to remove.
    expect((await deploy(fake, [config('own'), ofChart('b')], 2, installer)).pruned).toEqual([]);
    expect(uninstalled).toEqual([]);
  });

  describe('from the same chart', () => {
    const ofChart = (name: string): ManifestText => ({ ...config(name), part: 'chart' });
    const reader: ManifestText = {
      path: 'k8s/reader.yaml',
      text: 'apiVersion: v1\nkind: Pod\nmetadata: {name: reader}\nspec: {containers: [{name: main, image: x, envFrom: [{configMapRef: {name: own}}]}]}\n',
      part: 'chart',
    };
    const begin = async (chart: readonly ManifestText[]) => {
      const fake = fakeKube({ namespaces: ['shop'] });
      const { installer } = helmIn(fake, ['chart']);
      const installs: (readonly KubeObject[])[] = [];
      const remembering: Installer = {
        ...installer,
        install: (part, objects) => (installs.push(objects), installer.install(part, objects)),
      };
      await deploy(fake, [config('own'), ...chart], 1, remembering);
      const installed = chart.map((each, index) => ({ ...each, text: JSON.stringify(installs[0]?.[index]), installed: true }));
      return { fake, installs, installed, installer: remembering };
    };

    test('is not installed again, but stamped with the rest; when an object of it is gone it is', async () => {
      const { fake, installs, installed, installer } = await begin([ofChart('a'), ofChart('b')]);
      const more = [config('own'), config('more'), ...installed];
      expect(await deploy(fake, more, 2, installer)).toMatchObject({ changed: ['configmap/more'], pruned: [] });
      expect(installs).toHaveLength(1);
      const stamps = fake.all('ConfigMap').map(({ metadata }) => metadata.annotations);
      expect(stamps.map((each) => each?.['slipway.dev/applied'])).toEqual(Array<string>(4).fill('{"at":2,"objects":4}'));
      expect(new Set(stamps.map((each) => each?.['slipway.dev/fingerprint'])).size).toBe(1);
      await fake.delete({ apiVersion: 'v1', kind: 'ConfigMap', name: 'b', namespace: 'shop' });
      expect((await deploy(fake, more, 3, installer)).changed).toEqual(['configmap/b']);
      expect(installs).toHaveLength(2);
    });

    test('nothing is sent when nothing else differs either', async () => {
      const { fake, installed, installer } = await begin([ofChart('a')]);
      expect((await deploy(fake, [config('own'), ...installed], 2, installer)).at).toBe(1);
    });

    test('is installed again as it was when what its pods read has changed', async () => {
      const { fake, installs, installed, installer } = await begin([ofChart('a'), reader]);
      const other = { ...config('own'), text: config('own').text.replace('"1"', '"2"') };
      expect((await deploy(fake, [other, ...installed], 2, installer)).changed).toContain('pod/reader');
      expect(installs).toHaveLength(2);
      expect(installs[1]?.[0]).toEqual(installs[0]?.[0]);
    });
  });

  test('a release that is named no more is uninstalled', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    const { installer, uninstalled } = helmIn(fake, ['chart']);
    await deploy(fake, [config('own'), { ...config('a'), part: 'chart' }], 1, installer);
    const { pruned } = await deploy(fake, [config('own')], 2, { ...installer, parts: [] });
    expect([pruned, uninstalled, names(fake)]).toEqual([['helm release chart'], ['chart'], ['own']]);
  });

  test('is removed by uninstalling its release, even of a project that says nothing of it any more', async () => {
    const fake = fakeKube({ namespaces: ['shop'] });
    const { installer, uninstalled } = helmIn(fake, ['chart']);
    const kept = {
      path: 'k',
      text: config('kept').text.replace('{name: kept}', '{name: kept, annotations: {helm.sh/resource-policy: keep}}'),
      part: 'chart',
    };
    await deploy(fake, [config('own'), { ...config('a'), part: 'chart' }, kept], 1, installer);
    const removed = await remove({ kube: fake, owner, namespaces: ['shop'], uninstall: (release) => installer.uninstall(release) });
    expect(removed.ok).toBe(true);
    expect(uninstalled).toEqual(['chart']);
  });
});
