import type { Pod } from '.';
import { unready } from './unready';

const pod = (status: NonNullable<Pod['status']>, spec: NonNullable<Pod['spec']> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'worker-1' },
  spec,
  status,
});
const running = { state: { running: { startedAt: '2026-01-01T00:00:50Z' } } };
const warning = (message: string) => ({ apiVersion: 'v1', kind: 'Event', metadata: {}, reason: 'Unhealthy', message });

test.each<[string, Pod, string, string, string, string]>([
  [
    'an init container that goes on and on',
    pod(
      { initContainerStatuses: [{ name: 'wait', ...running }], containerStatuses: [{ name: 'worker', state: { waiting: {} } }] },
      { initContainers: [{ name: 'wait' }] },
    ),
    'initContainerRuns',
    'pod worker-1, init container wait has not ended, and the other containers wait for it',
    'spec.initContainers[name="wait"].command',
    '2026-01-01T00:00:55.000Z',
  ],
  [
    'a container beside the others that does not become ready',
    pod({ initContainerStatuses: [{ name: 'proxy', ...running }] }, { initContainers: [{ name: 'proxy', restartPolicy: 'Always' }] }),
    'containerNotReady',
    'pod worker-1, container proxy runs and is not ready',
    'spec.initContainers[name="proxy"].readinessProbe',
    '2026-01-01T00:00:52.000Z',
  ],
  [
    'a gate that nobody opens',
    pod(
      {
        conditions: [
          { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', lastTransitionTime: '2026-01-01T00:00:50Z' },
          { type: 'example.com/warm', status: 'True' },
        ],
        containerStatuses: [{ name: 'worker', ready: true, ...running }],
      },
      { readinessGates: [{ conditionType: 'example.com/warm' }, { conditionType: 'example.com/open' }] },
    ),
    'readinessGateClosed',
    'pod worker-1 runs, and waits for its readiness gate example.com/open',
    'spec.readinessGates',
    '2026-01-01T00:00:52.000Z',
  ],
])('%s is what a pod that runs and is not ready waits for', (_name, seen, code, message, field, at) => {
  expect(unready(seen)).toMatchObject({ problem: { code, message }, field, certainAt: Date.parse(at) });
});

test('a container that runs and is not ready has the reason that its probe gives', () => {
  const seen = pod({ containerStatuses: [{ name: 'worker', ready: false, ...running }] });
  const message = 'Readiness probe failed: HTTP probe failed with statuscode: 404';
  expect(unready(seen, [warning(message)])).toMatchObject({
    problem: { code: 'probeFailed', message: `pod worker-1, container worker runs and is not ready: ${message}` },
    certainAt: Date.parse('2026-01-01T00:00:52Z'),
    field: 'spec.containers[name="worker"].readinessProbe',
  });
  expect(unready(seen)?.problem.code).toBe('containerNotReady');
  expect(unready(pod({ containerStatuses: [{ name: 'worker', ready: true, ...running }] }))).toBeUndefined();
});
