import { probeOf } from './probeOf';
import { conditionOf, statusesOf, type ContainerStatus, type KubeEvent, type Pod } from './shapes';
import { fieldOf, nameOfContainer, nameOfPod, specOf, trouble, type PodTrouble } from './trouble';

/** How long a container that runs may take to become ready before the reason is told. */
const unreadyMs = 2_000;

/** How long an init container may run before it is told: some do a second's work. */
const initMs = 5_000;

/** A pod that runs and is not ready. That may pass, so nothing fails by it; from `certainAt` on it is worth telling why. */
export function unready(pod: Pod, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  const status = statusesOf(pod).find(({ ready, state }) => ready !== true && state?.running !== undefined);
  return status ? unreadyContainer(pod, status, events) : closedGate(pod);
}

function unreadyContainer(pod: Pod, status: ContainerStatus, events: readonly KubeEvent[]): PodTrouble | undefined {
  const startedAt = Date.parse(status.state?.running?.startedAt ?? '');
  if (Number.isNaN(startedAt)) return undefined;
  const log = { container: status.name, previous: false };
  if (isInitial(pod, status)) {
    return trouble(
      {
        code: 'initContainerRuns',
        message: `${nameOfPod(pod)}, init container ${status.name} has not ended, and the other containers wait for it`,
        hint: 'see what it waits for: its last lines may tell',
      },
      { certainAt: startedAt + initMs, log, field: fieldOf(pod, status, 'command') },
    );
  }
  const probe = probeOf(events, /^(Readiness|Startup) probe/);
  return trouble(
    {
      code: probe ? 'probeFailed' : 'containerNotReady',
      message: `${nameOfContainer(pod, status)} runs and is not ready${probe ? `: ${probe.said}` : ''}`,
      hint: 'check its readiness probe against what it serves, and its log',
    },
    {
      certainAt: startedAt + unreadyMs,
      log,
      field: fieldOf(pod, status, probe?.kind === 'Startup' ? 'startupProbe' : 'readinessProbe'),
    },
  );
}

function isInitial(pod: Pod, status: ContainerStatus): boolean {
  const isOne = pod.status?.initContainerStatuses?.some(({ name }) => name === status.name) === true;
  return isOne && specOf(pod, status)?.restartPolicy !== 'Always';
}

/** All containers are ready, and somebody else has to say that the pod is. */
function closedGate(pod: Pod): PodTrouble | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  const since = Date.parse(ready?.lastTransitionTime ?? '');
  if (ready?.reason !== 'ReadinessGatesNotReady' || Number.isNaN(since)) return undefined;
  const closed = (pod.spec?.readinessGates ?? []).filter(
    ({ conditionType }) => conditionOf(pod.status?.conditions, conditionType)?.status !== 'True',
  );
  const names = closed.map(({ conditionType }) => conditionType).join(', ');
  return trouble(
    {
      code: 'readinessGateClosed',
      message: `${nameOfPod(pod)} runs, and waits for its readiness ${closed.length === 1 ? 'gate' : 'gates'} ${names}`,
      hint: 'see that the controller runs that opens it, or leave it out of readinessGates',
    },
    { certainAt: since + unreadyMs, field: 'spec.readinessGates' },
  );
}
