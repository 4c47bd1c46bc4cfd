import { conditionOf, type Pod } from './shapes';
import { describeCommand, nameOfPod, sentence, trouble, type PodTrouble } from './trouble';

/** A pod that an update makes room for, or whose volume is being made, waits for this long. A cluster that grows takes longer: see `rollout` of the config. */
const graceMs = 3_000;

/** Why no node takes a pod: what it lacks, and on how many nodes. */
export function unscheduled(pod: Pod, now: number): PodTrouble | undefined {
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled');
  if (scheduled?.status !== 'False' || scheduled.reason !== 'Unschedulable') return undefined;
  const said = scheduled.message ?? 'the scheduler gives no reason';
  const since = Date.parse(scheduled.lastTransitionTime ?? pod.metadata.creationTimestamp ?? '');
  const certainAt = (Number.isNaN(since) ? now : since) + graceMs;
  if (/persistentvolumeclaim/i.test(said)) return unbound(pod, said, certainAt);
  const { text, lacks } = reasonOf(said, pod);
  const lacksVolume = lacks?.kind === 'volume';
  return trouble(
    {
      code: lacksVolume ? 'volumeNotBound' : 'podUnschedulable',
      message: `${nameOfPod(pod)} cannot be scheduled: ${text}`,
      hint: hintOf(lacks, pod),
      sharedCause: text,
    },
    { certainAt, field: fieldFor(lacks, pod) },
  );
}

function unbound(pod: Pod, said: string, certainAt: number): PodTrouble {
  const [, claim] = /persistentvolumeclaim "([^"]+)" not found/.exec(said) ?? [];
  if (claim === undefined) {
    // The scheduler does not say which.
    const claims = /unbound immediate/.test(said) ? claimsOf(pod) : [];
    const [only, ...others] = claims;
    const reason =
      only === undefined
        ? sentence(withoutPreemption(said))
        : others.length === 0
          ? `its claim ${only} is not bound`
          : `not all of its claims ${claims.join(', ')} are bound`;
    return trouble(
      {
        code: 'volumeNotBound',
        message: `${nameOfPod(pod)} waits for a volume: ${reason}`,
        hint: `see what its claim waits for: ${describeClaims(pod)}`,
      },
      { certainAt, field: 'spec.volumes' },
    );
  }
  const volume = pod.spec?.volumes?.find(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim);
  return trouble(
    {
      code: 'volumeNotBound',
      message: `${nameOfPod(pod)} waits for the volume claim ${claim}, which is not there`,
      hint: 'apply the claim, or correct its name',
    },
    { certainAt, field: volume ? `spec.volumes[name="${volume.name}"]` : 'spec.volumes' },
  );
}

function claimsOf(pod: Pod): readonly string[] {
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
}

function describeClaims(pod: Pod): string {
  return describeCommand(pod, ['pvc', ...claimsOf(pod)].join(' '));
}

type Lack = { readonly kind: 'resource'; readonly name: string } | { readonly kind: 'taint' | 'labels' | 'volume' | 'node' } | undefined;

/** Taints that a cluster gives to nodes which take no pods for a time, by what follows `node.kubernetes.io/`. */
const awayNodes: Readonly<Record<string, string>> = {
  unschedulable: 'cordoned',
  'not-ready': 'not ready',
  unreachable: 'out of reach',
  'disk-pressure': 'short of disk',
  'memory-pressure': 'short of memory',
};

/** `0/3 nodes are available: 2 Insufficient cpu, 1 node(s) had untolerated taint {dedicated: gpu}. preemption: …` */
function reasonOf(said: string, pod: Pod): { readonly text: string; readonly lacks: Lack } {
  const [, nodes, reasons] = /^0\/(\d+) nodes are available: (.*)$/s.exec(sentence(withoutPreemption(said))) ?? [];
  if (nodes === undefined || reasons === undefined) return { text: sentence(said), lacks: undefined };
  let lacks: Lack;
  const parts = [...reasons.matchAll(/(\d+) (.*?)(?=, \d+ |\.*\s*$)/gs)].map(([, count = '', reason = '']) => {
    const [resource] = /(?<=^Insufficient )\S+/.exec(reason) ?? [];
    if (resource !== undefined) {
      lacks ??= { kind: 'resource', name: resource };
      return `too little ${resource} on ${count}${askedFor(pod, resource)}`;
    }
    const away =
      awayNodes[/taint.*\{node\.kubernetes\.io\/([a-z-]+)/.exec(reason)?.[1] ?? (/were unschedulable/.test(reason) ? 'unschedulable' : '')];
    if (away !== undefined) {
      lacks ??= { kind: 'node' };
      return `${count} ${count === '1' ? 'is' : 'are'} ${away}`;
    }
    const [, key, value] = /untolerated taint(?:\(s\))? \{([^:}]*): ?([^}]*)\}/.exec(reason) ?? [];
    if (key !== undefined) {
      lacks ??= { kind: 'taint' };
      return `the taint ${key}${value === undefined || value === '' ? '' : `=${value}`} on ${count}`;
    }
    if (/persistent volumes to bind/.test(reason)) {
      lacks ??= { kind: 'volume' };
      return `no volume for its claims on ${count}`;
    }
    // Since Kubernetes 1.34 the scheduler does not say which.
    if (/untolerated taint/.test(reason)) {
      lacks ??= { kind: 'taint' };
      return `taints that it does not tolerate on ${count}`;
    }
    if (/affinity|selector/.test(reason)) lacks ??= { kind: 'labels' };
    return `${reason.replace(/^node\(s\) /, '').replace(/^didn't/, "labels that don't")} on ${count}`;
  });
  if (parts.length === 0) return { text: sentence(said), lacks: undefined };
  return { text: `of ${nodes} ${nodes === '1' ? 'node' : 'nodes'} none takes it: ${parts.join(', ')}`, lacks };
}

function withoutPreemption(said: string): string {
  return said.replace(/\.?( no new claims to deallocate,)? preemption: .*$/s, '');
}

function askedFor(pod: Pod, resource: string): string {
  const asked = (pod.spec?.containers ?? []).flatMap(({ resources }) => resources?.requests?.[resource] ?? []);
  return asked.length === 0 ? '' : ` (it asks for ${asked.join(' + ')})`;
}

function hintOf(lacks: Lack, pod: Pod): string {
  switch (lacks?.kind) {
    case 'resource':
      return 'lower resources.requests, or make room on the nodes';
    case 'taint':
      return 'add a toleration, or use nodes without the taint: kubectl describe nodes shows them';
    case 'labels':
      return 'check nodeSelector and affinity against the labels of the nodes';
    case 'volume':
      return `apply a PersistentVolume that fits, or name a storage class that makes volumes: ${describeClaims(pod)}`;
    case 'node':
      return 'it is scheduled when a node takes pods again: kubectl get nodes';
    case undefined:
      return `see the events: ${describeCommand(pod)}`;
  }
}

function fieldFor(lacks: Lack, pod: Pod): string | undefined {
  // Nothing in the manifest is wrong.
  if (lacks?.kind === 'node') return undefined;
  if (lacks?.kind === 'taint') return 'spec.tolerations';
  if (lacks?.kind === 'volume') return 'spec.volumes';
  if (lacks?.kind === 'labels') return 'spec.nodeSelector';
  const name = lacks?.kind === 'resource' ? lacks.name : undefined;
  const asks = name === undefined ? undefined : pod.spec?.containers?.find(({ resources }) => resources?.requests?.[name] !== undefined);
  return asks && name !== undefined ? `spec.containers[name="${asks.name}"].resources.requests.${name}` : 'spec';
}
