import { configTrouble } from './configTrouble';
import { crashed, crashTrouble, notStarted, postStartFailed } from './crashTrouble';
import { passesOnNode, passing } from './passing';
import { pullTrouble } from './pullTrouble';
import { statusesOf, waitsSince, type ContainerStatus, type KubeEvent, type Pod } from './shapes';
import type { PodTrouble } from './trouble';
import { unbegun } from './unbegun';
import { unscheduled } from './unscheduled';

/** The first trouble of a pod; `events` are the pod's own, oldest first, as far as they are known. Pure. */
export function podTrouble(pod: Pod, now: number, events: readonly KubeEvent[] = []): PodTrouble | undefined {
  return unscheduled(pod, now) ?? containerTrouble(pod, now, events) ?? unbegun(pod, events);
}

function containerTrouble(pod: Pod, now: number, events: readonly KubeEvent[]): PodTrouble | undefined {
  for (const status of statusesOf(pod)) {
    const found = waitingTrouble(pod, status, events) ?? crashTrouble(pod, status, { now, events });
    if (found) return found;
  }
  return undefined;
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
    case 'PostStartHookError':
      return postStartFailed(pod, status);
    case 'CrashLoopBackOff':
      return crashed(pod, status, { end: status.lastState?.terminated, events, previous: true });
    default:
      return undefined;
  }
}
