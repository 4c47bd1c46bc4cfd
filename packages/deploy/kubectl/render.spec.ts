import { render, unusedArtifacts, type RenderRequest } from './render';

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: worker
  labels: {team: a}
spec:
  template:
    metadata:
      labels: {app: worker}
    spec:
      initContainers:
        - {name: migrate, image: 'shop/worker:v1'}
        - {name: proxy, image: shop/proxy, restartPolicy: Always}
      containers:
        - name: worker
          image: shop/worker
          envFrom: [{configMapRef: {name: settings}}]
        - {name: other, image: 'docker.io/library/nginx:1'}
      volumes:
        - {name: v, configMap: {name: elsewhere, defaultMode: 0644}}
`;
const config = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: "${value}"}\n`;

function request(texts: readonly string[], more: Partial<RenderRequest> = {}): RenderRequest {
  return {
    release: { name: 'shop' },
    manifests: texts.map((text, index) => ({ path: `k8s/${index}.yaml`, text })),
    images: {
      worker: { ref: 'localhost:5000/shop/worker:abc@sha256:1', inputsHash: 'in1' },
      proxy: { ref: 'localhost:5000/shop/proxy:d@sha256:2', inputsHash: 'in2' },
    },
    imageNames: { worker: 'shop/worker', proxy: 'shop/proxy' },
    namespace: 'dev',
    workspaceId: 'ws1',
    fingerprint: 'f1',
    ...more,
  };
}

function rendered(texts: readonly string[], more: Partial<RenderRequest> = {}) {
  const result = render(request(texts, more));
  if (!result.ok) throw new Error(result.problem.message);
  return result.value.map(({ object }) => object);
}

interface Template {
  readonly metadata: { readonly annotations: Record<string, string>; readonly labels: Record<string, string> };
  readonly spec: { readonly containers: { image: string }[]; readonly initContainers: { image: string }[]; readonly volumes: unknown[] };
}
const templateOf = (object: unknown) => (object as { spec: { template: Template } }).spec.template;

describe('render', () => {
  test('replaces the image of a container that was added to a running pod to look into it', () => {
    const pod = `apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers: [{name: main, image: nginx}]
  ephemeralContainers: [{name: debug, image: 'shop/worker:v1', targetContainerName: main}]
`;
    const [object] = rendered([pod]);
    expect(object).toMatchObject({
      metadata: { annotations: { 'slipway.dev/images': expect.stringContaining('worker') as string } },
      spec: { containers: [{ image: 'nginx' }], ephemeralContainers: [{ image: 'localhost:5000/shop/worker:abc@sha256:1' }] },
    });
  });

  test('replaces references where the config says that a kind has them', () => {
    const rollout =
      'apiVersion: x.dev/v1\nkind: Rollout\nmetadata: {name: r}\nspec: {main: shop/worker, steps: [{image: shop/proxy}, {image: nginx}]}\n';
    const imageFields = [
      { kind: 'Rollout', path: 'spec.main' },
      { kind: 'Rollout', path: 'spec.steps[].image' },
      { kind: 'Other', path: 'spec.main' },
    ];
    const [object] = rendered([rollout], { release: { name: 'shop', apply: { imageFields } } });
    expect(object?.['spec']).toEqual({
      main: 'localhost:5000/shop/worker:abc@sha256:1',
      steps: [{ image: 'localhost:5000/shop/proxy:d@sha256:2' }, { image: 'nginx' }],
    });
    expect(Object.keys(JSON.parse(object?.metadata.annotations?.['slipway.dev/images'] ?? '') as object)).toEqual(['proxy', 'worker']);
  });

  test('lets a changed ConfigMap roll nothing where that is switched off', () => {
    const release = { name: 'shop', apply: { rollOnConfigChange: false } };
    const [before, after] = ['1', '2'].map((value) => rendered([deployment, config(value)], { release })[0]);
    expect(templateOf(before)).toEqual(templateOf(after));
    expect(templateOf(before).metadata.annotations).not.toHaveProperty(['slipway.dev/config-hash']);
  });

  test('replaces references in every container whatever tag they have, and leaves others alone', () => {
    const [object] = rendered([deployment]);
    expect(templateOf(object).spec.containers.map(({ image }) => image)).toEqual([
      'localhost:5000/shop/worker:abc@sha256:1',
      'docker.io/library/nginx:1',
    ]);
    expect(templateOf(object).spec.initContainers.map(({ image }) => image)).toEqual([
      'localhost:5000/shop/worker:abc@sha256:1',
      'localhost:5000/shop/proxy:d@sha256:2',
    ]);
  });

  test.each([
    ['shop/worker:v1@sha256:0', 'shop/worker:v1@sha256:0'],
    ['docker.io/shop/worker', 'localhost:5000/shop/worker:abc@sha256:1'],
    ['other/shop/worker:v1', 'other/shop/worker:v1'],
    ['worker', 'worker'],
    ['localhost:5000/shop/worker:abc', 'localhost:5000/shop/worker:abc@sha256:1'],
  ])('of images called as those of the workspace are, what names a digest means that one: %s', (image, wanted) => {
    const [object] = rendered([deployment.replace('image: shop/worker\n', `image: ${image}\n`)]);
    expect(templateOf(object).spec.containers[0]?.image).toBe(wanted);
  });

  test('knows which artifacts no object runs, though they are of its project or it could; what others run or stand on is none of them', () => {
    const result = render(request([deployment]));
    const objects = result.ok ? result.value : [];
    const artifact = (name: string, project: string, requires: readonly string[] = []) => [name, { name, project, requires }] as const;
    const made = [
      artifact('worker', 'shop', ['base']),
      artifact('base', 'shop'),
      artifact('tests', 'shop'),
      artifact('elsewhere', 'shop'),
      artifact('foreign', 'other'),
    ];
    const workspace = {
      artifacts: new Map(made),
      releases: new Map([['other', { artifacts: ['elsewhere'] }]]),
    } as unknown as Parameters<typeof unusedArtifacts>[2];
    expect(unusedArtifacts({ project: 'shop', artifacts: ['worker', 'proxy', 'web'] }, objects, workspace)).toEqual(['web', 'tests']);
  });

  test('leaves an object in the namespace that it names', () => {
    const [object] = rendered([config('1').replace('{name: settings}', '{name: settings, namespace: own}')]);
    expect(object?.metadata.namespace).toBe('own');
  });

  test('marks which container runs which artifact, but not init containers that end', () => {
    const [object] = rendered([deployment]);
    expect(JSON.parse(templateOf(object).metadata.annotations['slipway.dev/artifacts'] ?? '')).toEqual({
      proxy: { artifact: 'proxy', inputs: 'in2' },
      worker: { artifact: 'worker', inputs: 'in1' },
    });
  });

  test('fills in namespace, owner labels and what was applied', () => {
    const [object] = rendered([deployment]);
    expect(object?.metadata).toMatchObject({
      namespace: 'dev',
      labels: { team: 'a', 'app.kubernetes.io/managed-by': 'slipway', 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop' },
      annotations: { 'slipway.dev/fingerprint': 'f1' },
    });
    expect(JSON.parse(object?.metadata.annotations?.['slipway.dev/images'] ?? '')).toMatchObject({
      worker: { ref: 'localhost:5000/shop/worker:abc@sha256:1', inputsHash: 'in1' },
    });
    expect(templateOf(object).metadata.labels).toEqual({ app: 'worker', 'slipway.dev/workspace': 'ws1', 'slipway.dev/release': 'shop' });
  });

  test.each([
    ['another fingerprint', { fingerprint: 'f2' }, [deployment, config('1')]],
    [
      'another object of the release',
      {},
      [deployment, config('1'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: unread}\ndata: {A: "1"}'],
    ],
  ])('%s rolls no pod', (_name, more, texts) => {
    expect(templateOf(rendered(texts, more)[0])).toEqual(templateOf(rendered([deployment, config('1')])[0]));
  });

  test('a changed ConfigMap that the pod reads rolls the pod', () => {
    expect(templateOf(rendered([deployment, config('1')])[0])).not.toEqual(templateOf(rendered([deployment, config('2')])[0]));
  });

  test.each([
    ['env', 'containers: [{name: a, image: x, env: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]'],
    ['envFrom', 'containers: [{name: a, image: x, envFrom: [{secretRef: {name: s}}]}]'],
    ['a volume', 'volumes: [{name: v, secret: {secretName: s}}]'],
    ['a projected volume', 'volumes: [{name: v, projected: {sources: [{secret: {name: s}}]}}]'],
  ])('a Secret read through %s rolls the pod when it changes', (_name, spec) => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {${spec}}\n`;
    const secret = (value: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: ${value}}\n`;
    const hashes = ['a', 'b'].map((value) => rendered([pod, secret(value)])[0]?.metadata.annotations?.['slipway.dev/config-hash']);
    expect(hashes[0]).toBeDefined();
    expect(hashes[0]).not.toBe(hashes[1]);
  });

  test('reads YAML as Kubernetes does: octal modes, yes and no, but neither times nor base-60 numbers', () => {
    const text = 'apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec: {mode: 0644, on: yes, at: 2001-12-14, ports: 22:22}\n';
    expect(rendered([text])[0]?.['spec']).toEqual({ mode: 420, true: true, at: '2001-12-14', ports: '22:22' });
  });

  test('lists are flattened, empty documents skipped, cluster-wide kinds get no namespace', () => {
    const text = `---\n# nothing\n---\napiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Namespace, metadata: {name: a}}\n  - {apiVersion: v1, kind: Service, metadata: {name: b, namespace: own}}\n---\n`;
    expect(rendered([text]).map(({ kind, metadata }) => [kind, metadata.namespace])).toEqual([
      ['Namespace', undefined],
      ['Service', 'own'],
    ]);
  });

  test('a CronJob is marked in the template of its jobs', () => {
    const text =
      'apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: shop/worker}]}}}}}\n';
    const [object] = rendered([text]);
    expect(JSON.stringify(object?.['spec'])).toContain('localhost:5000/shop/worker:abc@sha256:1');
    expect(object).toMatchObject({ spec: { jobTemplate: { metadata: { labels: { 'slipway.dev/release': 'shop' } } } } });
  });

  test('a release name that is no label value becomes one', () => {
    const [object] = rendered([deployment], { release: { name: '@shop/worker' } });
    expect(object?.metadata.labels?.['slipway.dev/release']).toMatch(/^shop-worker-[0-9a-f]{10}$/);
  });

  test('every mistake is told at its place', () => {
    const result = render(
      request(['apiVersion: v1\nkind: [', 'kind: Service\nmetadata: {name: a}', 'apiVersion: v1\nkind: Service\nmetadata: {}', '- 1']),
    );
    expect(result).toMatchObject({
      ok: false,
      problem: { code: 'manifestInvalid', exitCode: 2, location: { file: 'k8s/0.yaml', line: 2 } },
    });
    const detail = result.ok ? '' : (result.problem.detail ?? '');
    expect(detail.split('\n')).toHaveLength(4);
    expect(detail).toContain('k8s/1.yaml:1:1: k8s/1.yaml has an object without apiVersion');
    expect(detail).toContain('k8s/2.yaml:1:1: a Service of k8s/2.yaml has a name missing');
  });

  test('a mistake in a Secret does not quote what it holds', () => {
    const result = render(request(['apiVersion: v1\nkind: Secret\nstringData:\n  key: "hunter2\n']));
    expect(result.ok).toBe(false);
    expect(JSON.stringify(result)).not.toContain('hunter2');
  });

  test('one name twice is a mistake', () => {
    expect(render(request([config('1'), config('2')]))).toMatchObject({
      ok: false,
      problem: { message: 'configmap/settings is there twice, first in k8s/0.yaml:1' },
    });
  });

  test.each([
    ['.spec.template.spec.containers[name="worker"].image', 16, 11],
    ['spec.template.spec.containers[0].envFrom[0]', 17, 21],
    ['spec.template.spec.containers[1]', 18, 11],
    ['spec.template.spec.containers[0].nothing.here', 15, 11],
    ['metadata.labels.team', 5, 12],
    ['metadata.labels[team]', 5, 12],
    ['nothing', 1, 1],
  ])('the place of %s', (path, line, column) => {
    const result = render(request([deployment]));
    expect(result.ok && result.value[0]?.locate(path)).toEqual({ file: 'k8s/0.yaml', line, column });
  });

  test('the place of a field of an item of a list', () => {
    const text =
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: a\n    labels:\n      app: x\n      app.kubernetes.io/name: 1\n';
    const result = render(request([text]));
    expect(result.ok && result.value[0]?.locate('.metadata.labels.app.kubernetes.io/name')).toEqual({
      file: 'k8s/0.yaml',
      line: 10,
      column: 7,
    });
  });
});
