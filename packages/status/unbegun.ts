import { passesOnNode, passing } from './passing';
import { conditionOf, statusesOf, waitsSince, type ContainerStatus, type KubeEvent, type Pod } from './shapes';
import { nameOfPod, sentence, trouble, type PodTrouble } from './trouble';

/** How long it may take before what is said of it counts: the node's caches fill while the first pods start. */
const graceMs = 2_000;

/** A pod whose containers cannot be made because a volume is not there, or because its node cannot even begin it. */
export function unbegun(pod: Pod, events: readonly KubeEvent[]): PodTrouble | undefined {
  const isBeingMade = ({ state }: ContainerStatus): boolean => /^(ContainerCreating|PodInitializing)$/.test(state?.waiting?.reason ?? '');
  const hasBegun = conditionOf(pod.status?.conditions, 'PodReadyToStartContainers')?.status === 'True';
  if (hasBegun || !statusesOf(pod).some(isBeingMade)) return undefined;
  const event = events.findLast(({ reason = '' }) => /^(FailedMount|FailedAttachVolume|FailedCreatePodSandBox)$/.test(reason));
  if (event?.message === undefined) return undefined;
  return event.reason === 'FailedCreatePodSandBox' ? withoutSandbox(pod, event.message) : unmounted(pod, event.message);
}

function unmounted(pod: Pod, said: string): PodTrouble {
  const [, volume] = /for volume "([^"]+)"/.exec(said) ?? [];
  const reason = said.replace(/^(MountVolume\.\w+|AttachVolume\.\w+) failed for volume "[^"]+" : /, '');
  return trouble(
    {
      code: 'volumeNotMounted',
      message: `${nameOfPod(pod)} waits for its volume${volume === undefined ? '' : ` ${volume}`}: ${sentence(reason)}`,
      hint: 'apply what the volume is made of, or correct its name',
    },
    {
      ...(passesOnNode(said) ? passing(waitsSince(pod)) : { certainAt: waitsSince(pod) + graceMs }),
      field: volume === undefined ? 'spec.volumes' : `spec.volumes[name="${volume}"]`,
    },
  );
}

/** What a node says of a pod's sandbox mostly passes: its network is not set up yet, addresses of pods that have ended are not given back. */
function withoutSandbox(pod: Pod, said: string): PodTrouble {
  const reason = sentence(
    said
      .replace(/^Failed to create pod sandbox: /, '')
      .replace(/^rpc error: (code = \w+ desc = )?/, '')
      .replace(/^failed to (create containerd task|start sandbox container task|setup network for sandbox) "[^"]*": /, ''),
  );
  const [, handler] = /no runtime for "([^"]+)" is configured/.exec(said) ?? [];
  const common = { code: 'podNotBegun', message: `${nameOfPod(pod)} cannot be begun by its node: ${reason}` };
  return handler === undefined
    ? trouble({ ...common, hint: "it is tried again; see the node's network plugin and container runtime" }, passing(waitsSince(pod)))
    : trouble(
        { ...common, hint: `name a runtime class that the nodes have, or set ${handler} up there` },
        { certainAt: waitsSince(pod) + graceMs, field: 'spec.runtimeClassName' },
      );
}
