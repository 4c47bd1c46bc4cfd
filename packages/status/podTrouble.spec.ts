import { podTrouble, type Pod } from '.';
import { unready } from './podTrouble';

const now = Date.parse('2026-01-01T00:01:00Z');
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
    'imagePullFailed',
    /^pod worker-1, container worker: its image cannot be pulled, reg\/worker:1: not found$/,
    /that it was pushed/,
  ],
  [
    'a registry that wants a login',
    waiting('ImagePullBackOff', 'ErrImagePull: 401 Unauthorized'),
    'imagePullFailed',
    /reg\/worker:1: .*401/,
    /imagePullSecrets/,
  ],
  [
    'config that is missing',
    waiting('CreateContainerConfigError', 'configmap "settings" not found'),
    'containerConfigInvalid',
    /cannot be made: configmap "settings" not found$/,
    /ConfigMap/,
  ],
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
    /kubectl logs/,
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
    /kubectl logs/,
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
  ['could not be pulled once, by the network', waiting('ErrImagePull', 'i/o timeout')],
  ['ended once', container({ state: { terminated: { exitCode: 1 } }, restartCount: 0 })],
  [
    'has run long enough since it crashed',
    container({ state: { running: { startedAt: '2026-01-01T00:00:50Z' } }, restartCount: 3, lastState: { terminated: { exitCode: 1 } } }),
  ],
  ['did its work', container({ state: { terminated: { exitCode: 0 } }, restartCount: 5 })],
])('a container that %s is in no trouble', (_name, seen) => {
  expect(podTrouble(seen, now)).toBeUndefined();
});

test('a pod that finds no node counts after ten seconds', () => {
  const message = '0/1 nodes are available: 1 Insufficient cpu.';
  const seen = pod({
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime: '2026-01-01T00:00:30Z' }],
  });
  expect(podTrouble(seen, now)).toMatchObject({
    certainAt: Date.parse('2026-01-01T00:00:40Z'),
    problem: {
      code: 'podUnschedulable',
      message: 'pod worker-1 cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu',
      hint: 'lower resources.requests, or make room on the nodes',
    },
  });
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

test('a container that runs and is not ready has the reason that its probe gives', () => {
  const running = container({ ready: false, state: { running: { startedAt: '2026-01-01T00:00:50Z' } } });
  const message = 'Readiness probe failed: HTTP probe failed with statuscode: 404';
  const event = { apiVersion: 'v1', kind: 'Event', metadata: {}, reason: 'Unhealthy', message };
  expect(unready(running, [event])).toEqual({
    message: `pod worker-1, container worker runs and is not ready: ${message}`,
    since: Date.parse('2026-01-01T00:00:55Z'),
  });
  expect(unready(running)?.message).toBe('pod worker-1, container worker runs and is not ready');
  expect(unready(container({ ready: true, state: { running: { startedAt: '2026-01-01T00:00:50Z' } } }))).toBeUndefined();
});
