import type { Kube, KubeObject, KubeTarget } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import { readContextMemory, rememberContext } from './contextMemory';
import { localTool, type NodeIdentity } from './localTool';

export type Verdict =
  | { readonly kind: 'local'; readonly because: string }
  | {
      readonly kind: 'allowed';
      readonly because: string;
      /** The context is met for the first time: its identity is to be remembered. */ readonly remember: boolean;
    }
  | { readonly kind: 'refused'; readonly problem: Problem };

export interface Evidence {
  readonly target: KubeTarget;
  /** Empty when they cannot be read, which proves nothing. */
  readonly nodes: readonly NodeIdentity[];
  readonly allowContexts: readonly string[];
  /** What tells this cluster from every other: the UID of its kube-system namespace. */
  readonly identity: string;
  /** The identity that was behind the context's name when it was last used. */
  readonly remembered: string | undefined;
}

/**
 * Whether Slipway may touch a cluster. A known tool's context and its nodes must both say "local": a loopback address alone may be
 * a tunnel to production. Any other context is allowed by its name, as long as the name means the cluster that it meant before.
 */
export function judge({ target, nodes, allowContexts, identity, remembered }: Evidence): Verdict {
  const tool = localTool(target.context, nodes);
  if (tool !== undefined) return { kind: 'local', because: `context ${target.context} is a cluster of ${tool}, and its nodes say so` };
  if (!allowContexts.includes(target.context)) return { kind: 'refused', problem: contextNotAllowed(target, allowContexts) };
  if (remembered !== undefined && remembered !== identity) return { kind: 'refused', problem: contextChanged(target) };
  return { kind: 'allowed', because: `context ${target.context} is in allowContexts`, remember: remembered === undefined };
}

export interface GuardRequest {
  readonly kube: Kube;
  /** Who the cluster is, when that has been asked already. */
  readonly identity?: Promise<Result<ClusterIdentity>>;
  readonly allowContexts: readonly string[];
  /** See `contextMemoryFile`. */
  readonly memoryFile: string;
  /** The user says that the context means this cluster from now on. */
  readonly acceptContext?: boolean;
}

/** Who a cluster is, as far as it tells. */
export interface ClusterIdentity {
  /** None where they cannot be read, or where there are too many for a cluster of one machine. */
  readonly nodes: readonly NodeIdentity[];
  /** The UID of its kube-system namespace. */
  readonly uid: string | undefined;
}

/** Nodes are long, and no cluster on a developer's machine has so many: of one that has, they prove nothing. */
const manyNodes = 50;

/** Failures: the cluster's own. */
export async function readIdentity(kube: Kube): Promise<Result<ClusterIdentity>> {
  const [nodes, system] = await Promise.all([
    kube.list({ apiVersion: 'v1', kind: 'Node' }, { limit: manyNodes }),
    kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }),
  ]);
  // On a shared cluster neither may be readable; the context can still be allowed by name.
  if (!nodes.ok && nodes.problem.code !== 'clusterRefused') return nodes;
  if (!system.ok && system.problem.code !== 'clusterRefused') return system;
  return succeeded({
    nodes: nodes.ok && nodes.value.length < manyNodes ? nodes.value.map(nodeIdentity) : [],
    uid: system.ok ? system.value?.metadata.uid : undefined,
  });
}

/** Asks the cluster who it is, and judges. Failures: `contextNotAllowed`, `contextChanged` and `contextMemoryUnreadable` (exit 2), and the cluster's own. */
export async function guard({
  kube,
  identity: asked = readIdentity(kube),
  allowContexts,
  memoryFile,
  acceptContext = false,
}: GuardRequest): Promise<Result<Exclude<Verdict, { kind: 'refused' }>>> {
  const told = await asked;
  if (!told.ok) return told;
  const { context, server } = kube.target;
  const { nodes, uid } = told.value;
  const identity = uid ?? `server ${server}`;
  const memory = await readContextMemory(memoryFile);
  if (!memory.ok) return memory;
  const remembered = acceptContext ? undefined : memory.value[context]?.identity;
  const verdict = judge({ target: kube.target, nodes, allowContexts, identity, remembered });
  switch (verdict.kind) {
    case 'refused':
      return failed(
        verdict.problem.code === 'contextChanged' ? { ...verdict.problem, detail: `remembered in ${memoryFile}` } : verdict.problem,
      );
    case 'local':
      return succeeded(verdict);
    case 'allowed': {
      if (!verdict.remember) return succeeded(verdict);
      const written = await rememberContext(memoryFile, context, { identity, server });
      return written.ok ? succeeded(verdict) : written;
    }
  }
}

function nodeIdentity(node: KubeObject): NodeIdentity {
  const spec = node['spec'] as { readonly providerID?: string } | undefined;
  return { name: node.metadata.name ?? '', providerID: spec?.providerID ?? '', labels: node.metadata.labels ?? {} };
}

function contextNotAllowed({ context, server }: KubeTarget, allowContexts: readonly string[]): Problem {
  const names = [...allowContexts, context].map((name) => (/^[A-Za-z][\w./@-]*$/.test(name) ? name : JSON.stringify(name)));
  return {
    code: 'contextNotAllowed',
    message: `context ${context} (${server}) is not a local cluster and is not allowed by this workspace`,
    hint: `choose another with --context, or allow it in slipway.yaml at the workspace root: allowContexts: [${names.join(', ')}]`,
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}

function contextChanged({ context, server }: KubeTarget): Problem {
  return {
    code: 'contextChanged',
    message: `context ${context} (${server}) now means another cluster than when it was last used`,
    hint: 'if that is meant, run again with --accept-context, or delete its line in the file of remembered contexts',
    retry: 'never',
    exitCode: 2,
  };
}
