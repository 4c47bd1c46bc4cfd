import type { Kube, KubeObject } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import type { Pod } from '../status';

/** Which pods a forwarded resource stands for, and which port of them. */
export interface Destination {
  /** Undefined: the one pod of that name. */
  readonly labelSelector: string | undefined;
  readonly podName: string | undefined;
  readonly portOf: (pod: Pod) => number | undefined;
}

export interface ResourceRequest {
  readonly kube: Pick<Kube, 'get'>;
  readonly namespace: string;
  /** `service/worker`, `deployment/worker`, `pod/x`, with the short names of kubectl. */
  readonly resource: string;
  readonly port: number | string;
}

const kinds: Readonly<Record<string, { readonly apiVersion: string; readonly kind: string }>> = {
  service: { apiVersion: 'v1', kind: 'Service' },
  svc: { apiVersion: 'v1', kind: 'Service' },
  pod: { apiVersion: 'v1', kind: 'Pod' },
  po: { apiVersion: 'v1', kind: 'Pod' },
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment' },
  deploy: { apiVersion: 'apps/v1', kind: 'Deployment' },
  statefulset: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  sts: { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  daemonset: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  ds: { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  replicaset: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
  rs: { apiVersion: 'apps/v1', kind: 'ReplicaSet' },
};

interface ServiceSpec {
  readonly selector?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly name?: string; readonly port: number; readonly targetPort?: number | string }[];
}

interface WorkloadSpec {
  readonly selector?: {
    readonly matchLabels?: Readonly<Record<string, string>>;
    readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[];
  };
}

/** Asks the cluster what a resource stands for. Failures: `forwardInvalid` (exit 2), `forwardNotFound`, and the cluster's own. */
export async function resolveResource({ kube, namespace, resource, port }: ResourceRequest): Promise<Result<Destination>> {
  const [type = '', name = ''] = resource.split('/', 2);
  const kind = kinds[type.toLowerCase()];
  if (!kind || name === '') {
    return failed(
      problem(
        'forwardInvalid',
        `cannot forward to ${resource}: it is not a service, a workload or a pod`,
        'write it as service/NAME, deployment/NAME or pod/NAME',
      ),
    );
  }
  const answer = await kube.get({ ...kind, name, namespace });
  if (!answer.ok) return answer;
  if (!answer.value)
    return failed(
      problem(
        'forwardNotFound',
        `cannot forward to ${resource}: namespace ${namespace} has none`,
        'deploy it, or correct resource and namespace',
        'afterDelay',
      ),
    );
  const portOf = (pod: Pod) => containerPort(pod, port);
  if (kind.kind === 'Pod') return succeeded({ labelSelector: undefined, podName: name, portOf });
  if (kind.kind === 'Service') return ofService(resource, answer.value, port);
  return succeeded({ labelSelector: workloadSelector(answer.value), podName: undefined, portOf });
}

function ofService(resource: string, service: KubeObject, port: number | string): Result<Destination> {
  const { selector = {}, ports = [] } = service['spec'] as ServiceSpec;
  const labelSelector = equalities(selector).join(',');
  if (labelSelector === '')
    return failed(
      problem('forwardInvalid', `cannot forward to ${resource}: it selects no pods`, 'forward to a deployment or a pod instead'),
    );
  const chosen = ports.find((one) => one.name === port || String(one.port) === String(port));
  if (!chosen) {
    const known = ports.map((one) => (one.name === undefined ? String(one.port) : `${one.port} (${one.name})`)).join(', ');
    return failed(
      problem(
        'forwardInvalid',
        `cannot forward to port ${port} of ${resource}, which has ${known === '' ? 'none' : known}`,
        'correct port in portForward',
      ),
    );
  }
  return succeeded({ labelSelector, podName: undefined, portOf: (pod) => containerPort(pod, chosen.targetPort ?? chosen.port) });
}

/** A port by number need not be declared by the container; one by name must. */
function containerPort(pod: Pod, port: number | string): number | undefined {
  if (typeof port === 'number' || /^\d+$/.test(port)) return Number(port);
  return (pod.spec?.containers ?? []).flatMap((container) => container.ports ?? []).find((one) => one.name === port)?.containerPort;
}

function equalities(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).map(([name, value]) => `${name}=${value}`);
}

/** The label selector of the pods of a workload. */
export function workloadSelector(workload: KubeObject): string {
  const { selector = {} } = workload['spec'] as WorkloadSpec;
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator.toLowerCase()} (${values.join(',')})`;
  });
  return [...equalities(selector.matchLabels ?? {}), ...expressions].join(',');
}

function problem(code: string, message: string, hint: string, retry: Problem['retry'] = 'whenInputChanges'): Problem {
  return { code, message, hint, retry, exitCode: code === 'forwardInvalid' ? 2 : 1 };
}
