import type { Readable } from 'node:stream';
import type { ContainerCommandEnd, Engine } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';

/** The containerd of a node that is a container of the engine, as Kubernetes uses it. */
export interface ClusterNode {
  readonly name: string;
  images(signal?: AbortSignal): Promise<Result<ReadonlySet<string>>>;
  /** Digests of all content that it has. */
  blobs(signal?: AbortSignal): Promise<Result<ReadonlySet<string>>>;
  importImage(archive: Readable, signal?: AbortSignal): Promise<Result<void>>;
  /** Gives an image another name, and takes that name from what had it. */
  tag(image: string, name: string): Promise<Result<void>>;
}

/** Tools whose nodes are containers, and the labels by which these are known. */
const labelsOf = {
  kind: (cluster: string) => [{ 'io.x-k8s.kind.cluster': cluster }],
  k3d: (cluster: string) => ['server', 'agent'].map((role) => ({ 'k3d.cluster': cluster, 'k3d.role': role })),
} as const;

/** What kind has beside nodes: it balances the load of several control planes, and runs no pods. */
const noNode = { 'io.x-k8s.kind.role': 'external-load-balancer' };

/** None: the nodes are not in this engine, as those that another engine's containers are. */
export async function nodesIn(engine: Engine, tool: keyof typeof labelsOf, cluster: string): Promise<Result<readonly ClusterNode[]>> {
  const names = new Set<string>();
  for (const labels of labelsOf[tool](cluster)) {
    const found = await engine.containers(labels);
    if (!found.ok) return found;
    const others = tool === 'kind' ? await engine.containers({ ...labels, ...noNode }) : succeeded([]);
    if (!others.ok) return others;
    for (const name of found.value) if (!others.value.includes(name)) names.add(name);
  }
  return succeeded([...names].map((name) => nodeIn(engine, name)));
}

function nodeIn(engine: Engine, name: string): ClusterNode {
  const ctr = async (
    args: readonly string[],
    { signal, input }: { readonly signal?: AbortSignal | undefined; readonly input?: Readable } = {},
  ): Promise<Result<string>> => {
    const command = ['ctr', '--namespace=k8s.io', ...args];
    const ran = await engine.exec({ container: name, command, ...(signal && { signal }), ...(input && { input }) });
    if (!ran.ok) return ran;
    return ran.value.exitCode === 0 ? succeeded(ran.value.stdout) : failed(refused(name, command, ran.value));
  };
  const list = async (what: string, signal?: AbortSignal): Promise<Result<ReadonlySet<string>>> => {
    const listed = await ctr([what, 'ls', '--quiet'], { signal });
    return listed.ok ? succeeded(new Set(listed.value.split('\n').filter((line) => line !== ''))) : listed;
  };
  return {
    name,
    images: (signal) => list('images', signal),
    blobs: (signal) => list('content', signal),
    async importImage(input, signal) {
      // Whatever platform it was made for: a node may emulate it.
      const ran = await ctr(['images', 'import', '--all-platforms', '-'], { signal, input });
      return ran.ok ? succeeded(undefined) : ran;
    },
    async tag(image, wanted) {
      const ran = await ctr(['images', 'tag', '--force', image, wanted]);
      return ran.ok ? succeeded(undefined) : ran;
    },
  };
}

function refused(node: string, command: readonly string[], { exitCode, stdout, stderr }: ContainerCommandEnd): Problem {
  const said = (stderr.trim() === '' ? stdout : stderr).trim();
  return {
    code: 'imageNotLoaded',
    message: `the node ${node} does not take the image: ${command.join(' ')} ended with exit code ${exitCode} there`,
    hint: 'look whether the node runs and has room, or set defaultRepo to a registry that the cluster pulls from',
    retry: 'afterDelay',
    exitCode: 1,
    ...(said !== '' && { detail: said }),
  };
}
