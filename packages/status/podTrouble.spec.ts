import { podTrouble, type Pod } from '.';

const now = Date.parse('2026-01-01T00:01:00Z');
const created = Date.parse('2026-01-01T00:00:00Z');
const pod = (status: NonNullable<Pod['status']>, spec: NonNullable<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'worker-1', namespace: 'shop', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { containers: [{ name: 'worker', image: 'reg/worker:1', resources: { limits: { memory: '64Mi' } } }], ...spec },
  status,
});
type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number];
const container = (part: Omit<Status, 'name'>, spec: NonNullable<Pod['spec']> = {}) =>
  pod({ containerStatuses: [{ name: 'worker', ...part }] }, spec);
const waiting = (reason: string, message: string, more: Partial<Status> = {}) =>
  container({ state: { waiting: { reason, message } }, ...more });
const looping = (terminated: NonNullable<Status['lastState']>['terminated'] & object) =>
  waiting('CrashLoopBackOff', 'back-off 10s', { restartCount: 2, lastState: { terminated } });

test.each<[string, Pod, string, RegExp, RegExp]>([
  [
    'an image that is not there',
    waiting('ImagePullBackOff', 'Back-off pulling image "reg/worker:1": ErrImagePull: rpc error: reg/worker:1: not found'),
    'imagePullNotFound',
    /^pod worker-1, container worker: its image cannot be pulled, reg\/worker:1: not found$/,
    /that it was pushed/,
  ],
  [
    'a registry that wants a login',
    waiting('ImagePullBackOff', 'ErrImagePull: 401 Unauthorized'),
    'imagePullUnauthorized',
    /reg\/worker:1: .*401/,
    /imagePullSecrets/,
  ],
  [
    'config that is missing',
    waiting('CreateContainerConfigError', 'configmap "settings" not found'),
    'configMissing',
    /reads the ConfigMap settings, which is not there$/,
    /apply the ConfigMap/,
  ],
  [
    'a key that is missing',
    waiting('CreateContainerConfigError', "couldn't find key TOKEN in Secret shop/login"),
    'configKeyMissing',
    /reads the key TOKEN of the Secret login, which does not have it$/,
    /add TOKEN to it/,
  ],
  [
    'a user that may not be',
    waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
    'containerConfigInvalid',
    /cannot be made: container has runAsNonRoot/,
    /correct in the manifest/,
  ],
  [
    'a registry that nobody knows the address of, at the first try',
    waiting('ErrImagePull', 'dial tcp: lookup registry.invalid: no such host'),
    'imagePullUnreachable',
    /reg\/worker:1: dial tcp: lookup registry\.invalid: no such host$/,
    /nodes reach the registry/,
  ],
  [
    'a name that is none',
    waiting('InvalidImageName', "couldn't parse image name"),
    'imageNameInvalid',
    /reg\/worker:1/,
    /correct the name/,
  ],
  ['an image that may not be pulled', waiting('ErrImageNeverPull', ''), 'imagePullForbidden', /reg\/worker:1/, /load the image/],
  [
    'a crash loop',
    looping({ exitCode: 3 }),
    'containerCrashed',
    /container worker ended with exit code 3 and is restarted again and again$/,
    /kubectl logs/,
  ],
  ['a loop of a process that is killed', looping({ exitCode: 137 }), 'containerCrashed', /exit code 137 \(SIGKILL\)/, /kubectl logs/],
  [
    'too little memory',
    looping({ exitCode: 137, reason: 'OOMKilled' }),
    'outOfMemory',
    /more memory than its limit of 64Mi and was killed \(OOMKilled\)$/,
    /limits\.memory/,
  ],
  [
    'a command that is not there',
    looping({ exitCode: 128, reason: 'StartError', message: 'exec: "nope": not found' }),
    'containerNotStarted',
    /exec: "nope": not found/,
    /command/,
  ],
  ['a command that just ends', looping({ exitCode: 0 }), 'containerCrashed', /ends by itself with exit code 0/, /keep running/],
  [
    'a container between two crashes',
    container({ state: { running: { startedAt: '2026-01-01T00:00:55Z' } }, restartCount: 3, lastState: { terminated: { exitCode: 1 } } }),
    'containerCrashed',
    /exit code 1/,
    /kubectl logs .* --previous$/,
  ],
  [
    'a third end in a row',
    container({ state: { terminated: { exitCode: 1 } }, restartCount: 2 }),
    'containerCrashed',
    /exit code 1/,
    /kubectl logs/,
  ],
  [
    'a failure that nobody restarts',
    container({ state: { terminated: { exitCode: 1 } }, restartCount: 0 }, { restartPolicy: 'Never' }),
    'containerCrashed',
    /ended with exit code 1$/,
    /: kubectl logs worker-1 --namespace shop --container worker$/,
  ],
  [
    'an init container that fails',
    pod({
      initContainerStatuses: [
        { name: 'init', state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 2 } } },
      ],
    }),
    'containerCrashed',
    /container init ended with exit code 2/,
    /kubectl logs/,
  ],
])('%s is told with its reason and the next thing to do', (_name, seen, code, message, hint) => {
  const trouble = podTrouble(seen, now);
  expect(trouble?.problem).toMatchObject({ code, retry: 'whenInputChanges', exitCode: 1 });
  expect(trouble?.problem.message).toMatch(message);
  expect(trouble?.problem.hint).toMatch(hint);
});

test.each<[string, Pod]>([
  ['starts', waiting('ContainerCreating', '')],
  ['ended once', container({ state: { terminated: { exitCode: 1 } }, restartCount: 0 })],
  [
    'has run long enough since it crashed',
    container({ state: { running: { startedAt: '2026-01-01T00:00:50Z' } }, restartCount: 3, lastState: { terminated: { exitCode: 1 } } }),
  ],
  ['did its work', container({ state: { terminated: { exitCode: 0 } }, restartCount: 5 })],
])('a container that %s is in no trouble', (_name, seen) => {
  expect(podTrouble(seen, now)).toBeUndefined();
});

const unschedulable = (message: string) =>
  pod(
    {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime: '2026-01-01T00:00:30Z' }],
    },
    {
      containers: [{ name: 'worker', resources: { requests: { cpu: '100' } } }],
      volumes: [{ name: 'files', persistentVolumeClaim: { claimName: 'data' } }],
    },
  );

test.each<[string, string, string, string, string | undefined]>([
  [
    'what it lacks',
    '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.',
    'podUnschedulable',
    'pod worker-1 cannot be scheduled: of 1 node none takes it: too little cpu on 1 (it asks for 100)',
    'spec.containers[name="worker"].resources.requests.cpu',
  ],
  [
    'a taint, and where something else is wrong',
    '0/5 nodes are available: 2 node(s) had untolerated taint {dedicated: gpu}, 3 Insufficient memory. preemption: x',
    'podUnschedulable',
    'pod worker-1 cannot be scheduled: of 5 nodes none takes it: the taint dedicated=gpu on 2, too little memory on 3',
    'spec.tolerations',
  ],
  [
    'nodes that are away, which is no mistake of the manifest',
    '0/4 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }. preemption: x',
    'podUnschedulable',
    'pod worker-1 cannot be scheduled: of 4 nodes none takes it: 1 is cordoned, 2 are short of disk, 1 is not ready',
    undefined,
  ],
  [
    'taints that the scheduler does not name',
    '0/2 nodes are available: 2 node(s) had untolerated taint(s). no new claims to deallocate, preemption: x',
    'podUnschedulable',
    'pod worker-1 cannot be scheduled: of 2 nodes none takes it: taints that it does not tolerate on 2',
    'spec.tolerations',
  ],
  [
    'labels',
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. preemption: x",
    'podUnschedulable',
    "pod worker-1 cannot be scheduled: of 1 node none takes it: labels that don't match Pod's node affinity/selector on 1",
    'spec.nodeSelector',
  ],
  [
    'a claim that is not there',
    '0/1 nodes are available: persistentvolumeclaim "data" not found. not found',
    'volumeNotBound',
    'pod worker-1 waits for the volume claim data, which is not there',
    'spec.volumes[name="files"]',
  ],
  [
    'a claim that gets no volume',
    '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: x',
    'volumeNotBound',
    'pod worker-1 waits for a volume: its claim data is not bound',
    'spec.volumes',
  ],
  [
    'a claim that no volume fits',
    "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind. preemption: x",
    'volumeNotBound',
    'pod worker-1 cannot be scheduled: of 1 node none takes it: no volume for its claims on 1',
    'spec.volumes',
  ],
  ['whatever else it is', 'no scheduler', 'podUnschedulable', 'pod worker-1 cannot be scheduled: no scheduler', 'spec'],
])('a pod that finds no node says after three seconds %s', (_name, said, code, message, field) => {
  expect(podTrouble(unschedulable(said), now)).toMatchObject({
    certainAt: Date.parse('2026-01-01T00:00:33Z'),
    problem: { code, message },
    field,
  });
});

test.each([
  [
    'pod has unbound immediate PersistentVolumeClaims. not found',
    'see what its claim waits for: kubectl describe pvc data --namespace shop',
  ],
  [
    "1 node(s) didn't find available persistent volumes to bind",
    'apply a PersistentVolume that fits, or name a storage class that makes volumes: kubectl describe pvc data --namespace shop',
  ],
  ['1 something new', 'see the events: kubectl describe pod worker-1 --namespace shop'],
])('a command that tells more of it can be run as it stands: %s', (said, hint) => {
  expect(podTrouble(unschedulable(`0/1 nodes are available: ${said}`), now)?.problem.hint).toBe(hint);
});

test('so can that of an image that cannot be pulled for a reason of its own', () => {
  const hint = 'see the events: kubectl describe pod worker-1 --namespace shop';
  expect(podTrouble(waiting('ImagePullBackOff', 'ErrImagePull: something new'), now)?.problem).toMatchObject({
    code: 'imagePullFailed',
    hint,
  });
});

test('of several claims the scheduler does not say which has no volume', () => {
  const seen = unschedulable('0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.');
  const volumes = ['data', 'logs'].map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  expect(podTrouble({ ...seen, spec: { ...seen.spec, volumes } }, now)?.problem).toMatchObject({
    message: 'pod worker-1 waits for a volume: not all of its claims data, logs are bound',
    hint: 'see what its claim waits for: kubectl describe pvc data logs --namespace shop',
  });
});

const warning = (reason: string, message: string) => ({ apiVersion: 'v1', kind: 'Event', metadata: {}, type: 'Warning', reason, message });

test('a volume that is not there is told as the node says it; what is only late is not', () => {
  const creating = waiting('ContainerCreating', '');
  const missing = warning('FailedMount', 'MountVolume.SetUp failed for volume "settings" : configmap "nope" not found');
  const late = warning('FailedMount', 'MountVolume.SetUp failed for volume "x" : failed to sync configmap cache: timed out');
  expect(podTrouble(creating, now, [missing])).toMatchObject({
    problem: { code: 'volumeNotMounted', message: 'pod worker-1 waits for its volume settings: configmap "nope" not found' },
    field: 'spec.volumes[name="settings"]',
  });
  expect(podTrouble(creating, now, [late])).toMatchObject({ passes: true, certainAt: now });
  expect(podTrouble(creating, now)).toBeUndefined();
});

test.each([
  ['no runtime for "gvisor" is configured', { certainAt: created + 2_000, field: 'spec.runtimeClassName' }],
  ['failed to setup network for sandbox "1f": plugin type="bridge" failed', { certainAt: created + 60_000, passes: true }],
])('a pod that its node cannot begin is told as the node says it: %s', (said, counts) => {
  const creating = waiting('ContainerCreating', '');
  const events = [warning('FailedCreatePodSandBox', `Failed to create pod sandbox: rpc error: code = Unknown desc = ${said}`)];
  expect(podTrouble(creating, now, events)).toMatchObject({ problem: { code: 'podNotBegun' }, ...counts });
  const begun = { ...creating.status, conditions: [{ type: 'PodReadyToStartContainers', status: 'True' }] };
  expect(podTrouble({ ...creating, status: begun }, now, events)).toBeUndefined();
});

test('a container that is killed for its hook is not said to have crashed', () => {
  const events = [warning('FailedPostStartHook', 'PostStartHook failed')];
  expect(podTrouble(looping({ exitCode: 137 }), now, events)?.problem.code).toBe('postStartFailed');
  expect(podTrouble(waiting('PostStartHookError', ''), now)?.problem.code).toBe('postStartFailed');
});

test.each([
  [
    waiting(
      'RunContainerError',
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "nope": executable file not found in $PATH: unknown',
    ),
    'cannot be started: exec: "nope": executable file not found in $PATH',
  ],
  [
    waiting(
      'CreateContainerConfigError',
      'container has runAsNonRoot and image will run as root (pod: "worker-1_shop(u)", container: worker)',
    ),
    'cannot be made: container has runAsNonRoot and image will run as root',
  ],
  [
    waiting('InvalidImageName', 'Failed to apply default image tag "A/B:1": couldn\'t parse image name "A/B:1": invalid reference format'),
    ': its image cannot be pulled, reg/worker:1: invalid reference format',
  ],
  [
    waiting('ErrImageNeverPull', 'Container image "reg/worker:1" is not present with pull policy of Never'),
    ': its image cannot be pulled, reg/worker:1: imagePullPolicy is Never, and the node does not have it',
  ],
])('a reason is told without what wraps it', (seen, said) => {
  expect(podTrouble(seen, now)?.problem.message).toBe(`pod worker-1, container worker${said.startsWith(':') ? '' : ' '}${said}`);
});

const passing: readonly (readonly [string, string])[] = [
  ['CreateContainerConfigError', 'failed to sync configmap cache: timed out waiting for the condition'],
  ['CreateContainerConfigError', 'etcdserver: request timed out'],
  ['CreateContainerConfigError', 'the server is currently unable to handle the request (get secrets login)'],
  ['CreateContainerError', 'context deadline exceeded'],
  ['CreateContainerError', 'failed to reserve container name "worker": name is reserved for "1f2e"'],
  ['RunContainerError', 'rpc error: code = DeadlineExceeded desc = failed to start container'],
  ['ErrImagePull', 'pull QPS exceeded'],
  ['ImagePullBackOff', 'Back-off pulling image "reg/worker:1": ErrImagePull: failed to do request: Head "http://reg/v2/": EOF'],
  ['ImagePullBackOff', 'ErrImagePull: toomanyrequests: You have reached your pull rate limit'],
  ['ErrImagePull', 'unexpected status from HEAD request to http://reg/v2/worker/manifests/1: 503 Service Unavailable'],
  ['ErrImagePull', 'dial tcp: lookup reg on 10.0.0.10:53: server misbehaving'],
  ['ErrImagePull', 'dial tcp 10.0.0.1:443: i/o timeout'],
  ['ErrImagePull', 'rpc error: code = Canceled desc = context canceled'],
];
test.each(passing)('what something busy mends at its next try is told, and counts only after a minute: %s, %s', (reason, message) => {
  expect(podTrouble(waiting(reason, message), now)).toMatchObject({ passes: true, certainAt: now });
  const lastState = { terminated: { exitCode: 1, finishedAt: '2026-01-01T00:00:30Z' } };
  expect(podTrouble(waiting(reason, message, { lastState }), now)?.certainAt).toBe(now + 30_000);
});

test.each([
  ['ErrImagePull', 'dial tcp 10.0.0.1:443: connect: connection refused'],
  ['ErrImagePull', 'dial tcp: lookup registry.invalid: no such host'],
  ['ErrImagePull', 'reg/worker:1: not found'],
  ['CreateContainerConfigError', 'configmap "settings" not found'],
  ['RunContainerError', 'exec: "nope": executable file not found in $PATH'],
])('what a try after it would only say again counts at once: %s, %s', (reason, message) => {
  expect(podTrouble(waiting(reason, message), now)).toMatchObject({ certainAt: 0 });
});

test.each<[string, Pod, string]>([
  ['a limit', looping({ exitCode: 137, reason: 'OOMKilled' }), 'spec.containers[name="worker"].resources.limits.memory'],
  ['an image', waiting('ImagePullBackOff', 'not found'), 'spec.containers[name="worker"].image'],
  [
    'the variable that reads a key',
    container(
      { state: { waiting: { reason: 'CreateContainerConfigError', message: "couldn't find key TOKEN in Secret shop/login" } } },
      { containers: [{ name: 'worker', env: [{ name: 'T', valueFrom: { secretKeyRef: { name: 'login', key: 'TOKEN' } } }] }] },
    ),
    'spec.containers[name="worker"].env[name="T"]',
  ],
  [
    'what reads a whole ConfigMap',
    container(
      { state: { waiting: { reason: 'CreateContainerConfigError', message: 'configmap "settings" not found' } } },
      { containers: [{ name: 'worker', envFrom: [{ secretRef: { name: 'x' } }, { configMapRef: { name: 'settings' } }] }] },
    ),
    'spec.containers[name="worker"].envFrom[1]',
  ],
])('the field to mend is named: %s', (_name, seen, field) => {
  expect(podTrouble(seen, now)?.field).toBe(field);
});

test('a probe that kills the container is named', () => {
  const events = [
    {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {},
      reason: 'Unhealthy',
      message: 'Liveness probe failed: HTTP probe failed with statuscode: 500',
    },
  ];
  expect(podTrouble(looping({ exitCode: 143 }), now, events)?.problem).toMatchObject({
    code: 'probeFailed',
    message: 'pod worker-1, container worker is restarted again and again: Liveness probe failed: HTTP probe failed with statuscode: 500',
  });
});

test.each([
  ['in its rest between two runs', looping({ exitCode: 1 }), true],
  ['that ended just now', container({ state: { terminated: { exitCode: 1 } }, restartCount: 2 }), false],
])('the log of a container %s is the right one', (_name, seen, previous) => {
  expect(podTrouble(seen, now)?.log).toEqual({ container: 'worker', previous });
});

test('of a failed pull only the reason is told, not what wraps it', () => {
  const said =
    'failed to pull and unpack image "docker.io/library/web:1": failed to resolve reference "docker.io/library/web:1": ' +
    'failed to do request: Head "https://registry-1.docker.io/v2/library/web/manifests/1": dial tcp: lookup registry-1.docker.io: no such host';
  expect(podTrouble(waiting('ImagePullBackOff', said), now)?.problem.message).toBe(
    'pod worker-1, container worker: its image cannot be pulled, reg/worker:1: dial tcp: lookup registry-1.docker.io: no such host',
  );
});
