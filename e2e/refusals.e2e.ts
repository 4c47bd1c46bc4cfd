import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { valueOf } from './localRegistry';
import type { Env } from './runCommand';
import { Shop } from './shop';
import { until } from './until';

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly location?: { readonly file: string; readonly line?: number };
}

const configMap = (name: string, more = ''): string => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${more}`;

/** A project each, and what is told of it. */
const refused: readonly { readonly name: string; readonly code: string; readonly files: Readonly<Record<string, string>> }[] = [
  { name: 'field', code: 'manifestInvalid', files: { 'k8s/all.yaml': configMap('field', 'dada: {A: b}\n') } },
  { name: 'large', code: 'objectInvalid', files: { 'k8s/all.yaml': configMap('large', `data:\n  A: ${'a'.repeat(1_100_000)}\n`) } },
  { name: 'kind', code: 'kindUnknown', files: { 'k8s/all.yaml': 'apiVersion: nobody.test/v1\nkind: Thing\nmetadata: {name: one}\n' } },
  // That it goes is waited for, for a minute.
  ...(process.env['SLIPWAY_FULL'] === undefined
    ? []
    : [{ name: 'held', code: 'stillTerminating', files: { 'k8s/all.yaml': configMap('held', 'data: {A: c}\n') } }]),
  { name: 'others', code: 'objectConflict', files: { 'k8s/all.yaml': configMap('others', 'data: {A: ours}\n') } },
  { name: 'webhook', code: 'clusterFailed', files: { 'k8s/all.yaml': configMap('webhook', '  labels: {asks: nobody}\n') } },
  { name: 'overlay', code: 'kustomizeFailed', files: { 'k8s/kustomization.yaml': 'nonsense: true\n' } },
  {
    name: 'nowhere',
    code: 'namespaceNotFound',
    files: { 'k8s/all.yaml': configMap('nowhere', '  namespace: slipway-e2e-nowhere\n') },
  },
];

describe('what a deploy is refused for', () => {
  const shop = new Shop();
  const held = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: shop.namespace } };
  const webhook = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' };

  /** What is deleted stays as long as it has a finalizer. */
  const holdBack = (finalizers: readonly string[]) => {
    const metadata = { ...held.metadata, finalizers };
    return shop.kube.apply({ ...held, metadata }, { fieldManager: 'others' });
  };

  /** The problems that a command tells, by what they are about. */
  const problemsOf = async (args: readonly string[], exitCode: number, env: Env = {}): Promise<readonly Told[]> => {
    const { stdout } = await shop.slipway([...args, '--json'], { exitCode, env });
    return (JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { readonly problems: readonly Told[] }).problems;
  };

  beforeAll(async () => {
    await shop.open();
    for (const { name, files } of refused) {
      shop.write(`infra/${name}/project.json`, JSON.stringify({ name }));
      for (const [path, text] of Object.entries(files)) shop.write(`infra/${name}/${path}`, text);
    }
    valueOf(await holdBack(['slipway.test/held']));
    valueOf(await shop.kube.delete({ ...held, ...held.metadata }));
    const others = { ...held, metadata: { ...held.metadata, name: 'others' }, data: { A: 'theirs' } };
    valueOf(await shop.kube.apply(others, { fieldManager: 'others' }));
    // Of this namespace, and of what says so itself.
    const hook = {
      name: 'nobody.slipway.test',
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': shop.namespace } },
      objectSelector: { matchLabels: { asks: 'nobody' } },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    };
    valueOf(await shop.kube.apply({ ...webhook, metadata: { name: shop.namespace }, webhooks: [hook] }));
  });
  afterAll(async () => {
    await shop.kube.delete({ ...webhook, name: shop.namespace });
    await holdBack([]);
    await shop.close();
  });

  it('all of it is told at once, each by its code and place, and nothing of it is applied', async () => {
    const projects = refused.map(({ name }) => name);
    // The API server takes a moment until it asks a new webhook.
    const problems = await until('the webhook is asked', async () => {
      const told = await problemsOf(['deploy', ...projects, ...shop.where], 2);
      if (told.some(({ code }) => code === 'clusterFailed')) return told;
      await shop.kube.delete({ ...held, ...held.metadata, name: 'webhook' });
      return undefined;
    });
    for (const { name, code } of refused) {
      const told = problems.filter((each) => each.code === code);
      expect({ name, told, problems }).toMatchObject({ name, told: [{ hint: expect.any(String) as string }] });
      expect(`${told[0]?.message ?? ''} ${told[0]?.location?.file ?? ''}`).toContain(name);
    }
    expect(problems.find(({ code }) => code === 'manifestInvalid')?.location).toMatchObject({ file: 'infra/field/k8s/all.yaml', line: 5 });
    expect(problems).toHaveLength(refused.length);
    expect(await shop.objects()).toEqual(['ConfigMap/held', 'ConfigMap/others']);
  });

  it('what is wrong on the way to a cluster is told by its code, and nothing is asked for there', async () => {
    const real = shop.kube.target;
    const write = (name: string, user: object, server = real.server): string => {
      const cluster = { server, 'insecure-skip-tls-verify': true };
      const config = {
        'current-context': real.context,
        contexts: [{ name: real.context, context: { cluster: 'x', user: 'x' } }],
        clusters: [{ name: 'x', cluster }],
        users: [{ name: 'x', user }],
      };
      shop.write(name, JSON.stringify(config));
      return shop.path(name);
    };
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', 'echo no way >&2; exit 1'] };
    shop.write('broken', 'contexts: [{\n');
    shop.write('state/slipway/contexts.json', 'not JSON');
    const ways: readonly { readonly code: string; readonly args: readonly string[]; readonly env?: Env; readonly exitCode: number }[] = [
      { code: 'kubeconfigNotFound', args: ['--kubeconfig=nowhere'], exitCode: 3 },
      { code: 'kubeconfigInvalid', args: ['--kubeconfig=broken'], exitCode: 2 },
      { code: 'contextNotFound', args: ['--context=nowhere'], exitCode: 2 },
      { code: 'credentialsFailed', args: [`--kubeconfig=${write('plugin', { exec })}`], exitCode: 3 },
      { code: 'clusterRefused', args: [`--kubeconfig=${write('stranger', { token: 'of nobody' })}`], exitCode: 3 },
      { code: 'clusterUnreachable', args: [`--kubeconfig=${write('away', {}, 'https://127.0.0.1:1')}`], exitCode: 3 },
      { code: 'contextMemoryUnreadable', args: [], env: { XDG_STATE_HOME: shop.path('state') }, exitCode: 2 },
    ];
    for (const { code, args, env, exitCode } of ways) {
      const problems = await problemsOf(['deploy', 'field', `--namespace=${shop.namespace}`, ...args], exitCode, env);
      expect({ code, problems }).toMatchObject({ code, problems: [{ code, hint: expect.any(String) as string }] });
    }
  });

  it('a tool that is missing is named', async () => {
    // Of all programs it has node alone.
    const PATH = shop.path('programs');
    mkdirSync(PATH);
    symlinkSync(process.execPath, join(PATH, 'node'));
    const [missing, ...more] = await problemsOf(['deploy', 'overlay', ...shop.where], 2, { PATH });
    expect(missing).toMatchObject({ code: 'kustomizeMissing', hint: expect.stringContaining('kubectl') as string });
    expect(more).toEqual([]);
  });
});
