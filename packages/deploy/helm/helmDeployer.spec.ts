import { readFileSync } from 'node:fs';
import type { KubeObject } from '../../clients';
import type { HelmSource } from '../../model';
import { helmSource } from '../../testkit/helmSource';
import { fakeProcesses, type FakeProgramOfMachine } from '../../testkit/fakeProcesses';
import type { DeployContext } from '../deployer';
import { helmDeployer } from './helmDeployer';

const source: HelmSource = { ...helmSource, inputs: ['apps/api/chart'] };
const cluster = {
  context: 'kind-x',
  cluster: 'kind-x',
  namespace: 'default',
  server: 'https://127.0.0.1:6443',
  files: ['/home/me/.kube/config'],
};
const images = {
  api: { ref: 'localhost:5000/shop/api:abc', inputsHash: 'in1' },
  web: { ref: 'localhost:5000/shop/web:abc', inputsHash: 'in1' },
};

type Program = (args: readonly string[]) => ReturnType<FakeProgramOfMachine>;

/** A machine with helm 3 and nothing installed, unless a test says otherwise. */
function machine(program: Program = () => undefined) {
  return fakeProcesses(({ command, args }) => {
    if (command !== 'helm') return undefined;
    const answer = program(args);
    if (answer) return answer;
    if (args[0] === 'status') return { exitCode: 1, stderr: 'Error: release: not found' };
    if (args[0] === 'version') return { stdout: 'v3.22.0' };
    return { stdout: args.includes('--dry-run=server') ? '{"manifest": ""}' : '' };
  });
}

function contextOf(processes: DeployContext['processes'], more: Partial<DeployContext> = {}): DeployContext {
  return {
    root: '/work',
    processes,
    signal: new AbortController().signal,
    inputs: [],
    namespace: 'shop',
    chartFingerprints: { api: 'chart1' },
    images,
    imageNames: { api: 'shop/api', web: 'shop/web' },
    ownImage: 'shop/api',
    cluster,
    ...more,
  };
}

/** The words of every helm that was run, without those that every one has. */
const commands = ({ runs }: ReturnType<typeof machine>) =>
  runs.map(({ args }) => args.join(' ').replace(' --kube-context kind-x --kube-apiserver https://127.0.0.1:6443', ''));

const begin = 'upgrade api --install ./apps/api/chart --namespace shop --reset-values';

test.each<[string, Partial<HelmSource>, string]>([
  ['chartPath', {}, `${begin} --values -`],
  ['name', { name: 'other' }, 'upgrade other --install ./apps/api/chart --namespace shop --reset-values --values -'],
  [
    'chart of a repository, and its version',
    { chart: { kind: 'remote', name: 'redis', repo: 'https://charts.example.org' }, version: '1.2.3' },
    'upgrade api --install redis --repo https://charts.example.org --version 1.2.3 --namespace shop --reset-values --values -',
  ],
  [
    'chart of a registry',
    { chart: { kind: 'remote', name: 'oci://registry.example/redis', plainHttp: true } },
    'upgrade api --install oci://registry.example/redis --plain-http --namespace shop --reset-values --values -',
  ],
  [
    'namespace and createNamespace',
    { namespace: 'charts', createNamespace: true },
    'upgrade api --install ./apps/api/chart --namespace charts --create-namespace --reset-values --values -',
  ],
  ['wait and timeout', { wait: true, timeoutMs: 120_000 }, `${begin} --wait --timeout 120000ms --values -`],
  ['valuesFiles', { valuesFiles: ['a.yaml', 'b.yaml'] }, `${begin} --values a.yaml --values b.yaml --values -`],
  [
    'setValues, as they are',
    { setValues: { 'a.b': 'x,y', c: 2, d: true } },
    `${begin} --values - --set-json a.b="x,y" --set-json c=2 --set-json d=true`,
  ],
  ['setValueTemplates', { setValueTemplates: { tag: '${IMAGE_TAG}' } }, `${begin} --values - --set-json tag="abc"`],
  ['setFiles', { setFiles: { conf: 'apps/api/app.conf' } }, `${begin} --values - --set-file conf=apps/api/app.conf`],
  ['images by fqn', { images: { image: 'shop/api' } }, `${begin} --values - --set-json image="localhost:5000/shop/api:abc"`],
  [
    'images by repository and tag',
    { images: { image: 'shop/api' }, imageStrategy: 'repository+tag' },
    `${begin} --values - --set-json image.repository="localhost:5000/shop/api" --set-json image.tag="abc"`,
  ],
  [
    'images with the registry by itself',
    { images: { image: 'shop/api' }, imageStrategy: 'registry+repository+tag' },
    `${begin} --values - --set-json image.registry="localhost:5000" --set-json image.repository="shop/api" --set-json image.tag="abc"`,
  ],
])('helm is told what slipway.yaml says: %s', async (_, more, wanted) => {
  const helm = machine();
  expect(await helmDeployer.manifests({ ...source, ...more }, contextOf(helm))).toMatchObject({ ok: true });
  expect(commands(helm).slice(1)).toEqual([`${wanted} --dry-run=server --output json`]);
  // What was tried is what is installed.
  const installing = machine();
  expect(await helmDeployer.install?.({ ...source, ...more }, [], contextOf(installing))).toMatchObject({ ok: true });
  expect(commands(installing).at(-1)).toMatch(wanted);
  expect(commands(installing).at(-1)?.slice(wanted.length)).toMatch(/^ --post-renderer \S+node( --post-renderer-args=\S+){2}$/);
});

it('helm gets nested values on its standard input, and the cluster that was judged, whatever the kubeconfig of the user says by then', async () => {
  const helm = machine();
  await helmDeployer.manifests({ ...source, values: { ingress: { hosts: ['x'] } } }, contextOf(helm));
  const upgrade = helm.runs[1];
  expect(upgrade?.input).toBe('ingress:\n  hosts:\n    - x\n');
  expect(upgrade?.args.join(' ')).toContain('--kube-context kind-x --kube-apiserver https://127.0.0.1:6443');
  expect(upgrade?.env).toMatchObject({ KUBECONFIG: '/home/me/.kube/config' });
});

it('without a cluster helm only makes the manifests, and no hooks, of which tests are some', async () => {
  const helm = machine();
  await helmDeployer.manifests(source, contextOf(helm, { cluster: undefined }));
  expect(commands(helm)).toEqual(['template api ./apps/api/chart --namespace shop --no-hooks --values -']);
});

it('charts that a chart names are put into it first', async () => {
  const helm = machine();
  const chart = { kind: 'local', path: 'apps/api/chart', hasDependencies: true } as const;
  await helmDeployer.manifests({ ...source, chart }, contextOf(helm));
  expect(commands(helm)[1]).toBe('dependency build ./apps/api/chart --skip-refresh');
});

describe('what helm has installed', () => {
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'a', annotations: { 'slipway.dev/images': JSON.stringify({ api: images.api }) } },
  };

  interface Case {
    readonly source?: Partial<HelmSource>;
    readonly context?: Partial<DeployContext>;
    /** What helm says of it. */
    readonly found?: (manifest: string) => object;
  }

  /** Whether it is what is wanted now, so that nothing is made anew. */
  const isKept = async ({
    source: more,
    context,
    found = (manifest) => ({ info: { status: 'deployed' }, manifest }),
  }: Case): Promise<boolean> => {
    const withImage = { ...source, images: { image: 'shop/api' } };
    let installed: readonly unknown[] = [];
    const installing = machine();
    const remembering = {
      ...installing,
      async run(request: Parameters<typeof installing.run>[0]) {
        const file = request.args.find((arg) => arg.endsWith('objects.json'))?.replace('--post-renderer-args=', '');
        if (file !== undefined) installed = JSON.parse(readFileSync(file, 'utf8')) as readonly unknown[];
        return installing.run(request);
      },
    };
    await helmDeployer.install?.(withImage, [object], contextOf(remembering));
    const manifest = installed.map((each) => `---\n${JSON.stringify(each)}\n`).join('');
    const helm = machine((args) => (args[0] === 'status' ? { stdout: JSON.stringify(found(manifest)) } : undefined));
    const answer = await helmDeployer.manifests({ ...withImage, ...more }, contextOf(helm, context));
    if (!answer.ok) throw new Error(answer.problem.message);
    return answer.value.some((each) => each.installed);
  };

  const changed = { ref: 'localhost:5000/shop/x:def', inputsHash: 'in2' };
  const byOthers = (annotations: object) => () => ({
    info: { status: 'deployed' },
    manifest: JSON.stringify({ ...object, metadata: { name: 'a', annotations } }),
  });

  it.each<[string, Case]>([
    ['nothing has changed', {}],
    ['an image that the chart knows nothing of has changed', { context: { images: { ...images, web: changed } } }],
  ])('stays as it is when %s', async (_, given) => expect(await isKept(given)).toBe(true));

  it.each<[string, Case]>([
    ['a file of its chart has changed', { context: { chartFingerprints: { api: 'chart2' } } }],
    ['an image in its values has changed', { context: { images: { ...images, api: changed } } }],
    ['an image has changed under the same tag', { context: { images: { ...images, api: { ...images.api, inputsHash: 'in2' } } } }],
    ['the variables in a template have changed', { source: { setValueTemplates: { who: 'me' } } }],
    ['its last installation failed', { found: (manifest) => ({ info: { status: 'failed' }, manifest }) }],
    ['somebody else installed it', { found: byOthers({}) }],
    ['what it says of its images cannot be read', { found: byOthers({ 'slipway.dev/images': '{' }) }],
  ])('is made anew when %s', async (_, given) => expect(await isKept(given)).toBe(false));
});

test('a hook of a chart that fails is told by its job, with the way to its log', async () => {
  const stderr =
    'Error: UPGRADE FAILED: post-upgrade hooks failed: 1 error occurred:\n\t* job api-migrate failed: BackoffLimitExceeded\n\n\n';
  const processes = machine((args) => (args[0] === 'upgrade' ? { exitCode: 1, stderr } : undefined));
  expect(await helmDeployer.install?.(source, [], contextOf(processes))).toMatchObject({
    problem: {
      code: 'helmFailed',
      message: 'helm release api: UPGRADE FAILED: post-upgrade hooks failed: job api-migrate failed: BackoffLimitExceeded',
      hint: 'mend what it says: kubectl logs job/api-migrate --namespace shop',
    },
  });
});
