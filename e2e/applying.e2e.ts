import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runCommand } from './runCommand';
import { valueOf } from './localRegistry';
import { objectsIn } from './objectsIn';
import { Shop } from './shop';
import { until } from './until';

const secret = (word: string) => `apiVersion: v1\nkind: Secret\nmetadata: {name: job}\nstringData: {WORD: ${word}}\n`;
const claim = `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: job}
spec:
  storageClassName: ''
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: job}
spec:
  replicas: 1
  selector: {matchLabels: {app: job}}
  template:
    metadata: {labels: {app: job}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: job
          image: redis:7-alpine
          command: [sleep, '3600']
          envFrom: [{secretRef: {name: job}}]
          env: [{name: TEAM, value: '\${TEAM:-nobody}'}]
`;

describe('what is applied', () => {
  const shop = new Shop();
  const otherNamespace = (): string => `${shop.namespace}-other`;
  const kubectl = (...args: readonly string[]) =>
    runCommand({ command: 'kubectl', args: [...args, '--namespace', shop.namespace], cwd: shop.root });
  const deploy = async (args: readonly string[] = [], exitCode = 0): Promise<string> => {
    const { stdout, stderr } = await shop.slipway(['deploy', 'job', ...shop.where, ...args], { exitCode, env: { TEAM: 'us' } });
    return `${stdout}${stderr}`;
  };

  beforeAll(async () => {
    await shop.open();
    shop.write('infra/job/project.json', '{"name": "job"}');
    shop.write('infra/job/slipway.yaml', 'version: 1\napply: {hydrate: [k8s/job.yaml]}\n');
    shop.write('infra/job/k8s/secret.yaml', secret('one'));
    shop.write('infra/job/k8s/job.yaml', deployment);
  });
  afterAll(async () => {
    await shop.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: otherNamespace() });
    await shop.close();
  });

  it('is nothing at all while a field is wrong anywhere, and nothing when nothing differs', async () => {
    const mend = shop.edit('infra/job/k8s/job.yaml', 'replicas: 1', 'replica: 1');
    expect(await deploy([], 2)).toMatch(/deployment\/job: spec\.replica is not a field that there is/);
    expect(await shop.objects()).toEqual([]);
    mend();
    expect(await deploy()).toMatch(/rolled out/);
    const versionOf = async () =>
      valueOf(await shop.kube.get({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'job', namespace: shop.namespace }))?.metadata
        .resourceVersion;
    const before = await versionOf();
    expect(await deploy()).toMatch(/nothing changed/);
    expect(await versionOf()).toBe(before);
  });

  it('rolls the pods that read a Secret when it changes, with the variables of the template filled in, unless that is switched off', async () => {
    const { pod: first } = await shop.onlyOne('job');
    expect(await shop.inside('job', first, ['sh', '-c', 'echo $TEAM $WORD'])).toBe('us one\n');
    shop.write('infra/job/k8s/secret.yaml', secret('two'));
    await deploy();
    const { pod: second } = await shop.onlyOne('job');
    expect(await shop.inside('job', second, ['sh', '-c', 'echo $TEAM $WORD'])).toBe('us two\n');
    // Without the annotation the template is another one once more.
    shop.write('infra/job/slipway.yaml', 'version: 1\napply: {hydrate: [k8s/job.yaml], rollOnConfigChange: false}\n');
    await deploy();
    const { pod: third } = await shop.onlyOne('job');
    shop.write('infra/job/k8s/secret.yaml', secret('three'));
    expect(await deploy()).toMatch(/secret\/job/);
    expect((await shop.onlyOne('job')).pod).toBe(third);
  });

  it('leaves what others manage, with their name and the line, until it is told to take it over', async () => {
    await kubectl('patch', 'deployment/job', '--type=merge', '--patch', '{"spec":{"replicas":2}}');
    const told = await deploy([], 1);
    expect(told).toMatch(/deployment\/job: spec\.replicas is managed by kubectl-patch/);
    expect(told).toMatch(/at infra\/job\/k8s\/job\.yaml:5:3/);
    expect(await deploy(['--force'])).toMatch(/rolled out/);
    expect((await shop.running('job')).length).toBe(1);
  });

  it('makes anew, when it is told to, what cannot be changed in place', async () => {
    shop.write('infra/job/k8s/job.yaml', deployment.replaceAll('app: job', 'app: work'));
    expect(await deploy([], 1)).toMatch(/spec\.selector.*immutable[\s\S]*let it be made anew \(--force\)/);
    expect(await deploy(['--force'])).toMatch(/rolled out/);
    expect((await shop.running('work')).length).toBe(1);
  });

  it('says which field of which kind cannot be changed, runs a changed Job again without being told to, and makes the others anew with --force', async () => {
    const fixed = (command: string, clusterIP: string, claims: string): string => `apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  template:
    spec: {restartPolicy: Never, containers: [{name: once, image: 'redis:7-alpine', command: [${command}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: set}
spec:
  ports: [{port: 80}]${clusterIP}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: set}
spec:
  replicas: 0
  serviceName: set
  selector: {matchLabels: {app: set}}
  template:
    metadata: {labels: {app: set}}
    spec: {containers: [{name: set, image: 'redis:7-alpine'}]}${claims}
`;
    const file = 'infra/fixed/k8s/all.yaml';
    const deployFixed = async (args: readonly string[] = [], exitCode = 0): Promise<string> => {
      const { stdout, stderr } = await shop.slipway(['deploy', 'fixed', ...shop.where, ...args], { exitCode });
      return `${stdout}${stderr}`;
    };
    const uids = async (): Promise<readonly string[]> => {
      const refs = [
        { apiVersion: 'batch/v1', kind: 'Job', name: 'once' },
        { apiVersion: 'v1', kind: 'Service', name: 'set' },
        { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'set' },
      ];
      const found = await Promise.all(refs.map((ref) => shop.kube.get({ ...ref, namespace: shop.namespace })));
      return found.map((each) => valueOf(each)?.metadata.uid ?? '');
    };
    shop.write('infra/fixed/project.json', '{"name": "fixed"}');
    shop.write(file, fixed('"true"', '', ''));
    await deployFixed();
    const [job, service, set] = await uids();

    shop.write(file, fixed('echo', '', ''));
    await deployFixed();
    const again = await uids();
    expect(again).toEqual([expect.not.stringMatching(job ?? ''), service, set]);

    const claims =
      '\n  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]';
    shop.write(file, fixed('echo', '\n  clusterIP: None', claims));
    const told = await deployFixed([], 1);
    expect(told).toMatch(/all\.yaml:13:\d+: service\/set: spec\.clusterIP is not valid: may not change/);
    expect(told).toMatch(/all\.yaml:25:\d+: statefulset\/set: spec\.volumeClaimTemplates is not valid: field is immutable/);
    expect(told).toMatch(/let it be made anew \(--force\)/);
    expect(await uids()).toEqual(again);
    await deployFixed(['--force']);
    const [sameJob, otherService, otherSet] = await uids();
    expect(sameJob).toBe(again[0]);
    expect([otherService, otherSet]).not.toEqual([service, set]);
    await shop.slipway(['delete', 'fixed', ...shop.where]);
  });

  it('is waited for as far as each kind comes by itself: a load balancer, a claim for the first pod that uses it, a CronJob; a pod without a volume is told', async () => {
    const storageClass = shop.namespace;
    const waiting = `apiVersion: v1
kind: Service
metadata: {name: balanced}
spec: {type: LoadBalancer, selector: {app: balanced}, ports: [{port: 80}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: late}
spec:
  storageClassName: ${storageClass}
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
---
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: ${storageClass}}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: yearly}
spec:
  schedule: '0 0 1 1 *'
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: yearly, image: 'redis:7-alpine'}]}}}}
`;
    const user = `---
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  containers: [{name: user, image: 'redis:7-alpine', volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: late}}]
`;
    shop.write('infra/waiting/project.json', '{"name": "waiting"}');
    shop.write('infra/waiting/k8s/all.yaml', waiting);
    try {
      expect((await shop.slipway(['deploy', 'waiting', ...shop.where])).stdout).toMatch(/rolled out/);
      shop.write('infra/waiting/k8s/all.yaml', `${waiting}${user}`);
      const { stdout } = await shop.slipway(['deploy', 'waiting', ...shop.where], { exitCode: 1 });
      expect(stdout).toMatch(/pod user cannot be scheduled: .*no volume for its claims on \d/);
      expect(stdout).toMatch(/at infra\/waiting\/k8s\/all\.yaml:32:/);
      await shop.slipway(['delete', 'waiting', ...shop.where]);
    } finally {
      await shop.kube.delete({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', name: storageClass });
    }
  });

  it('is removed where the config says when its image cannot be made, and nowhere while the config cannot be read', async () => {
    const config = `version: 1\nnamespace: ${shop.namespace}\nimage: {docker: {args: {A: '\${HELD}'}}}\n`;
    const isThere = async () => {
      const found = await shop.kube.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'held', namespace: shop.namespace });
      return found.ok && found.value !== undefined;
    };
    shop.write('infra/held/project.json', '{"name": "held"}');
    shop.write('infra/held/Dockerfile', 'FROM scratch\nARG A\nCOPY project.json /\n');
    shop.write('infra/held/slipway.yaml', config);
    const unused = deployment.replaceAll('job', 'held').replace('redis:7-alpine', 'held').replace('replicas: 1', 'replicas: 0');
    shop.write('infra/held/k8s/all.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held}\n---\n${unused}`);
    await shop.slipway(['deploy', 'held'], { env: { HELD: 'yes' } });
    expect(await isThere()).toBe(true);

    shop.write('infra/held/slipway.yaml', `${config}imge: {}\n`);
    const refused = await shop.slipway(['delete', 'held'], { exitCode: 2 });
    expect(`${refused.stdout}${refused.stderr}`).toMatch(/in which namespace held would be is not known while the config cannot be read/);
    expect(await isThere()).toBe(true);

    shop.write('infra/held/slipway.yaml', config);
    expect((await shop.slipway(['delete', 'held'])).stdout).toMatch(/removed .*configmap\/held/);
    expect(await isThere()).toBe(false);
  });

  it('comes from a URL too, where that is allowed, and is managed by who is said to', async () => {
    const server = createServer((_request, response) =>
      response.end('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fetched}\ndata: {A: b}\n'),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/all.yaml`;
    const deployFetched = (allowed: boolean, exitCode = 0) => {
      shop.write(
        'infra/fetched/slipway.yaml',
        `version: 1\napply: {fetchManifests: ${allowed}, fieldManager: team}\nmanifests: ["${url}"]\n`,
      );
      return shop.slipway(['deploy', 'fetched', ...shop.where], { exitCode });
    };
    try {
      shop.write('infra/fetched/project.json', '{"name": "fetched"}');
      await deployFetched(false, 2);
      await deployFetched(true);
      const found = await shop.kube.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'fetched', namespace: shop.namespace });
      expect(valueOf(found)).toMatchObject({ data: { A: 'b' }, metadata: { managedFields: [{ manager: 'team', operation: 'Apply' }] } });
      await shop.slipway(['delete', 'fetched', ...shop.where]);
    } finally {
      server.close();
    }
  });

  it('is taken over from the name that Slipway applied it under before, with what the manifest has no more, and from nobody else', async () => {
    const both = (data: string, strategy: string): string => `apiVersion: v1
kind: ConfigMap
metadata: {name: managed}
data: ${data}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: managed}
spec:
  replicas: 0
  strategy: ${strategy}
  selector: {matchLabels: {app: managed}}
  template:
    metadata: {labels: {app: managed}}
    spec: {containers: [{name: main, image: 'redis:7-alpine'}]}
`;
    const deployAs = async (fieldManager: string, manifest: string, exitCode = 0): Promise<string> => {
      shop.write('infra/managed/slipway.yaml', `version: 1\napply: {fieldManager: ${fieldManager}}\n`);
      shop.write('infra/managed/k8s/all.yaml', manifest);
      return (await shop.slipway(['deploy', 'managed', ...shop.where], { exitCode })).stdout;
    };
    const found = async (apiVersion: string, kind: string) =>
      valueOf(await shop.kube.get({ apiVersion, kind, name: 'managed', namespace: shop.namespace }));
    const byTeam = { managedFields: expect.not.arrayContaining([expect.objectContaining({ manager: 'slipway' })]) as unknown };
    shop.write('infra/managed/project.json', '{"name": "managed"}');
    await deployAs('slipway', both('{A: one, B: gone}', '{type: RollingUpdate, rollingUpdate: {maxSurge: 2}}'));

    expect(await deployAs('team', both('{A: two}', '{type: Recreate}'))).toMatch(/rolled out/);
    const map = await found('v1', 'ConfigMap');
    expect([map?.['data'], map?.metadata]).toEqual([{ A: 'two' }, expect.objectContaining(byTeam)]);
    const workload = await found('apps/v1', 'Deployment');
    expect([workload?.['spec'], workload?.metadata]).toMatchObject([{ strategy: { type: 'Recreate' } }, byTeam]);
    expect(await deployAs('team', both('{A: two}', '{type: Recreate}'))).toMatch(/nothing changed/);

    await kubectl('patch', 'configmap/managed', '--type=merge', '--patch', '{"data":{"A":"mine"}}');
    expect(await deployAs('other', both('{A: three}', '{type: Recreate}'), 1)).toMatch(
      /configmap\/managed: data\.A is managed by kubectl-patch/,
    );
    expect((await found('v1', 'ConfigMap'))?.['data']).toEqual({ A: 'mine' });
    await shop.slipway(['delete', 'managed', ...shop.where]);
  });

  it('goes to a namespace that is made for it; what is deleted is gone when the command ends, and volumes stay when they are to', async () => {
    shop.write(
      'infra/job/slipway.yaml',
      `version: 1\nnamespace: ${otherNamespace()}\napply: {createNamespace: true, hydrate: [k8s/job.yaml]}\n`,
    );
    shop.write('infra/job/k8s/claim.yaml', claim);
    const context = shop.where.filter((flag) => flag.startsWith('--context'));
    const typo = shop.edit('infra/job/k8s/job.yaml', 'image:', 'imagge:');
    await shop.slipway(['deploy', 'job', ...context], { exitCode: 2 });
    const namespace = () => shop.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: otherNamespace() });
    expect(valueOf(await namespace())).toBeUndefined();
    typo();
    shop.write('infra/job/slipway.yaml', `${shop.read('infra/job/slipway.yaml')}rollout: {deadline: 1}\n`);
    await shop.slipway(['deploy', 'job', ...context], { exitCode: 1 });
    const left = async () => {
      const kinds = ['Pod', 'Secret', 'PersistentVolumeClaim'].map((kind) => ({ apiVersion: 'v1', kind }));
      const lists = await Promise.all(kinds.map((kind) => shop.kube.list(kind, { namespace: otherNamespace() })));
      return lists.flatMap((list) => valueOf(list)).map(({ kind, metadata }) => `${kind} ${metadata.name ?? ''}`);
    };
    await shop.slipway(['delete', 'job', '--keep-volumes', ...context]);
    expect(await left()).toEqual(['PersistentVolumeClaim job']);
    const { stdout } = await shop.slipway(['delete', 'job', ...context]);
    expect(stdout).toContain(`the namespace ${otherNamespace()} stays, as others may have something in it`);
    expect(await left()).toEqual([]);
    expect(valueOf(await namespace())).toBeDefined();
  });

  it('leaves the claims of a StatefulSet when they are to stay, though it would take them with it', async () => {
    const set = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Delete}
  serviceName: db
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: 'redis:7-alpine'}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {storageClassName: '', accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`;
    shop.write('infra/db/project.json', '{"name": "db"}');
    shop.write('infra/db/slipway.yaml', 'version: 1\nrollout: {deadline: 1}\n');
    shop.write('infra/db/k8s/db.yaml', set);
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name: 'data-db-0', namespace: shop.namespace };
    const owners = async () => valueOf(await shop.kube.get(claim))?.metadata.ownerReferences?.map(({ kind }) => kind);
    await shop.slipway(['deploy', 'db', ...shop.where], { exitCode: 1 });
    await until('the claim goes with its set', async () => ((await owners())?.includes('StatefulSet') === true ? true : undefined));
    await shop.slipway(['delete', 'db', '--keep-volumes', ...shop.where]);
    expect((await shop.objects()).filter((object) => object.startsWith('StatefulSet'))).toEqual([]);
    expect(valueOf(await shop.kube.get(claim))?.metadata).toMatchObject({ name: claim.name });
    expect(valueOf(await shop.kube.get(claim))?.metadata.deletionTimestamp).toBeUndefined();
    expect(await owners()).toBeUndefined();
    valueOf(await shop.kube.delete(claim));
  });

  it('is found again where no one would look: in other namespaces, in none, and after it was moved', async () => {
    const elsewhere = `${shop.namespace}-elsewhere`;
    const places = (name: string, namespace: string): string => `apiVersion: v1
kind: Namespace
metadata: {name: ${elsewhere}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: ${shop.namespace}-${name}}
rules: []
---
apiVersion: v1
kind: ConfigMap
metadata: {name: moved, namespace: ${namespace}}
data: {A: b}
---
${deployment
  .replaceAll('job', 'far')
  .replace('{name: far}', `{name: far, namespace: ${elsewhere}}`)
  .replace(/ +env(From)?:.*\n/g, '')}`;
    const rolesAndMaps = async (): Promise<readonly string[]> => {
      const roles = valueOf(await shop.kube.list({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' }));
      const far = await objectsIn(shop.kube, elsewhere);
      const own = roles.flatMap(({ metadata: { name = '' } }) =>
        name.startsWith(shop.namespace) ? name.slice(shop.namespace.length + 1) : [],
      );
      return [...own, ...far.filter((object) => /^(ConfigMap|Deployment|Pod)/.test(object)).map((object) => object.replace(/-.*/, ''))];
    };
    shop.write('infra/far/project.json', '{"name": "far"}');
    shop.write('infra/far/k8s/all.yaml', places('one', elsewhere));
    const deployFar = async () => (await shop.slipway(['deploy', 'far', ...shop.where])).stdout;
    try {
      expect(await deployFar()).toMatch(/rolled out/);
      expect(await rolesAndMaps()).toEqual(['one', 'Deployment/far', 'ConfigMap/moved', 'Pod/far']);
      expect(await deployFar()).toMatch(/nothing changed/);
      shop.write('infra/far/k8s/all.yaml', places('two', shop.namespace));
      await deployFar();
      expect(await rolesAndMaps()).toEqual(['two', 'Deployment/far', 'Pod/far']);
      await shop.slipway(['delete', 'far', ...shop.where]);
      expect(await rolesAndMaps()).toEqual([]);
      expect(valueOf(await shop.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: elsewhere }))).toBeDefined();
    } finally {
      await shop.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: elsewhere });
    }
  });

  it('waits for objects of kinds that the cluster was taught by their conditions, with images where it is told that they have them', async () => {
    const group = `${shop.namespace}.slipway.test`;
    const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `widgets.${group}` };
    shop.write('infra/taught/project.json', '{"name": "taught"}');
    shop.write(
      'infra/taught/slipway.yaml',
      'version: 1\napply: {images: [{kind: Widget, path: spec.image}]}\nrollout: {deadline: 120}\nmanifests: [k8s/*.yaml]\n',
    );
    shop.write('infra/taught/k8s/a-widget.yaml', widget(group));
    shop.write('infra/taught/k8s/b-definition.yaml', definitionOf(group));
    const report = async (type: string, status: string, message: string): Promise<void> => {
      const conditions = [{ type, status, reason: 'Because', message, lastTransitionTime: new Date().toISOString() }];
      const patch = JSON.stringify({ status: { conditions } });
      await kubectl('patch', `widgets.${group}/one`, '--subresource=status', '--type=merge', '--patch', patch);
    };
    const isThere = () => shop.kube.get({ apiVersion: `${group}/v1`, kind: 'Widget', name: 'one', namespace: shop.namespace });
    try {
      // A kind that is defined just now, and an object of it, in one deploy: with no condition it is as it should be.
      await shop.slipway(['deploy', 'taught', ...shop.where]);
      expect(valueOf(await isThere())?.['spec']).toMatchObject({ image: expect.stringMatching(/\/worker:\w+@sha256:/) as string });

      await report('Ready', 'False', 'the left wheel is missing');
      const dev = shop.dev('taught', '--no-logs', '--no-forward');
      await dev.until('rollout', ({ release, message }) => release === 'taught' && message.includes('the left wheel is missing'));
      await report('Stalled', 'True', 'there are no wheels');
      const failure = await dev.until('failed', ({ subject }) => subject === 'taught');
      expect(failure.problem).toMatchObject({ code: 'rolloutFailed', location: { file: 'infra/taught/k8s/a-widget.yaml', line: 1 } });
      expect(failure.message).toBe('widget/one there are no wheels');
      await report('Ready', 'True', '');
      await dev.until('rollout', ({ release, state }) => release === 'taught' && state === 'ready');
      expect(await dev.interrupt()).toBe(0);
      expect(valueOf(await isThere())).toBeUndefined();
    } finally {
      await shop.kube.delete(definition);
    }
  });
});

const widget = (group: string) => `apiVersion: ${group}/v1
kind: Widget
metadata: {name: one}
spec:
  image: worker
`;

const definitionOf = (group: string) => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.${group}}
spec:
  group: ${group}
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {status: {}}
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec: {type: object, properties: {image: {type: string}}}
            status: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;
