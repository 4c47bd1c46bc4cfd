import type { Kube, KubeObject, ObjectRef } from '../../clients';
import type { ApplyOptions, Problem } from '../../model';
import { fakeKube, type FakeKube } from '../../testkit/fakeKube';
import { apply } from './apply';
import { remove } from './remove';
import { render } from './render';

const owner = { workspaceId: 'ws1', release: 'shop' };

interface Applying {
  fingerprint?: string;
  release?: string;
  at?: number;
  options?: ApplyOptions;
  seen?: (ref: ObjectRef) => KubeObject | undefined;
}

function shop(kube: Kube, text: string, more: Applying = {}) {
  const release = more.release ?? 'shop';
  const result = render({
    release: { name: release, ...(more.options && { apply: more.options }) },
    manifests: [{ path: 'k8s/all.yaml', text }],
    images: { worker: { ref: `reg/shop/worker:${more.fingerprint ?? 'f1'}`, inputsHash: 'in' } },
    imageNames: { worker: 'shop/worker' },
    namespace: 'shop',
    workspaceId: owner.workspaceId,
    fingerprint: more.fingerprint ?? 'f1',
  });
  if (!result.ok) throw new Error(result.problem.message);
  const { options, seen } = more;
  const request = { kube, objects: result.value, owner: { ...owner, release }, namespace: 'shop', now: () => more.at ?? 1 };
  return apply({ ...request, ...(options && { options }), ...(seen && { seen }) });
}

interface Cluster {
  readonly kube: Kube;
  readonly fake: FakeKube;
  /** What was changed in the cluster, in order. */
  readonly writes: string[];
  /** What the API server says of an object, by `Kind name`. */
  readonly refusals: Map<string, string>;
  readonly names: (kind: string) => readonly string[];
}

function cluster(namespaces: readonly string[] = ['shop']): Cluster {
  const writes: string[] = [];
  const refusals = new Map<string, string>();
  const validate = ({ kind, metadata: { name = '' }, ...fields }: KubeObject): Problem | undefined => {
    const before = fake.all(kind).find((object) => object.metadata.name === name);
    const fixed = kind === 'Job' && before && JSON.stringify(before['spec']) !== JSON.stringify(fields['spec']);
    const said = fixed ? 'spec.template: Invalid value: {}: field is immutable' : refusals.get(`${kind} ${name}`);
    return said === undefined
      ? undefined
      : { code: 'objectInvalid', message: `${kind} shop/${name} is not valid: ${said}`, retry: 'whenInputChanges', exitCode: 1 };
  };
  const fake: FakeKube = fakeKube({ namespaces, validate });
  const kube: Kube = {
    ...fake,
    apply(object, options) {
      if (options?.dryRun) return fake.apply(object, options);
      writes.push(`apply ${object.kind} ${object.metadata.name ?? ''}`);
      const answer = fake.apply(object, options);
      // A controller makes a definition usable some time after it was accepted.
      if (object.kind === 'CustomResourceDefinition') {
        const status = { conditions: [{ type: 'Established', status: 'True' }] };
        void answer.then((applied) => setImmediate(() => applied.ok && fake.put({ ...applied.value, status })));
      }
      return answer;
    },
    delete(ref, options) {
      writes.push(`delete ${ref.kind} ${ref.name}`);
      return fake.delete(ref, options);
    },
  };
  return { kube, fake, writes, refusals, names: (kind) => fake.all(kind).map(({ metadata }) => metadata.name ?? '') };
}

const config = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: "1"}\n';
const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: worker}\nspec:\n  template:\n    spec:\n      containers:\n        - name: worker\n          image: shop/worker\n';
const job = (command: string) =>
  `apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: {spec: {containers: [{name: a, image: x, command: [${command}]}]}}}\n`;

describe('apply', () => {
  test('applies what is needed first, first', async () => {
    const { kube, writes } = cluster([]);
    const text = [deployment, config, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n'].join('---\n');
    expect(await shop(kube, text)).toMatchObject({
      ok: true,
      value: { objects: ['deployment/worker', 'configmap/settings', 'namespace/shop'] },
    });
    expect(writes).toEqual(['apply Namespace shop', 'apply ConfigMap settings', 'apply Deployment worker']);
  });

  test('asks for nothing that a watch has seen', async () => {
    const { kube, fake, writes } = cluster();
    expect(await shop(kube, [config, deployment].join('---\n'))).toMatchObject({ ok: true });
    const before = writes.length;
    const asked: string[] = [];
    const counted: Kube = { ...kube, get: (ref) => (asked.push(ref.kind), kube.get(ref)) };
    const seen = ({ kind, name }: ObjectRef) => fake.all(kind).find(({ metadata }) => kind !== 'ConfigMap' && metadata.name === name);
    expect(await shop(counted, [config, deployment].join('---\n'), { seen, at: 2 })).toMatchObject({ ok: true, value: { changed: [] } });
    expect(asked).toEqual(['ConfigMap']);
    expect(writes).toHaveLength(before);
  });

  test('a storage class is there before the claim that names it', async () => {
    const { kube, writes } = cluster();
    const claim = 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n';
    const storage = 'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: late}\n';
    expect(await shop(kube, `${claim}---\n${storage}`)).toMatchObject({ ok: true });
    expect(writes).toEqual(['apply StorageClass late', 'apply PersistentVolumeClaim data']);
  });

  test('a custom resource comes after its definition, which is new', async () => {
    const { kube, writes } = cluster();
    const text = `apiVersion: x.dev/v1\nkind: Widget\nmetadata: {name: w}\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.x.dev}\nspec: {group: x.dev, scope: Namespaced, names: {kind: Widget}, versions: [{name: v1}]}\n`;
    expect(await shop(kube, text)).toMatchObject({ ok: true });
    expect(writes).toEqual(['apply CustomResourceDefinition widgets.x.dev', 'apply Widget w']);
  });

  test('tells what changed, and its own stamps are no change', async () => {
    const { kube } = cluster();
    expect(await shop(kube, `${config}---\n${deployment}`)).toMatchObject({
      value: { changed: ['configmap/settings', 'deployment/worker'] },
    });
    expect(await shop(kube, `${config}---\n${deployment}`, { at: 2 })).toMatchObject({ value: { changed: [] } });
    expect(await shop(kube, `${config}---\n${deployment}`, { fingerprint: 'f2', at: 3 })).toMatchObject({
      value: { changed: ['deployment/worker'] },
    });
  });

  test('nothing is applied when one object is not valid, and every mistake has its place', async () => {
    const { kube, writes, refusals } = cluster();
    const typed =
      'failed to create typed patch object (shop/worker; apps/v1, Kind=Deployment): .spec.template.spec.containers[name="worker"].imagge: field not declared in schema';
    refusals.set('Deployment worker', typed);
    refusals.set('Service worker', 'spec.ports: Required value; spec.type: Unsupported value: "X"');
    const wrong = deployment.replace('image:', 'imagge:');
    const result = await shop(
      kube,
      `${config}---\n${wrong}---\napiVersion: v1\nkind: Service\nmetadata: {name: worker}\nspec:\n  type: X\n`,
    );
    expect(writes).toEqual([]);
    expect(result).toMatchObject({
      ok: false,
      problem: {
        code: 'manifestInvalid',
        message: 'deployment/worker: spec.template.spec.containers[name="worker"].imagge is not a field that there is, and 2 more',
        location: { file: 'k8s/all.yaml', line: 14, column: 11 },
      },
    });
    expect(result.ok ? [] : result.problem.detail?.split('\n').slice(1)).toEqual([
      'k8s/all.yaml:19:1: service/worker: spec.ports is required and missing (add it)',
      'k8s/all.yaml:20:3: service/worker: spec.type is not valid: Unsupported value: "X" (correct it in the manifest)',
    ]);
  });

  test('a field that is named by the key of its item, and by its place, is one mistake', async () => {
    const { kube, refusals } = cluster();
    const by = (item: string) => `spec.template.spec.containers[${item}].imagge`;
    const said = `failed to create typed patch object (shop/worker; apps/v1, Kind=Deployment): .${by('name="worker"')}: field not declared in schema`;
    refusals.set('Deployment worker', `${said}\nunknown field "${by('0')}"\nunknown field "spec.foo"`);
    const result = await shop(kube, deployment.replace('image:', 'imagge:').replace('spec:', 'spec:\n  foo: 1'));
    const message = `deployment/worker: ${by('name="worker"')} is not a field that there is, and 1 more`;
    expect(result).toMatchObject({ problem: { message } });
    expect(result.ok ? '' : result.problem.detail).toMatch(/deployment\/worker: spec.foo is not a field/);
  });

  test.each([
    [
      'failed to create typed patch object (shop/settings; /v1, Kind=ConfigMap): .dada: field not declared in schema',
      'is not a field that there is',
    ],
    ['unknown field "dada"', 'is not a field that there is'],
    [
      'ConfigMap "settings" is invalid: dada: Too long: may not be more than 1048576 bytes',
      'is not valid: Too long: may not be more than 1048576 bytes',
    ],
  ])('a field of the object itself has its place too: %s', async (said, reason) => {
    const { kube, refusals } = cluster();
    refusals.set('ConfigMap settings', said);
    const result = await shop(kube, config.replace('\ndata:', '\ndada:'));
    expect(result).toMatchObject({
      problem: { code: 'manifestInvalid', message: `configmap/settings: dada ${reason}`, location: { line: 4 } },
    });
  });

  test('what the cluster says of a Secret is not repeated', async () => {
    const { kube, refusals } = cluster();
    const typed = '.stringData.password: expected string, got &value.valueUnstructured{Value:4711}';
    refusals.set('Secret db', typed);
    const result = await shop(kube, 'apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: 4711}\n');
    expect(result).toMatchObject({
      problem: { message: 'secret/db: stringData.password is not valid: expected string', location: { line: 4, column: 14 } },
    });
    expect(JSON.stringify(result)).not.toContain('4711');
  });

  test('a missing namespace is said once', async () => {
    const result = await shop(cluster([]).kube, deployment);
    expect(result).toMatchObject({ ok: false, problem: { code: 'namespaceNotFound', location: { file: 'k8s/all.yaml' } } });
  });

  test('a Job of ours that changed is replaced, as it cannot be changed', async () => {
    const { kube, writes } = cluster();
    await shop(kube, job('a'));
    expect(await shop(kube, job('b'))).toMatchObject({ ok: true, value: { changed: ['job/migrate'] } });
    expect(writes).toEqual(['apply Job migrate', 'delete Job migrate', 'apply Job migrate']);
  });

  test("somebody else's Job is left alone", async () => {
    const { kube, fake, writes } = cluster();
    fake.put({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate', namespace: 'shop' }, spec: { other: true } });
    expect(await shop(kube, job('b'))).toMatchObject({
      ok: false,
      problem: { hint: 'it cannot be changed in place; take the change back, or: kubectl delete job/migrate --namespace shop' },
    });
    expect(writes).toEqual([]);
  });

  test('nothing is sent when nothing differs, and what somebody changed meanwhile is', async () => {
    const { kube, fake, writes } = cluster();
    const text = `${config}---\n${deployment}`;
    await shop(kube, text);
    writes.length = 0;
    const untried: Kube = { ...kube, apply: () => Promise.reject(new Error('nothing is to be tried')) };
    expect(await shop(untried, text, { at: 2 })).toMatchObject({ ok: true, value: { changed: [], at: 1 } });
    expect(writes).toEqual([]);
    const [settings] = fake.all('ConfigMap');
    if (settings) fake.put({ ...settings, data: { A: 'by hand' } });
    expect(await shop(kube, text, { at: 3 })).toMatchObject({ value: { changed: ['configmap/settings'], at: 3 } });
    fake
      .all('ConfigMap')
      .forEach(({ apiVersion, kind, metadata: { name = '' } }) => void fake.delete({ apiVersion, kind, name, namespace: 'shop' }));
    expect(await shop(kube, text, { at: 4 })).toMatchObject({ value: { changed: ['configmap/settings'], at: 4 } });
  });

  test('fields that others manage are told with their managers, unless they are to be taken over', async () => {
    const { kube, writes } = cluster();
    const asked: unknown[] = [];
    const managed: Kube = {
      ...kube,
      apply(object, options) {
        asked.push([options?.force, options?.fieldManager]);
        if (options?.force === true) return kube.apply(object, options);
        const message =
          'Deployment shop/worker has fields that others manage: spec.replicas (conflict with "kubectl" with subresource "scale" using apps/v1), spec.template.spec.containers[name="worker"].image (conflict with "flux")';
        return Promise.resolve({ ok: false, problem: { code: 'objectConflict', message, retry: 'whenInputChanges', exitCode: 1 } });
      },
    };
    const text = deployment.replace('spec:', 'spec:\n  replicas: 1');
    const told = await shop(managed, text);
    expect(writes).toEqual([]);
    expect(told).toMatchObject({
      ok: false,
      problem: {
        code: 'objectConflict',
        message: 'deployment/worker: spec.replicas is managed by kubectl (its scale), and 1 more',
        location: { line: 5, column: 3 },
      },
    });
    expect(told.ok ? '' : told.problem.detail).toMatch(/image is managed by flux \(leave it out of the manifest, or take it over: --force/);
    expect(await shop(managed, text, { options: { force: true, fieldManager: 'team' } })).toMatchObject({ ok: true });
    expect(asked).toEqual([
      [false, 'slipway'],
      [true, 'team'],
      [true, 'team'],
    ]);
  });

  test('a field in conflict that stands in a list is told as a whole, with its place', async () => {
    const { kube } = cluster();
    const field = 'spec.ports[port=80,protocol="TCP"].targetPort';
    const message = `Service shop/front has fields that others manage: ${field} (conflict with "kubectl-edit" using v1)`;
    const managed: Kube = {
      ...kube,
      apply: () => Promise.resolve({ ok: false, problem: { code: 'objectConflict', message, retry: 'whenInputChanges', exitCode: 1 } }),
    };
    const text =
      'apiVersion: v1\nkind: Service\nmetadata: {name: front}\nspec:\n  ports:\n    - port: 81\n    - port: 80\n      targetPort: 8080\n';
    expect(await shop(managed, text)).toMatchObject({
      ok: false,
      problem: { message: `service/front: ${field} is managed by kubectl-edit`, location: { line: 8, column: 7 } },
    });
  });

  describe('under another name than before', () => {
    const settings = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: ${data}\n`;
    const as = (fingerprint: string, fieldManager?: string) => ({
      ...{ fingerprint, at: Number(fingerprint.slice(1)) },
      ...(fieldManager !== undefined && { options: { fieldManager } }),
    });
    const live = ({ fake }: Cluster) => {
      const [object] = fake.all('ConfigMap');
      const { managedFields = [] } = object?.metadata as { readonly managedFields?: readonly { readonly manager: string }[] };
      return { data: object?.['data'], managers: managedFields.map(({ manager }) => manager) };
    };
    const byPerson = (kube: Kube, data: object) =>
      kube.apply(
        { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings', namespace: 'shop' }, data },
        { force: true, fieldManager: 'person' },
      );

    test('what was ours is taken over: it is no conflict, what the manifest has no more goes, and nothing is left of the earlier name', async () => {
      const its = cluster();
      await shop(its.kube, settings('{A: one, B: gone}'), as('f1'));
      expect(await shop(its.kube, settings('{A: two}'), as('f2', 'team'))).toMatchObject({ value: { changed: ['configmap/settings'] } });
      expect(live(its)).toEqual({ data: { A: 'two' }, managers: ['team'] });
      // And back again.
      expect(await shop(its.kube, settings('{A: three}'), as('f3'))).toMatchObject({ ok: true });
      expect(live(its)).toEqual({ data: { A: 'three' }, managers: ['slipway'] });
    });

    test('a field that somebody else has taken since is still in conflict, and nothing is changed', async () => {
      const its = cluster();
      await shop(its.kube, settings('{A: one, B: two}'), as('f1'));
      await byPerson(its.kube, { A: 'mine' });
      its.writes.length = 0;
      expect(await shop(its.kube, settings('{A: other, B: three}'), as('f2', 'team'))).toMatchObject({
        ok: false,
        problem: { code: 'objectConflict', message: 'configmap/settings: data.A is managed by person' },
      });
      expect(its.writes).toEqual([]);
      expect(live(its)).toEqual({ data: { A: 'mine', B: 'two' }, managers: ['person', 'slipway'] });
    });

    test('one that was cut short in the middle is taken up again', async () => {
      const its = cluster();
      await shop(its.kube, settings('{A: one, B: gone}'), as('f1'));
      let left = 2;
      const cut: Kube = {
        ...its.kube,
        apply: (object, options) =>
          options?.dryRun === true || left-- > 0
            ? its.kube.apply(object, options)
            : Promise.resolve({ ok: false, problem: { code: 'clusterUnreachable', message: '', retry: 'afterDelay', exitCode: 3 } }),
      };
      expect(await shop(cut, settings('{A: two, C: two}'), as('f2', 'team'))).toMatchObject({ ok: false });
      expect(live(its).managers).toEqual(['slipway', 'team']);
      expect(await shop(its.kube, settings('{A: three}'), as('f3', 'team'))).toMatchObject({ ok: true });
      expect(live(its)).toEqual({ data: { A: 'three' }, managers: ['team'] });
    });

    test('what others have made is taken from nobody', async () => {
      const its = cluster();
      await byPerson(its.kube, { A: 'mine' });
      expect(await shop(its.kube, settings('{A: ours}'), as('f1', 'team'))).toMatchObject({ problem: { code: 'objectConflict' } });
    });
  });

  test('what cannot be changed in place is made anew when that is asked for, but no claim', async () => {
    const { kube, writes, refusals } = cluster();
    const claim = 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n';
    await shop(kube, `${deployment}---\n${claim}`);
    refusals.set('Deployment worker', 'spec.selector: Invalid value: {}: field is immutable');
    expect(await shop(kube, deployment, { fingerprint: 'f2' })).toMatchObject({
      problem: { hint: expect.stringMatching(/let it be made anew \(--force\), or: kubectl delete deployment\/worker/) as string },
    });
    refusals.set('PersistentVolumeClaim data', 'spec.storageClassName: Invalid value: "x": field is immutable');
    expect(await shop(kube, claim, { fingerprint: 'f2', options: { force: true } })).toMatchObject({
      problem: { hint: expect.stringMatching(/take the change back, or: kubectl delete persistentvolumeclaim\/data/) as string },
    });
    writes.length = 0;
    refusals.set('Deployment worker', 'spec.selector: Invalid value: {}: field is immutable');
    void shop(kube, deployment, { fingerprint: 'f2', options: { force: true } });
    await new Promise((resolve) => setImmediate(resolve));
    expect(writes[0]).toBe('delete Deployment worker');
  });

  test('a field that cannot be changed in place is named as the manifest has it', async () => {
    const { kube, refusals } = cluster();
    const set = (more: string) => `apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: set}\nspec:\n  replicas: 1\n${more}`;
    const service = (more: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: set}\nspec:\n  ports: [{port: 80}]\n${more}`;
    await shop(kube, `${set('  serviceName: one\n')}---\n${service('')}`);
    refusals.set(
      'StatefulSet set',
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'template' and 'minReadySeconds' are forbidden",
    );
    refusals.set('Service set', 'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set');
    const text = `${set('  serviceName: two\n  volumeClaimTemplates: []\n')}---\n${service('  clusterIP: None\n')}`;
    const answer = await shop(kube, text, { fingerprint: 'f2' });
    expect(answer.ok ? [] : answer.problem.detail?.split('\n').map((line) => line.replace(/ \(.*/, ''))).toEqual([
      'k8s/all.yaml:6:3: statefulset/set: spec.serviceName is not valid: field is immutable',
      'k8s/all.yaml:7:3: statefulset/set: spec.volumeClaimTemplates is not valid: field is immutable',
      'k8s/all.yaml:14:3: service/set: spec.clusterIP is not valid: may not change once set',
    ]);
  });

  test('a namespace is made when that is asked for, after everything was tried elsewhere, and stays', async () => {
    const { kube, fake, writes, refusals, names } = cluster([]);
    expect(await shop(kube, deployment)).toMatchObject({ problem: { code: 'namespaceNotFound' } });
    const tried: string[] = [];
    const watched: Kube = {
      ...kube,
      apply: (object, options) => {
        if (options?.dryRun === true && object.kind === 'Deployment') {
          tried.push(object.metadata.namespace ?? '');
          if (refusals.size > 0) return Promise.resolve({ ok: false, problem: typo });
        }
        return kube.apply(object, options);
      },
    };
    const typo: Problem = {
      code: 'objectInvalid',
      message: 'Deployment default/x is not valid: spec.template: Required value',
      retry: 'whenInputChanges',
      exitCode: 1,
    };
    refusals.set('any', '');
    expect(await shop(watched, deployment, { options: { createNamespace: true } })).toMatchObject({
      problem: { code: 'manifestInvalid', location: { line: 5 } },
    });
    expect([writes, tried]).toEqual([[], ['default']]);
    refusals.clear();
    expect(await shop(watched, deployment, { options: { createNamespace: true } })).toMatchObject({ ok: true });
    expect(writes).toEqual(['apply Namespace shop', 'apply Deployment worker']);
    await remove({ kube, owner, namespaces: ['shop'], kinds: [{ apiVersion: 'v1', kind: 'Namespace' }], patienceMs: 1 });
    expect([names('Namespace'), fake.all('Deployment')]).toEqual([['default', 'shop'], []]);
  });

  test('a namespace that was there before does not become ours', async () => {
    const { kube, names } = cluster();
    await shop(kube, `apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n${config}`);
    await remove({ kube, owner, namespaces: ['shop'], kinds: [{ apiVersion: 'v1', kind: 'Namespace' }], patienceMs: 1 });
    expect(names('Namespace')).toContain('shop');
    expect(names('ConfigMap')).toEqual([]);
  });
});

describe('remove', () => {
  test('deletes what the release owns and nothing else, and waits for its pods', async () => {
    const { kube, fake, names } = cluster();
    await shop(kube, `${config}---\n${deployment}`);
    await shop(kube, config.replace('settings', 'others'), { release: 'other' });
    fake.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foreign', namespace: 'shop' } });
    const uid = fake.all('Deployment')[0]?.metadata.uid ?? '';
    const labels = { 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop' };
    fake.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'worker-1',
        namespace: 'shop',
        labels,
        ownerReferences: [{ kind: 'Deployment', name: 'worker', uid, controller: true }],
      },
    });
    expect(await remove({ kube, owner, namespaces: ['shop'] })).toEqual({
      ok: true,
      value: { objects: ['deployment/worker', 'configmap/settings'], remaining: [] },
    });
    expect(names('ConfigMap')).toEqual(['others', 'foreign']);
    expect(names('Pod')).toEqual([]);
  });

  test('a StatefulSet that takes its claims with it lets go of them first, when they are to stay', async () => {
    const { kube, fake, writes } = cluster();
    const set =
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}}\n';
    await shop(kube, set);
    const [{ uid = '' } = {}] = fake.all('StatefulSet').map(({ metadata }) => metadata);
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data-db-0', namespace: 'shop' } };
    const ownerReferences = [{ kind: 'StatefulSet', name: 'db', uid }];
    fake.put({ ...claim, metadata: { ...claim.metadata, ownerReferences } });
    const told: unknown[] = [];
    const controlled: Kube = {
      ...kube,
      apply(object, options) {
        told.push(object['spec'], options);
        // As its controller does, in its own time.
        setImmediate(() => fake.put(claim));
        return kube.apply({ ...object, metadata: { ...fake.all('StatefulSet')[0]?.metadata, ...object.metadata } }, options);
      },
    };
    writes.length = 0;
    expect(await remove({ kube: controlled, owner, namespaces: ['shop'], keepVolumes: true })).toMatchObject({ ok: true });
    expect(told).toEqual([
      { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain' } },
      { force: true, fieldManager: 'slipway-keep-volumes' },
    ]);
    expect(writes).toEqual(['apply StatefulSet db', 'delete StatefulSet db']);
  });

  test('names the pods that stay', async () => {
    const { kube, fake } = cluster();
    const labels = { 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop' };
    fake.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name: 'stuck',
        namespace: 'shop',
        labels,
        ownerReferences: [{ kind: 'ReplicaSet', name: 'gone', uid: 'u', controller: true }],
      },
      spec: { terminationGracePeriodSeconds: -5 },
    });
    expect(await remove({ kube, owner, namespaces: ['shop'], patienceMs: 0 })).toMatchObject({
      ok: true,
      value: { remaining: ['pod/stuck'] },
    });
  });
});
