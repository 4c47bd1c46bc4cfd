import type { KubeObject } from '../../clients';
import type { BuildkitConfig } from '../../config';

/** Whose a builder's pod is. None of them is an object that a release owns, which other labels tell. */
export const podLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  workspace: 'slipway.dev/builds-for',
  pod: 'slipway.dev/builder-pod',
} as const;

const annotations = { session: 'slipway.dev/session', config: 'slipway.dev/buildkitd-config' } as const;

/** The process that a pod works for. */
export interface PodSession {
  readonly host: string;
  readonly pid: number;
}

export interface PodOptions {
  readonly name: string;
  readonly namespace: string;
  readonly workspaceId: string;
  readonly session: PodSession;
  readonly settings: BuildkitConfig;
  readonly insecureRegistries: readonly string[];
}

export const builderContainer = 'buildkitd';
const defaultImage = 'docker.io/moby/buildkit:v0.29.0';
const socket = 'unix:///run/buildkit/buildkitd.sock';
/** Speaks to buildkitd on its own input and output, as buildx has it do. */
export const dialCommand: readonly string[] = ['buildctl', '--addr', socket, 'dial-stdio'];
/** Nobody builds for so long: what a machine that went away has left ends by itself. */
const longestLifeS = 8 * 60 * 60;

/** A pod with nothing but buildkitd. Its config is an annotation of its own, so that there is one object to make and to remove. */
export function podObject({ name, namespace, workspaceId, session, settings, insecureRegistries }: PodOptions): KubeObject {
  const { image = defaultImage, serviceAccount, pullSecret, nodeSelector, tolerations, resources } = settings;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace,
      labels: { [podLabels.managedBy]: 'slipway', [podLabels.workspace]: workspaceId, [podLabels.pod]: name },
      annotations: {
        [annotations.session]: JSON.stringify(session),
        [annotations.config]: daemonConfig(insecureRegistries),
        // A mesh's proxy would stand between buildkitd and the registry, and keep the pod from ending.
        'sidecar.istio.io/inject': 'false',
      },
    },
    spec: {
      restartPolicy: 'Never',
      activeDeadlineSeconds: longestLifeS,
      terminationGracePeriodSeconds: 1,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      ...(serviceAccount !== undefined && { serviceAccountName: serviceAccount }),
      ...(pullSecret !== undefined && { imagePullSecrets: [{ name: pullSecret }] }),
      ...(nodeSelector && { nodeSelector }),
      ...(tolerations && { tolerations }),
      containers: [
        {
          name: builderContainer,
          image,
          args: ['--config', '/etc/slipway/buildkitd.toml', '--addr', socket, '--allow-insecure-entitlement', 'network.host'],
          securityContext: { privileged: true },
          readinessProbe: { exec: { command: ['buildctl', '--addr', socket, 'debug', 'workers'] }, periodSeconds: 1, timeoutSeconds: 5 },
          ...(resources && { resources }),
          volumeMounts: [
            { name: 'state', mountPath: '/var/lib/buildkit' },
            { name: 'config', mountPath: '/etc/slipway' },
          ],
        },
      ],
      volumes: [
        { name: 'state', emptyDir: {} },
        {
          name: 'config',
          downwardAPI: { items: [{ path: 'buildkitd.toml', fieldRef: { fieldPath: `metadata.annotations['${annotations.config}']` } }] },
        },
      ],
    },
  };
}

/** `http` and `insecure` together: https whose certificate nobody checks, else plain http. */
function daemonConfig(insecureRegistries: readonly string[]): string {
  return [...new Set(insecureRegistries)].map((host) => `[registry.${JSON.stringify(host)}]\nhttp = true\ninsecure = true\n`).join('');
}

/** What is known of a pod: that it takes builds, that it will not, or neither. */
export type PodState =
  | { readonly kind: 'ready' }
  | { readonly kind: 'starting'; readonly because: string }
  | { readonly kind: 'failed'; readonly because: string };

interface PodStatus {
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[];
  readonly containerStatuses?: readonly {
    readonly ready?: boolean;
    readonly state?: {
      readonly waiting?: { readonly reason?: string; readonly message?: string };
      readonly terminated?: { readonly exitCode?: number; readonly reason?: string };
    };
  }[];
}

export function stateOfPod(pod: KubeObject): PodState {
  const { phase, reason, message, conditions = [], containerStatuses: [container] = [] } = (pod['status'] ?? {}) as PodStatus;
  if (pod.metadata.deletionTimestamp !== undefined) return { kind: 'failed', because: 'somebody deletes it' };
  if (phase === 'Failed' || phase === 'Succeeded') {
    const exitCode = container?.state?.terminated?.exitCode;
    const ended = exitCode === undefined ? (reason ?? phase) : `buildkitd ended with exit code ${exitCode}`;
    return { kind: 'failed', because: message === undefined ? ended : `${ended}: ${message}` };
  }
  if (container?.ready === true) return { kind: 'ready' };
  const waiting = container?.state?.waiting;
  if (waiting?.reason !== undefined && /^(ErrImagePull|ImagePullBackOff|InvalidImageName|CreateContainer\w*Error)$/.test(waiting.reason))
    return { kind: 'failed', because: `${waiting.reason}${waiting.message === undefined ? '' : `: ${waiting.message}`}` };
  const unscheduled = conditions.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled) return { kind: 'starting', because: unscheduled.message ?? unscheduled.reason ?? 'no node takes it' };
  return { kind: 'starting', because: waiting?.reason ?? 'buildkitd is not ready' };
}

/** Whether nobody builds with a pod any more: it has ended, or the process of this machine that it works for has. */
export function isAbandoned(
  pod: KubeObject,
  { host, isAlive }: { readonly host: string; readonly isAlive: (pid: number) => boolean },
): boolean {
  const { phase } = (pod['status'] ?? {}) as PodStatus;
  if (phase === 'Failed' || phase === 'Succeeded') return true;
  const session = sessionOf(pod);
  return session?.host === host && !isAlive(session.pid);
}

function sessionOf({ metadata }: KubeObject): PodSession | undefined {
  try {
    return JSON.parse(metadata.annotations?.[annotations.session] ?? '') as PodSession;
  } catch {
    return undefined;
  }
}
