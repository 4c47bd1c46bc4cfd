import { randomInt } from 'node:crypto';
import type { KubeObject } from '../clients';
import type { Event } from '../model';
import { faultsOf, healthyManifest, isAbout, unreadyManifest, type Fault } from './faults';
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
          resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] }],
        },
        validations: [{ expression: "object.metadata.name != 'policy'", message: 'nobody deploys what is called policy' }],
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

  /** A registry that wants a login, on a port of the node. */
  const makeGate = async (): Promise<void> => {
    const answer = 'HTTP/1.1 401 Unauthorized\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n';
    const command = ['sh', '-c', `while true; do printf '${answer}' | nc -l -p ${gate} >/dev/null; done`];
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
    faults.push(...faultsOf({ registry: await localRegistry(shop.kube), gate }));
    for (const { name, manifest } of faults) add(name, manifest);
    add('unready', unreadyManifest, 'version: 1\nrollout: {deadline: 6}\n');
    add('healthy', healthyManifest);
    add('patient', healthyManifest.replaceAll('healthy', 'patient'), 'version: 1\nrollout: {tolerateFailuresUntilDeadline: true}\n');
    shop.edit('faults/patient/k8s/patient.yaml', 'resources:', 'envFrom: [{configMapRef: {name: late}}]\n          resources:');
    await Promise.all([makePolicy(), makeGate()]);
    for (const kind of ['Pod', 'Event', 'ReplicaSet']) {
      const ref = { apiVersion: kind === 'ReplicaSet' ? 'apps/v1' : 'v1', kind };
      const watch = shop.kube.watch(
        ref,
        { namespace: shop.namespace },
        { onList: (objects) => objects.forEach(note), onChange: (_change, object) => note(object), onTrouble: () => undefined },
      );
      watches.push(watch);
    }
    dev = shop.dev(...faults.map(({ name }) => name), 'unready', '--no-logs', '--no-forward');
  });
  afterAll(async () => {
    for (const watch of watches) watch.stop();
    for (const kind of policyKinds) await shop.kube.delete({ ...kind, name: policyName() });
    await shop.close();
  });

  it('each reason is told by its code, with the line to mend, soon after the cluster shows it', async () => {
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
      expect({ name, late: (event as Timed<'failed'>).at - since > promptMs }).toEqual({ name, late: false });
    }
  });

  it('a crash is told with the last lines of its log', async () => {
    const { problem } = await dev.until('failed', ({ subject }) => subject === 'crash');
    expect(problem.detail).toBe('no database here');
  });

  it('a pod that runs and is not ready is told with what its probe answers, and has not failed', async () => {
    // The very first probe may find the connection closed in its face.
    const answered = /container main runs and is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500/;
    await dev.until('rollout', ({ release, code, message }) => release === 'unready' && code === 'probeFailed' && answered.test(message));
    expect(dev.since(0, 'failed').filter(({ subject }) => subject === 'unready')).toEqual([]);
  });

  it('an edit of the line that was named mends the loop', async () => {
    const mark = dev.mark();
    shop.edit('faults/memory/k8s/memory.yaml', 'memory: 16Mi', 'memory: 128Mi');
    shop.edit('faults/memory/k8s/memory.yaml', 'tail /dev/zero', 'sleep 3600');
    await dev.until('rollout', ({ release, state }) => release === 'memory' && state === 'ready', mark);
    expect(await dev.interrupt()).toBe(0);
  });

  it('deploy ends by a failure at once, when the others have rolled out; by a probe at the deadline; and not at all while it tolerates', async () => {
    const deployed = shop.slipway(['deploy', 'config', 'healthy', 'unready', 'patient', '--json', ...shop.where], { exitCode: 1 });
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
      'unready failed',
    ]);
    expect(problems.map(({ code }) => code).sort()).toEqual(['configMissing', 'probeFailed']);
    expect(problems.find(({ code }) => code === 'probeFailed')?.message).toMatch(/^not rolled out within 6 s: .*Readiness probe failed/);
    await shop.slipway(['delete', 'config', 'healthy', 'unready', 'patient', ...shop.where]);
  });
});
