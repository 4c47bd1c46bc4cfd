import type { KubeObject } from '../../clients';
import { isAbandoned, podObject, stateOfPod } from './podObject';

const session = { host: 'laptop', pid: 7 };
const settings = {
  serviceAccount: 'builder',
  pullSecret: 'pull',
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'build', operator: 'Exists' }],
  resources: { requests: { cpu: 2 }, limits: { memory: '8Gi' } },
};

function pod(status: object = {}, more: Partial<KubeObject['metadata']> = {}): KubeObject {
  const made = podObject({
    name: 'p',
    namespace: 'ci',
    workspaceId: 'w',
    session,
    settings,
    insecureRegistries: ['10.0.0.1:5000', '10.0.0.1:5000'],
  });
  return { ...made, metadata: { ...made.metadata, ...more }, status };
}

describe('the pod of a buildkitd', () => {
  it('says whose it is, and runs where and as whom the config says', () => {
    expect(pod()).toMatchObject({
      metadata: { namespace: 'ci', labels: { 'app.kubernetes.io/managed-by': 'slipway', 'slipway.dev/builds-for': 'w' } },
      spec: {
        serviceAccountName: 'builder',
        imagePullSecrets: [{ name: 'pull' }],
        nodeSelector: { disk: 'ssd' },
        tolerations: [{ key: 'build', operator: 'Exists' }],
        containers: [
          {
            image: 'docker.io/moby/buildkit:v0.29.0',
            securityContext: { privileged: true },
            resources: { requests: { cpu: 2 }, limits: { memory: '8Gi' } },
          },
        ],
      },
    });
  });

  it('has the registries that speak plain http in its config, each once', () => {
    expect(Object.values(pod().metadata.annotations ?? {})).toContain('[registry."10.0.0.1:5000"]\nhttp = true\ninsecure = true\n');
  });

  it.each<[string, KubeObject, object]>([
    ['takes builds when its container is ready', pod({ phase: 'Running', containerStatuses: [{ ready: true }] }), { kind: 'ready' }],
    [
      'starts while its image is pulled',
      pod({ phase: 'Pending', containerStatuses: [{ ready: false, state: { waiting: { reason: 'ContainerCreating' } } }] }),
      { kind: 'starting', because: 'ContainerCreating' },
    ],
    [
      'waits for a node',
      pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }] }),
      { kind: 'starting', because: '0/3 nodes are available' },
    ],
    [
      'fails when there is no such image',
      pod({ phase: 'Pending', containerStatuses: [{ state: { waiting: { reason: 'ErrImagePull', message: 'not found' } } }] }),
      { kind: 'failed', because: 'ErrImagePull: not found' },
    ],
    [
      'fails when buildkitd ends',
      pod({ phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 1 } } }] }),
      { kind: 'failed', because: 'buildkitd ended with exit code 1' },
    ],
    [
      'fails when it was evicted',
      pod({ phase: 'Failed', reason: 'Evicted', message: 'low on disk' }),
      { kind: 'failed', because: 'Evicted: low on disk' },
    ],
    [
      'fails when somebody deletes it',
      pod({ phase: 'Running', containerStatuses: [{ ready: true }] }, { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      { kind: 'failed', because: 'somebody deletes it' },
    ],
  ])('%s', (_, seen, state) => {
    expect(stateOfPod(seen)).toEqual(state);
  });

  it.each<[string, KubeObject, { readonly host: string; readonly alive: readonly number[] }, boolean]>([
    ['is in use while its process runs', pod(), { host: 'laptop', alive: [7] }, false],
    ['is left over when its process is gone', pod(), { host: 'laptop', alive: [] }, true],
    ['of another machine is none of our business', pod(), { host: 'ci', alive: [] }, false],
    ['that has ended is left over, whosever it is', pod({ phase: 'Failed' }), { host: 'ci', alive: [] }, true],
    ['that says nothing of its process is left alone', pod({}, { annotations: {} }), { host: 'laptop', alive: [] }, false],
  ])('%s', (_, seen, { host, alive }, expected) => {
    expect(isAbandoned(seen, { host, isAlive: (pid) => alive.includes(pid) })).toBe(expected);
  });
});
