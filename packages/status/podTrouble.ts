import { configTrouble } from './configTrouble';
import { crashed, crashTrouble, notStarted } from './crashTrouble';
import { passesOnNode, passing } from './passing';
import { probeOf } from './probeOf';
import { pullTrouble } from './pullTrouble';
import { waitsSince, type ContainerStatus, type KubeEvent, type Pod } from './shapes';
import { fieldOf, nameOfContainer, nameOfPod, sentence, trouble, type PodTrouble } from './trouble';
import { unscheduled } from './unscheduled';

/** How long a volume may take before what is said of it counts: the node's caches fill while the first pods start. */
const mountGraceMs = 2_000;

/** The first trouble of a pod; `events` are the pod's own, oldest first, as far as they are known. Pure. */
export function podTrouble(pod: Pod, now: number, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  return unscheduled(pod, now) ?? containerTrouble(pod, now, events) ?? unmounted(pod, events);
}

function containerTrouble(pod: Pod, now: number, events: readonly KubeEvent[]): PodTrouble | undefined {
  for (const status of statusesOf(pod)) {
    const found = waitingTrouble(pod, status, events) ?? crashTrouble(pod, status, { now, events });
    if (found) return found;
  }
  return undefined;
}

function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function waitingTrouble(pod: Pod, status: ContainerStatus, events: readonly KubeEvent[]): PodTrouble | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  const found = troubleOf(pod, status, events);
  const passes = /^(Create|Run)Container/.test(reason) && passesOnNode(message);
  return found && passes ? { ...found, ...passing(waitsSince(pod, status)) } : found;
}

function troubleOf(pod: Pod, status: ContainerStatus, events: readonly KubeEvent[]): PodTrouble | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  switch (reason) {
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'InvalidImageName':
    case 'ErrImageNeverPull':
      return pullTrouble(pod, status);
    case 'CreateContainerConfigError':
      return configTrouble(pod, status, message || reason);
    case 'CreateContainerError':
    case 'RunContainerError':
      return notStarted(pod, status, message || reason);
    case 'CrashLoopBackOff':
      return crashed(pod, status, { end: status.lastState?.terminated, events, previous: true });
    default:
      return undefined;
  }
}

/** A pod whose containers cannot be made because a volume is not there. */
function unmounted(pod: Pod, events: readonly KubeEvent[]): PodTrouble | undefined {
  const isBeingMade = ({ state }: ContainerStatus): boolean => /^(ContainerCreating|PodInitializing)$/.test(state?.waiting?.reason ?? '');
  if (!statusesOf(pod).some(isBeingMade)) return undefined;
  const said = events.findLast(({ reason }) => reason === 'FailedMount' || reason === 'FailedAttachVolume')?.message;
  if (said === undefined) return undefined;
  const [, volume] = /for volume "([^"]+)"/.exec(said) ?? [];
  const reason = said.replace(/^(MountVolume\.\w+|AttachVolume\.\w+) failed for volume "[^"]+" : /, '');
  return trouble(
    {
      code: 'volumeNotMounted',
      message: `${nameOfPod(pod)} waits for its volume${volume === undefined ? '' : ` ${volume}`}: ${sentence(reason)}`,
      hint: 'apply what the volume is made of, or correct its name',
    },
    {
      ...(passesOnNode(said) ? passing(waitsSince(pod)) : { certainAt: waitsSince(pod) + mountGraceMs }),
      field: volume === undefined ? 'spec.volumes' : `spec.volumes[name="${volume}"]`,
    },
  );
}

/** How long a container that runs may take to become ready before the reason is told. */
const unreadyMs = 2_000;

/** A container that runs and is not ready. That may pass, so nothing fails by it; from `certainAt` on it is worth telling why. */
export function unready(pod: Pod, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  const status = pod.status?.containerStatuses?.find(({ ready, state }) => ready !== true && state?.running !== undefined);
  const startedAt = Date.parse(status?.state?.running?.startedAt ?? '');
  if (!status || Number.isNaN(startedAt)) return undefined;
  const probe = probeOf(events, /^(Readiness|Startup) probe/);
  return trouble(
    {
      code: probe ? 'probeFailed' : 'containerNotReady',
      message: `${nameOfContainer(pod, status)} runs and is not ready${probe ? `: ${probe.said}` : ''}`,
      hint: 'check its readiness probe against what it serves, and its log',
    },
    {
      certainAt: startedAt + unreadyMs,
      log: { container: status.name, previous: false },
      field: fieldOf(pod, status, probe?.kind === 'Startup' ? 'startupProbe' : 'readinessProbe'),
    },
  );
}
