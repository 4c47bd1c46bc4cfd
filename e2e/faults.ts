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
  /** More labels of the pod. */
  readonly labels?: string;
}

const indented = (text: string, by: number) => text.replace(/^/gm, ' '.repeat(by));

function deployment(
  name: string,
  { image, command = 'sleep 3600', more = '', requests, pod = '', labels = '' }: FaultyContainer = {},
): string {
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
      labels: {app: ${name}${labels}}
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

export interface FaultPlaces {
  readonly registry: string;
  /** A port of the node where a registry wants a login; at the one after it one answers what no registry does. */
  readonly gate: number;
  /** A runtime class that no node has the runtime of. */
  readonly runtimeClass: string;
  /** A node that has a taint, `dedicated`. */
  readonly taintedNode: string;
}

/** Everything that a deploy explains, each provoked by one service. */
export function faultsOf({ registry, gate, runtimeClass, taintedNode }: FaultPlaces): readonly Fault[] {
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
      name: 'pull-odd',
      manifest: deployment('pull-odd', { image: `localhost:${gate + 1}/some/image:1` }),
      code: 'imagePullFailed',
      message: new RegExp(`localhost:${gate + 1}/some/image:1: .*418`),
      line: 'image:',
      shownBy: waits('ErrImagePull'),
    },
    {
      name: 'pull-never',
      manifest: deployment('pull-never', { image: 'nowhere/some/image:1', more: 'imagePullPolicy: Never' }),
      code: 'imagePullForbidden',
      message: /nowhere\/some\/image:1: imagePullPolicy is Never, and the node does not have it$/,
      line: 'image:',
      shownBy: waits('ErrImageNeverPull'),
    },
    {
      name: 'pull-name',
      manifest: deployment('pull-name', { image: 'Nowhere/Some:1' }),
      code: 'imageNameInvalid',
      message: /Nowhere\/Some:1: invalid reference format: repository name \(Some\) must be lowercase$/,
      line: 'image:',
      shownBy: waits('InvalidImageName'),
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
      name: 'liveness',
      manifest: deployment('liveness', {
        more: 'livenessProbe:\n  exec: {command: [sh, -c, "echo the queue is stuck; exit 1"]}\n  periodSeconds: 1\n  failureThreshold: 1',
      }),
      code: 'probeFailed',
      message: /Liveness probe failed: the queue is stuck$/,
      line: 'livenessProbe:',
      shownBy: crashed,
    },
    {
      name: 'no-command',
      manifest: deployment('no-command').replace('[sh,', '[nowhere,'),
      code: 'containerNotStarted',
      message: /container main cannot be started: exec: "nowhere": executable file not found in \$PATH$/,
      line: 'command:',
      shownBy: (object) => waits('RunContainerError')(object) || crashed(object),
    },
    {
      name: 'user',
      manifest: deployment('user', { more: 'securityContext: {runAsUser: 0, runAsNonRoot: true}' }),
      code: 'containerConfigInvalid',
      message: /container main cannot be made: container's runAsUser breaks non-root policy/,
      line: 'securityContext:',
      shownBy: waits('CreateContainerConfigError'),
    },
    {
      name: 'hook',
      manifest: deployment('hook', { more: 'lifecycle: {postStart: {exec: {command: [sh, -c, "exit 3"]}}}' }),
      code: 'postStartFailed',
      message: /container main is killed again and again, as its postStart hook fails$/,
      line: 'lifecycle:',
      shownBy: warns('FailedPostStartHook'),
    },
    {
      name: 'runtime',
      manifest: deployment('runtime', { pod: `runtimeClassName: ${runtimeClass}` }),
      code: 'podNotBegun',
      message: /cannot be begun by its node: .*no runtime for "nowhere" is configured$/,
      line: 'runtimeClassName:',
      shownBy: warns('FailedCreatePodSandBox'),
    },
    {
      name: 'labels',
      manifest: deployment('labels', { pod: 'nodeSelector: {example.com/disk: fast}' }),
      code: 'podUnschedulable',
      message: /none takes it: .*labels that don't match Pod's node affinity\/selector on \d+/,
      line: 'nodeSelector:',
      shownBy: hasCondition('Unschedulable'),
    },
    {
      name: 'taint',
      manifest: deployment('taint', { pod: `nodeSelector: {kubernetes.io/hostname: ${taintedNode}}` }),
      code: 'podUnschedulable',
      // Newer schedulers do not name it.
      message: /none takes it: .*(the taint dedicated=\S+|taints that it does not tolerate) on 1/,
      line: 'nodeSelector:',
      shownBy: hasCondition('Unschedulable'),
    },
    {
      name: 'no-claim',
      manifest: deployment('no-claim', { pod: 'volumes:\n  - name: data\n    persistentVolumeClaim: {claimName: nowhere}' }),
      code: 'volumeNotBound',
      message: /waits for the volume claim nowhere, which is not there$/,
      line: '- name: data',
      shownBy: hasCondition('Unschedulable'),
    },
    {
      name: 'room',
      manifest: deployment('room', { requests: 'cpu: 1k' }),
      code: 'podUnschedulable',
      message: /none takes it: .*too little cpu on \d+ \(it asks for 1k\)/,
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
      name: 'limits',
      manifest: `apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec:
  limits:
    - {type: Container, max: {ephemeral-storage: 1Gi}, default: {ephemeral-storage: 1Gi}, defaultRequest: {ephemeral-storage: 1Ki}}
---
${deployment('limits', { more: 'resources: {limits: {ephemeral-storage: 2Gi}}', requests: '' })}`,
      code: 'podsRefused',
      message: /deployment\/limits: its pods are refused, .*maximum ephemeral-storage usage per Container is 1Gi, but limit is 2Gi$/,
      line: 'spec:',
      shownBy: hasCondition('FailedCreate'),
    },
    {
      name: 'account',
      manifest: deployment('account', { pod: 'serviceAccountName: nobody' }),
      code: 'podsRefused',
      message: /deployment\/account: its pods are refused, .*serviceaccount "nobody" not found$/,
      line: 'spec:',
      shownBy: hasCondition('FailedCreate'),
    },
    {
      name: 'refused',
      manifest: deployment('refused', { labels: ', refused: yes' }).replace('refused: yes', 'refused: "yes"'),
      code: 'admissionDenied',
      message: /deployment\/refused: its pods are refused, .*denied request: no pod is labelled refused$/,
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

/** Pods that run and are not ready, which may pass: nothing fails by it before its deadline. */
export const unready: readonly Omit<Fault, 'line' | 'shownBy'>[] = [
  {
    name: 'unready',
    manifest: deployment('unready', {
      command:
        'while true; do printf "HTTP/1.1 500 No\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n" | nc -l -p 8080 >/dev/null; done',
      more: 'readinessProbe:\n  httpGet: {port: 8080}\n  periodSeconds: 1',
    }),
    code: 'probeFailed',
    // The very first probe may find the connection closed in its face.
    message: /container main runs and is not ready: Readiness probe failed: HTTP probe failed with statuscode: 500/,
  },
  {
    name: 'early',
    manifest: deployment('early', { more: 'readinessProbe: {exec: {command: [sh, -c, "exit 0"]}, initialDelaySeconds: 3600}' }),
    code: 'containerNotReady',
    message: /container main runs and is not ready$/,
  },
  {
    name: 'gated',
    manifest: deployment('gated', { pod: 'readinessGates: [{conditionType: example.com/open}]' }),
    code: 'readinessGateClosed',
    message: /runs, and waits for its readiness gate example\.com\/open$/,
  },
  {
    name: 'init',
    manifest: deployment('init', {
      pod: "initContainers:\n  - {name: wait, image: 'redis:7-alpine', command: [sh, -c, 'echo no schema yet; sleep 3600']}",
    }),
    code: 'initContainerRuns',
    message: /init container wait has not ended, and the other containers wait for it$/,
  },
];
export const healthyManifest = deployment('healthy', { more: 'readinessProbe:\n  exec: {command: [sh, -c, "true"]}\n  periodSeconds: 1' });
