import type { KubeObject } from '../clients';

/** A service that fails in one way, and how the cluster shows it first. */
export interface Fault {
  readonly name: string;
  readonly manifest: string;
  readonly code: string;
  readonly message: RegExp;
  /** The line of the manifest that is to be mended begins with it. */
  readonly line: string;
  /** Whether an object that has changed shows the cause. Absent: the answer to an apply does. */
  readonly shownBy?: (object: KubeObject) => boolean;
}

interface FaultyContainer {
  readonly image?: string;
  readonly command?: string;
  /** More lines of the container. */
  readonly more?: string;
  readonly requests?: string;
  /** More of the pod, before its containers. */
  readonly pod?: string;
}

const indented = (text: string, by: number) => text.replace(/^/gm, ' '.repeat(by));

function deployment(name: string, { image, command = 'sleep 3600', more = '', requests, pod = '' }: FaultyContainer = {}): string {
  const lines = [
    `image: ${image ?? 'redis:7-alpine'}`,
    `command: [sh, -c, '${command}']`,
    ...(requests === '' ? [] : ['resources:', `  requests: {${requests ?? 'memory: 4Mi'}}`]),
    ...(more === '' ? [] : [more]),
  ].join('\n');
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      terminationGracePeriodSeconds: 0
${pod === '' ? '' : `${indented(pod, 6)}\n`}      containers:
        - name: main
${indented(lines, 10)}
`;
}

interface Shown {
  readonly reason?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly name?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly reason?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly state?: { readonly waiting?: { readonly reason?: string } };
    }[];
  };
}

const waits = (reason: string) => (object: KubeObject) =>
  (object as Shown).status?.containerStatuses?.some(({ state }) => state?.waiting?.reason === reason) === true;
/** The second restart shows it too: it may run for a moment when it is told. */
const crashed = (object: KubeObject) =>
  (object as Shown).status?.containerStatuses?.some(
    ({ state, restartCount }) => state?.waiting?.reason === 'CrashLoopBackOff' || restartCount >= 2,
  ) === true;
const warns = (reason: string) => (object: KubeObject) => object.kind === 'Event' && (object as Shown).reason === reason;
const hasCondition = (reason: string) => (object: KubeObject) =>
  (object as Shown).status?.conditions?.some((condition) => condition.reason === reason) === true;

/** The name of the service that an object, or what an event is about, belongs to. */
export function isAbout(fault: Fault, object: KubeObject): boolean {
  const name = object.kind === 'Event' ? (object as Shown).involvedObject?.name : object.metadata.name;
  return name === fault.name || name?.startsWith(`${fault.name}-`) === true;
}

/** Everything that a deploy explains, each provoked by one service. `gate` is a port of the node where a registry wants a login. */
export function faultsOf({ registry, gate }: { readonly registry: string; readonly gate: number }): readonly Fault[] {
  return [
    {
      name: 'pull-missing',
      manifest: deployment('pull-missing', { image: `${registry}/no-such-image:1` }),
      code: 'imagePullNotFound',
      message: /no-such-image:1: not found$/,
      line: 'image:',
      shownBy: waits('ErrImagePull'),
    },
    {
      name: 'pull-login',
      manifest: deployment('pull-login', { image: `localhost:${gate}/private/image:1` }),
      code: 'imagePullUnauthorized',
      message: new RegExp(`localhost:${gate}/private/image:1: .*401 Unauthorized`),
      line: 'image:',
      shownBy: waits('ErrImagePull'),
    },
    {
      name: 'pull-nowhere',
      manifest: deployment('pull-nowhere', { image: 'localhost:1/some/image:1' }),
      code: 'imagePullUnreachable',
      message: /localhost:1\/some\/image:1: .*connection refused$/,
      line: 'image:',
      shownBy: waits('ErrImagePull'),
    },
    {
      name: 'crash',
      manifest: deployment('crash', { command: 'echo no database here; exit 3' }),
      code: 'containerCrashed',
      message: /container main ended with exit code 3 and is restarted again and again$/,
      line: 'command:',
      shownBy: crashed,
    },
    {
      name: 'memory',
      manifest: deployment('memory', {
        command: 'tail /dev/zero',
        more: 'resources:\n  limits:\n    memory: 16Mi',
        requests: '',
      }),
      code: 'outOfMemory',
      message: /container main used more memory than its limit of 16Mi and was killed \(OOMKilled\)$/,
      line: 'memory: 16Mi',
      shownBy: crashed,
    },
    {
      name: 'config',
      manifest: deployment('config', { more: 'envFrom:\n  - configMapRef: {name: nowhere}' }),
      code: 'configMissing',
      message: /container main reads the ConfigMap nowhere, which is not there$/,
      line: '- configMapRef:',
      shownBy: waits('CreateContainerConfigError'),
    },
    {
      name: 'key',
      manifest: `apiVersion: v1\nkind: Secret\nmetadata: {name: key}\nstringData: {USER: me}\n---\n${deployment('key', {
        more: 'env:\n  - name: TOKEN\n    valueFrom: {secretKeyRef: {name: key, key: TOKEN}}',
      })}`,
      code: 'configKeyMissing',
      message: /container main reads the key TOKEN of the Secret key, which does not have it$/,
      line: '- name: TOKEN',
      shownBy: waits('CreateContainerConfigError'),
    },
    {
      name: 'startup',
      manifest: deployment('startup', {
        more: 'startupProbe:\n  exec: {command: [sh, -c, "echo the schema is too old; exit 1"]}\n  periodSeconds: 1\n  failureThreshold: 1',
      }),
      code: 'probeFailed',
      message: /Startup probe failed: the schema is too old$/,
      line: 'startupProbe:',
      shownBy: crashed,
    },
    {
      name: 'room',
      manifest: deployment('room', { requests: 'cpu: 1k' }),
      code: 'podUnschedulable',
      message: /none takes it: too little cpu on \d+ \(it asks for 1k\)$/,
      line: 'requests:',
      shownBy: hasCondition('Unschedulable'),
    },
    {
      name: 'claim',
      manifest: `apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: claim
spec:
  storageClassName: nowhere
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Mi}}
`,
      code: 'volumeNotBound',
      message: /persistentvolumeclaim\/claim gets no volume: .*"nowhere" not found$/,
      line: 'storageClassName:',
      shownBy: warns('ProvisioningFailed'),
    },
    {
      name: 'volume',
      manifest: deployment('volume', {
        pod: 'volumes:\n  - name: settings\n    configMap: {name: nowhere}',
        more: 'volumeMounts: [{name: settings, mountPath: /settings}]',
      }),
      code: 'volumeNotMounted',
      message: /waits for its volume settings: configmap "nowhere" not found$/,
      line: '- name: settings',
      shownBy: warns('FailedMount'),
    },
    {
      // Of pods without requests there may be none: all others have some.
      name: 'quota',
      manifest: `apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec:
  hard: {pods: 0}
  scopes: [BestEffort]
---
${deployment('quota', { requests: '' })}`,
      code: 'quotaExceeded',
      message: /deployment\/quota: its pods are refused, .*exceeded quota: quota, requested: pods=1, used: pods=0, limited: pods=0$/,
      line: 'spec:',
      shownBy: hasCondition('FailedCreate'),
    },
    {
      name: 'policy',
      manifest: deployment('policy'),
      code: 'admissionDenied',
      message: /denied request: nobody deploys what is called policy$/,
      line: 'apiVersion:',
    },
    {
      name: 'field',
      manifest: deployment('field', { more: 'imagePullPolicies: Always' }),
      code: 'manifestInvalid',
      message: /^deployment\/field: spec\.template\.spec\.containers.*\.imagePullPolicies is not a field that there is$/,
      line: 'imagePullPolicies:',
    },
  ];
}

/** A pod that runs, and answers its probe with 500. */
export const unreadyManifest = deployment('unready', {
  command:
    'while true; do printf "HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n" | nc -l -p 8080 >/dev/null; done',
  more: 'readinessProbe:\n  httpGet: {port: 8080}\n  periodSeconds: 1',
});
export const healthyManifest = deployment('healthy', { more: 'readinessProbe:\n  exec: {command: [sh, -c, "true"]}\n  periodSeconds: 1' });
