import type { KubeObject } from '../clients';

/** How images get into a local cluster that pulls from no registry. */
export type LocalCluster =
  /** Its nodes run what the engine of this machine has. */
  | { readonly kind: 'engine'; readonly because: string }
  /** It has an engine of its own, which builds as well. */
  | { readonly kind: 'ownEngine'; readonly profile: string }
  | { readonly kind: 'load'; readonly tool: 'kind' | 'k3d' | 'minikube'; readonly cluster: string }
  /** There is no way, and what can be done about that. */
  | { readonly kind: 'none'; readonly reason: string; readonly hint: string };

interface Shape {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly status?: { readonly nodeInfo?: { readonly containerRuntimeVersion?: string } };
}

/** What a context and its nodes say of the tool that made the cluster. Undefined: it is none that is known. Pure. */
export function localClusterOf(context: string, nodes: readonly KubeObject[]): LocalCluster | undefined {
  const kind = /^kind-(.+)$/.exec(context)?.[1];
  if (kind !== undefined) return { kind: 'load', tool: 'kind', cluster: kind };
  const k3d = /^k3d-(.+)$/.exec(context)?.[1];
  if (k3d !== undefined) return { kind: 'load', tool: 'k3d', cluster: k3d };
  if (context === 'docker-desktop') return { kind: 'engine', because: 'docker-desktop runs the images of this engine' };
  const runtimes = nodes.map((node) => (node as Shape).status?.nodeInfo?.containerRuntimeVersion ?? '');
  const runsDocker = runtimes.length > 0 && runtimes.every((runtime) => runtime.startsWith('docker://'));
  if (nodes.length > 0 && nodes.every((node) => (node as Shape).metadata.labels?.['minikube.k8s.io/name'] === context)) {
    return runsDocker ? { kind: 'ownEngine', profile: context } : { kind: 'load', tool: 'minikube', cluster: context };
  }
  const desktop = desktops.find(({ claims }) => claims.test(context));
  if (!desktop) return undefined;
  if (runsDocker) return { kind: 'engine', because: `${desktop.name} runs the images of this engine` };
  if (runtimes.length === 0) return undefined;
  return { kind: 'none', reason: `${desktop.name} runs containerd, which has none of the engine's images`, hint: desktop.hint };
}

const desktops = [
  { name: 'Rancher Desktop', claims: /^rancher-desktop$/, hint: 'choose dockerd (moby) in its preferences' },
  { name: 'Colima', claims: /^colima(-.+)?$/, hint: 'start it with colima start --runtime docker --kubernetes' },
  { name: 'OrbStack', claims: /^orbstack$/, hint: 'let it run Docker' },
] as const;
