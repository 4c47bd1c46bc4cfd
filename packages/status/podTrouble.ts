import type { Problem } from '../model';
import { conditionOf, type ContainerStatus, type KubeEvent, type Pod, type TerminatedState } from './shapes';

/** Why a pod will not become ready by itself, as far as it shows. */
export interface PodTrouble {
  readonly problem: Problem;
  /** From when on it counts, milliseconds since 1970: some troubles often pass within seconds. */
  readonly certainAt: number;
  /** Where the reason may be written: the log of a container that ended, or of the one before it. */
  readonly log: { readonly container: string; readonly previous: boolean } | undefined;
}

/** How long a pod may wait for a node, or a container that has crashed before must run, before anything is said. */
const graceMs = 10_000;

/** The first trouble of a pod; `events` are the pod's own, when they were fetched. Pure. */
export function podTrouble(pod: Pod, now: number, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  return unscheduled(pod, now) ?? containerTrouble(pod, now, events);
}

function nameOf(pod: Pod): string {
  return `pod ${pod.metadata.name ?? ''}`;
}

function trouble(code: string, message: string, hint: string, more: Partial<Omit<PodTrouble, 'problem'>> = {}): PodTrouble {
  return { problem: { code, message, hint, retry: 'whenInputChanges', exitCode: 1 }, certainAt: 0, log: undefined, ...more };
}

function unscheduled(pod: Pod, now: number): PodTrouble | undefined {
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const reason = scheduled.message ?? 'the scheduler gives no reason';
  const since = Date.parse(scheduled.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '');
  return trouble('podUnschedulable', `${nameOf(pod)} cannot be scheduled: ${sentence(reason)}`, schedulingHint(reason), {
    certainAt: (Number.isNaN(since) ? now : since) + graceMs,
  });
}

function schedulingHint(reason: string): string {
  if (/Insufficient/.test(reason)) return 'lower resources.requests, or make room on the nodes';
  if (/PersistentVolumeClaim/.test(reason)) return 'see what its volume claims wait for: kubectl describe pvc';
  if (/taint/.test(reason)) return 'add a toleration, or use nodes without the taint';
  if (/affinity|selector/.test(reason)) return 'check nodeSelector and affinity against the labels of the nodes';
  return 'see the events: kubectl describe pod';
}

function containerTrouble(pod: Pod, now: number, events: readonly KubeEvent[]): PodTrouble | undefined {
  for (const status of [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]) {
    const found = waitingTrouble(pod, status, events) ?? crashTrouble(pod, status, now, events);
    if (found) return found;
  }
  return undefined;
}

function waitingTrouble(pod: Pod, status: ContainerStatus, events: readonly KubeEvent[]): PodTrouble | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  const where = `${nameOf(pod)}, container ${status.name}`;
  switch (reason) {
    case 'ErrImagePull':
      // May be a passing fault of the network, unless the registry itself answered; the kubelet tries again after 10 s.
      if (!/not found|manifest unknown|unauthorized|denied|forbidden/i.test(message)) return undefined;
      return pullTrouble(pod, status, message || reason);
    case 'ImagePullBackOff':
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return pullTrouble(pod, status, message || reason);
    case 'CreateContainerConfigError':
      return trouble(
        'containerConfigInvalid',
        `${where} cannot be made: ${sentence(message || reason)}`,
        'apply the ConfigMap, Secret or key that it reads',
      );
    case 'CreateContainerError':
    case 'RunContainerError':
      return trouble(
        'containerNotStarted',
        `${where} cannot be started: ${sentence(message || reason)}`,
        'check its command and its volumes',
      );
    case 'CrashLoopBackOff':
      return crashed(pod, status, status.lastState?.terminated, events, true);
    default:
      return undefined;
  }
}

function pullTrouble(pod: Pod, status: ContainerStatus, message: string): PodTrouble {
  // The runtime's words without what wraps them; both states say the same of one failure.
  const said = message
    .replace(/^Back-off pulling image "[^"]*":?\s*/, '')
    .replace(/^ErrImagePull:\s*/, '')
    .replace(/^rpc error: (code = \w+ desc = )?/, '')
    .replace(/^(failed to pull and unpack image|failed to resolve reference) "[^"]*": /, '')
    .replace(/^failed to resolve reference "[^"]*": /, '')
    .replace(/^failed to do request: \w+ "[^"]*": /, '');
  const image = imageOf(pod, status);
  const text = said.includes(image) ? sentence(said) : `${image}: ${sentence(said)}`;
  return trouble('imagePullFailed', `${nameOf(pod)}, container ${status.name}: its image cannot be pulled, ${text}`, pullHint(message));
}

/** How long a container that runs may take to become ready before the reason is asked for. */
const unreadyMs = 5_000;

/** A container that runs and is not ready. That may pass, so it is no trouble; from `since` on it is worth telling why. */
export function unready(pod: Pod, events: readonly KubeEvent[] = []): { readonly message: string; readonly since: number } | undefined {
  const status = pod.status?.containerStatuses?.find(({ ready, state }) => ready !== true && state?.running !== undefined);
  const startedAt = Date.parse(status?.state?.running?.startedAt ?? '');
  if (!status || Number.isNaN(startedAt)) return undefined;
  const probe = events.findLast((event) => event.reason === 'Unhealthy' && /^(Readiness|Startup) probe/.test(event.message ?? ''));
  const because = probe?.message === undefined ? '' : `: ${sentence(probe.message.split('\n')[0] ?? '')}`;
  return { message: `${nameOf(pod)}, container ${status.name} runs and is not ready${because}`, since: startedAt + unreadyMs };
}

/** A container that ended badly again and again, between two rests of the kubelet. */
function crashTrouble(pod: Pod, status: ContainerStatus, now: number, events: readonly KubeEvent[]): PodTrouble | undefined {
  const restarts = status.restartCount ?? 0;
  const { terminated, running } = status.state ?? {};
  const restartsByItself = pod.spec?.restartPolicy !== 'Never';
  if (terminated) {
    if (terminated.exitCode === 0 || (restartsByItself && restarts < 2)) return undefined;
    return crashed(pod, status, terminated, events, false);
  }
  const before = status.lastState?.terminated;
  if (!running || restarts < 2 || !before || before.exitCode === 0) return undefined;
  // It runs again, for the moment. Unless it keeps running nothing has changed.
  const startedAt = Date.parse(running.startedAt ?? '');
  if (Number.isNaN(startedAt) || now - startedAt >= graceMs) return undefined;
  return crashed(pod, status, before, events, true);
}

function crashed(
  pod: Pod,
  status: ContainerStatus,
  end: TerminatedState | undefined,
  events: readonly KubeEvent[],
  previous: boolean,
): PodTrouble {
  const where = `${nameOf(pod)}, container ${status.name}`;
  const log = { container: status.name, previous };
  const probe = events.findLast((event) => event.reason === 'Unhealthy' && /^(Liveness|Startup) probe/.test(event.message ?? ''));
  if (end?.reason === 'OOMKilled') {
    const limit = specOf(pod, status)?.resources?.limits?.['memory'];
    const message = `${where} used more memory than its limit${limit === undefined ? '' : ` of ${limit}`} and was killed (OOMKilled)`;
    return trouble('outOfMemory', message, 'raise resources.limits.memory, or use less', { log });
  }
  if (end?.reason === 'StartError' || end?.reason === 'ContainerCannotRun') {
    return trouble(
      'containerNotStarted',
      `${where} cannot be started: ${sentence(end.message ?? end.reason)}`,
      'check its command and its image',
    );
  }
  if (probe) {
    return trouble(
      'probeFailed',
      `${where} is restarted again and again: ${sentence(probe.message ?? '')}`,
      'check the probe against what the container serves',
      { log },
    );
  }
  if (end?.exitCode === 0) {
    return trouble(
      'containerCrashed',
      `${where} ends by itself with exit code 0 and is restarted again and again`,
      'its command must keep running',
      { log },
    );
  }
  // Without the number of restarts: the same trouble has the same words.
  const restarted = (status.restartCount ?? 0) > 0 ? ' and is restarted again and again' : '';
  return trouble(
    'containerCrashed',
    `${where} ended with ${exitText(end)}${restarted}`,
    'see its last lines below, or its whole log: kubectl logs',
    { log },
  );
}

function exitText(end: TerminatedState | undefined): string {
  if (!end) return 'an unknown exit code';
  const names: Readonly<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };
  const name = names[end.exitCode];
  return `exit code ${end.exitCode}${name === undefined ? '' : ` (${name})`}`;
}

function specOf(pod: Pod, status: ContainerStatus) {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((container) => container.name === status.name);
}

function imageOf(pod: Pod, status: ContainerStatus): string {
  return specOf(pod, status)?.image ?? status.image ?? '';
}

function pullHint(said: string): string {
  if (/unauthorized|denied|forbidden|401|403|no basic auth/i.test(said))
    return 'give the cluster access to the registry (imagePullSecrets)';
  if (/not found|manifest unknown|404/i.test(said)) return 'check the name and tag of the image, and that it was pushed';
  if (/InvalidImageName/.test(said)) return 'correct the name of the image';
  if (/ErrImageNeverPull/.test(said)) return 'load the image into the cluster, or let it be pulled (imagePullPolicy)';
  if (/server gave HTTP response to HTTPS client/.test(said)) return 'the registry speaks plain http: the nodes must be told that it may';
  if (/no such host|connection refused|timeout|i\/o/i.test(said)) return 'check that the nodes reach the registry';
  return 'see the events: kubectl describe pod';
}

function sentence(text: string): string {
  return text.trim().replace(/\.$/, '');
}
