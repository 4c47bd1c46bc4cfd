import { probeOf } from './probeOf';
import type { ContainerStatus, KubeEvent, Pod, TerminatedState } from './shapes';
import { fieldOf, nameOfContainer, sentence, specOf, trouble, type PodTrouble } from './trouble';

/** How long a container that has crashed before must run before it is believed. */
const graceMs = 10_000;

/** A container that ended badly again and again, between two rests of the kubelet. */
export function crashTrouble(
  pod: Pod,
  status: ContainerStatus,
  { now, events }: { readonly now: number; readonly events: readonly KubeEvent[] },
): PodTrouble | undefined {
  const restarts = status.restartCount ?? 0;
  const { terminated, running } = status.state ?? {};
  const restartsByItself = pod.spec?.restartPolicy !== 'Never';
  if (terminated) {
    if (terminated.exitCode === 0 || (restartsByItself && restarts < 2)) return undefined;
    return crashed(pod, status, { end: terminated, events, previous: false });
  }
  const before = status.lastState?.terminated;
  if (!running || restarts < 2 || !before || before.exitCode === 0) return undefined;
  // It runs again, for the moment. Unless it keeps running nothing has changed.
  const startedAt = Date.parse(running.startedAt ?? '');
  if (Number.isNaN(startedAt) || now - startedAt >= graceMs) return undefined;
  return crashed(pod, status, { end: before, events, previous: true });
}

interface Crash {
  readonly end: TerminatedState | undefined;
  readonly events: readonly KubeEvent[];
  /** The log is that of the container before the one that is there. */
  readonly previous: boolean;
}

/** Why a container is restarted again and again. */
export function crashed(pod: Pod, status: ContainerStatus, { end, events, previous }: Crash): PodTrouble {
  const where = nameOfContainer(pod, status);
  const log = { container: status.name, previous };
  if (end?.reason === 'OOMKilled') {
    const limit = specOf(pod, status)?.resources?.limits?.['memory'];
    return trouble(
      {
        code: 'outOfMemory',
        message: `${where} used more memory than its limit${limit === undefined ? '' : ` of ${limit}`} and was killed (OOMKilled)`,
        hint: 'raise resources.limits.memory, or use less',
      },
      { log, field: fieldOf(pod, status, 'resources.limits.memory') },
    );
  }
  if (end?.reason === 'StartError' || end?.reason === 'ContainerCannotRun') return notStarted(pod, status, end.message ?? end.reason);
  const probe = probeOf(events, /^(Liveness|Startup) probe/);
  if (probe) {
    return trouble(
      {
        code: 'probeFailed',
        message: `${where} is restarted again and again: ${probe.said}`,
        hint: 'check the probe against what the container serves, and how long it may take to start',
      },
      { log, field: fieldOf(pod, status, probe.kind === 'Startup' ? 'startupProbe' : 'livenessProbe') },
    );
  }
  if (events.some(({ reason }) => reason === 'FailedPostStartHook')) return postStartFailed(pod, status);
  const endsWell = end?.exitCode === 0;
  // Without the number of restarts: the same trouble has the same words.
  const restarted = (status.restartCount ?? 0) > 0 ? ' and is restarted again and again' : '';
  return trouble(
    {
      code: 'containerCrashed',
      message: endsWell
        ? `${where} ends by itself with exit code 0 and is restarted again and again`
        : `${where} ended with ${exitText(end)}${restarted}`,
      hint: endsWell ? 'its command must keep running' : `mend what its last lines tell; its whole log: ${logsCommand(pod, log)}`,
    },
    { log, field: fieldOf(pod, status, 'command') },
  );
}

/** What prints the log of a container, or of the one before it. */
function logsCommand({ metadata: { name = '', namespace } }: Pod, { container, previous }: NonNullable<PodTrouble['log']>): string {
  const where = namespace === undefined ? '' : ` --namespace ${namespace}`;
  return `kubectl logs ${name}${where} --container ${container}${previous ? ' --previous' : ''}`;
}

/** The node kills a container whose hook fails, and keeps what the hook said to itself. */
export function postStartFailed(pod: Pod, status: ContainerStatus): PodTrouble {
  return trouble(
    {
      code: 'postStartFailed',
      message: `${nameOfContainer(pod, status)} is killed again and again, as its postStart hook fails`,
      hint: 'run what the hook runs by hand: the cluster does not tell what it prints',
    },
    { log: { container: status.name, previous: status.state?.running === undefined }, field: fieldOf(pod, status, 'lifecycle.postStart') },
  );
}

/** What a runtime wraps around its reason. */
const wrappings =
  /(failed to create containerd task|failed to start containerd task "[^"]*"|failed to create shim task|OCI runtime (create|exec) failed|runc create failed|unable to start container process): |: unknown$/g;

/** A container whose process could not be started at all. */
export function notStarted(pod: Pod, status: ContainerStatus, said: string): PodTrouble {
  return trouble(
    {
      code: 'containerNotStarted',
      message: `${nameOfContainer(pod, status)} cannot be started: ${sentence(said.replace(wrappings, ''))}`,
      hint: 'check its command, its image and its volumes',
    },
    { field: fieldOf(pod, status, 'command') },
  );
}

function exitText(end: TerminatedState | undefined): string {
  if (!end) return 'an unknown exit code';
  const names: Readonly<Record<number, string>> = { 134: 'SIGABRT', 137: 'SIGKILL', 139: 'SIGSEGV', 143: 'SIGTERM' };
  const name = names[end.exitCode];
  return `exit code ${end.exitCode}${name === undefined ? '' : ` (${name})`}`;
}
