import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../clients';
import type { Event } from '../model';
import { faultsOf, healthyManifest, isAbout, unready, type Fault } from './faults';
import { localRegistry, valueOf } from './localRegistry';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';
import { until } from './until';

/** What is shown later than this after its cause is late: 5 s, and more on a machine that does other things beside. */
const promptMs = process.env['SLIPWAY_FULL'] === undefined ? 20_000 : 5_000;

type Timed<Kind extends Event['kind']> = Extract<Event, { kind: Kind }> & { readonly at: number };

describe('why a deploy fails', () => {
  const shop = new Shop();
  const gate = randomInt(20_000, 30_000);
  const faults: Fault[] = [];
  /** When the cluster first showed the cause of a fault, by its name. */
  const shownAt = new Map<string, number>();
  const watches: { stop(): void }[] = [];
  let dev: RunningDev;

  const add = (name: string, manifest: string, config = ''): void => {
    shop.write(`faults/${name}/project.json`, JSON.stringify({ name }));
    shop.write(`faults/${name}/k8s/${name}.yaml`, manifest);
    if (config !== '') shop.write(`faults/${name}/slipway.yaml`, config);
  };

  const runtimeClass = {
    apiVersion: 'node.k8s.io/v1',
    kind: 'RuntimeClass',
    metadata: { name: shop.namespace },
    handler: 'nowhere',
  };
  const taintedNode = { apiVersion: 'v1', kind: 'Node', name: `tainted.${shop.namespace}` };
  /** A node as the others of the cluster, by which it is known. Nothing runs on it, as nobody is there; and nothing else is scheduled to it, for its taint. */
  const makeTaintedNode = async (): Promise<void> => {
    const { name, ...kind } = taintedNode;
    const [other] = valueOf(await shop.kube.list(kind));
    const { providerID = '' } = (other?.['spec'] ?? {}) as { readonly providerID?: string };
    const labels = { ...other?.metadata.labels, 'kubernetes.io/hostname': name };
    const spec = { providerID: `${providerID}-tainted`, taints: [{ key: 'dedicated', value: 'others', effect: 'NoSchedule' }] };
    valueOf(await shop.kube.apply({ ...kind, metadata: { name, labels }, spec }));
  };
  const policyName = (): string => `no-policy.${shop.namespace}`;
  const policyKinds = ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'].map((kind) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
  }));

  /** A policy for this namespace alone. */
  const makePolicy = async (): Promise<void> => {
    const specs = [
      {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        validations: [
          {
            expression: "object.kind != 'Deployment' || object.metadata.name != 'policy'",
            message: 'nobody deploys what is called policy',
          },
          {
            expression: "object.kind != 'Pod' || !has(object.metadata.labels) || !('refused' in object.metadata.labels)",
            message: 'no pod is labelled refused',
          },
        ],
      },
      {
        policyName: policyName(),
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': shop.namespace } } },
      },
    ];
    for (const [index, kind] of policyKinds.entries())
      valueOf(await shop.kube.apply({ ...kind, metadata: { name: policyName() }, spec: specs[index] }));
    const probe = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'policy', namespace: shop.namespace },
      spec: {
        selector: { matchLabels: { app: 'x' } },
        template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'x', image: 'x' }] } },
      },
    };
    await until('the policy holds', async () => ((await shop.kube.apply(probe, { dryRun: true })).ok ? undefined : true));
  };

  /** Registries on ports of the node: one that wants a login, and one that is none. */
  const makeGate = async (): Promise<void> => {
    const answering = (status: string, port: number) =>
      `while true; do printf 'HTTP/1.1 ${status}\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n' | nc -l -p ${port} >/dev/null; done`;
    const command = ['sh', '-c', `${answering('401 Unauthorized', gate)} & ${answering('418 I am a teapot', gate + 1)}`];
    const metadata = { name: 'gate', namespace: shop.namespace };
    const spec = {
      hostNetwork: true,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'gate', image: 'redis:7-alpine', command, resources: { requests: { memory: '4Mi' } } }],
    };
    valueOf(await shop.kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
    await until('the gate runs', async () => {
      const pod = valueOf(await shop.kube.get({ apiVersion: 'v1', kind: 'Pod', ...metadata }));
      return (pod?.['status'] as { readonly phase?: string } | undefined)?.phase === 'Running' ? true : undefined;
    });
  };

  const note = (object: KubeObject): void => {
    for (const fault of faults)
      if (!shownAt.has(fault.name) && isAbout(fault, object) && fault.shownBy?.(object) === true) shownAt.set(fault.name, Date.now());
  };

  beforeAll(async () => {
    await shop.open();
    faults.push(
      ...faultsOf({
        registry: await localRegistry(shop.kube),
        gate,
        runtimeClass: runtimeClass.metadata.name,
        taintedNode: taintedNode.name,
      }),
    );
    for (const { name, manifest } of faults) add(name, manifest);
    for (const { name, manifest } of unready) add(name, manifest, 'version: 1\nrollout: {deadline: 6}\n');
    add(
      'slow',
      healthyManifest.replaceAll('healthy', 'slow').replace('spec:\n', 'spec:\n  minReadySeconds: 3600\n  progressDeadlineSeconds: 7200\n'),
      'version: 1\nrollout: {deadline: 6}\n',
    );
    add('healthy', healthyManifest);
    add('patient', healthyManifest.replaceAll('healthy', 'patient'), 'version: 1\nrollout: {tolerateFailuresUntilDeadline: true}\n');
    shop.edit('faults/patient/k8s/patient.yaml', 'resources:', 'envFrom: [{configMapRef: {name: late}}]\n          resources:');
    await Promise.all([makePolicy(), makeGate(), shop.kube.apply(runtimeClass).then(valueOf), makeTaintedNode()]);
    for (const kind of ['Pod', 'Event', 'ReplicaSet']) {
      const ref = { apiVersion: kind === 'ReplicaSet' ? 'apps/v1' : 'v1', kind };
      const watch = shop.kube.watch(
        ref,
        { namespace: shop.namespace },
        { onList: (objects) => objects.forEach(note), onChange: (_change, object) => note(object), onTrouble: () => undefined },
      );
      watches.push(watch);
    }
    dev = shop.dev(...[...faults, ...unready].map(({ name }) => name), '--no-logs', '--no-forward');
  });
  afterAll(async () => {
    for (const watch of watches) watch.stop();
    for (const kind of policyKinds) await shop.kube.delete({ ...kind, name: policyName() });
    await shop.kube.delete({ ...runtimeClass, name: runtimeClass.metadata.name });
    await shop.kube.delete(taintedNode);
    await shop.close();
  });

  it('every code of images, containers and pods on the page is provoked', () => {
    const page = readFileSync(join(__dirname, '..', '..', 'packages', 'status', 'DIAGNOSES.md'), 'utf8');
    const told = page.slice(page.indexOf('## Images'), page.indexOf('## Manifests'));
    const codes = [...told.matchAll(/^\| `([a-zA-Z]+)`/gm)].map(([, code]) => code);
    // Below; and in applying.e2e.ts.
    const elsewhere = ['rolloutTimedOut', 'containerUnknown', 'rolloutFailed'];
    const provoked = [...faults, ...unready].map(({ code }) => code);
    expect([...new Set([...provoked.filter((code) => code !== 'manifestInvalid'), ...elsewhere])].sort()).toEqual(codes.sort());
  });

  it('each reason is told by its code, with the line to mend, soon after the cluster shows it', async () => {
    const late: string[] = [];
    for (const fault of faults) {
      const { name, code, message, line, manifest } = fault;
      const event = await dev.until('failed', ({ subject, code: told }) => subject === name && told === code);
      expect(event.message).toMatch(message);
      const lineNumber = manifest.split('\n').findIndex((text) => text.trim().startsWith(line)) + 1;
      expect({ name, ...event.problem.location }).toMatchObject({ name, file: `faults/${name}/k8s/${name}.yaml` });
      expect(manifest.split('\n')[(event.problem.location?.line ?? 0) - 1]).toBe(manifest.split('\n')[lineNumber - 1]);
      expect(event.hint).toBeDefined();
      if (!fault.shownBy) continue;
      const shown = await until(`the cluster shows ${name}`, () => shownAt.get(name));
      // Before its apply has ended nobody knows whether a pod is of it.
      const [applied] = dev.since(0, 'applied').filter(({ release }) => release === name);
      const since = Math.max(shown, (applied as Timed<'applied'> | undefined)?.at ?? 0);
      const afterMs = (event as Timed<'failed'>).at - since;
      if (afterMs > promptMs) late.push(`${name} after ${afterMs} ms`);
    }
    expect(late).toEqual([]);
  });

  it('a crash is told with the last lines of its log', async () => {
    const { problem } = await dev.until('failed', ({ subject }) => subject === 'crash');
    expect(problem.detail).toBe('no database here');
  });

  it('a pod that runs and is not ready is told with what it waits for, and has not failed', async () => {
    for (const { name, code, message } of unready)
      await dev.until('rollout', (event) => event.release === name && event.code === code && message.test(event.message));
    const names = new Set(unready.map(({ name }) => name));
    expect(dev.since(0, 'failed').filter(({ subject }) => names.has(subject))).toEqual([]);
  });

  it('an edit of the line that was named mends the loop', async () => {
    const mark = dev.mark();
    shop.edit('faults/memory/k8s/memory.yaml', 'memory: 16Mi', 'memory: 128Mi');
    shop.edit('faults/memory/k8s/memory.yaml', 'tail /dev/zero', 'sleep 3600');
    await dev.until('rollout', ({ release, state }) => release === 'memory' && state === 'ready', mark);
    expect(await dev.interrupt()).toBe(0);
  });

  const deployedOnes = ['config', 'healthy', 'unready', 'slow', 'patient'];

  it('deploy ends by a failure at once, when the others have rolled out; by a probe at the deadline; and not at all while it tolerates', async () => {
    const deployed = shop.slipway(['deploy', ...deployedOnes, '--json', ...shop.where], { exitCode: 1 });
    await until('the patient one is in trouble', async () => {
      const pods = valueOf(
        await shop.kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: shop.namespace, labelSelector: 'app=patient' }),
      );
      return JSON.stringify(pods).includes('CreateContainerConfigError') ? true : undefined;
    });
    valueOf(
      await shop.kube.apply({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'late', namespace: shop.namespace },
        data: { A: 'b' },
      }),
    );
    const lines = (await deployed).stdout.trimEnd().split('\n');
    const { document, problems } = JSON.parse(lines.at(-1) ?? '') as {
      readonly document: { readonly releases: readonly { readonly release: string; readonly state: string }[] };
      readonly problems: readonly { readonly code: string; readonly message: string }[];
    };
    expect(document.releases.map(({ release, state }) => `${release} ${state}`).sort()).toEqual([
      'config failed',
      'healthy ready',
      'patient ready',
      'slow failed',
      'unready failed',
    ]);
    expect(problems.map(({ code }) => code).sort()).toEqual(['configMissing', 'probeFailed', 'rolloutTimedOut']);
    expect(problems.find(({ code }) => code === 'probeFailed')?.message).toMatch(/^not rolled out within 6 s: .*Readiness probe failed/);
    const container = ['--selector=app=healthy', '--container=nobody', '--local-path=faults', '--remote-path=/tmp'];
    const { stderr } = await shop.slipway(['sync', '--once', ...container, ...shop.where], { exitCode: 2 });
    expect(stderr).toMatch(/has a container "nobody" \[containerUnknown\]\n.*there are: main/);
    await shop.slipway(['delete', ...deployedOnes, ...shop.where]);
  });
});
