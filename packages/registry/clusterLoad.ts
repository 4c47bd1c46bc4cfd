import type { Engine, Kube, KubeObject, Processes } from '../clients';
import { failed, succeeded, type Problem } from '../model';
import type { Delivery } from './delivery';

/** A tool that makes local clusters and copies images into their nodes. */
export interface LoadingTool {
  readonly command: string;
  /** The cluster's name, when a kubeconfig context is one of this tool's. */
  readonly clusterOf: (context: string) => string | undefined;
  readonly argsFor: (ref: string, cluster: string) => readonly string[];
}

/** A tool is a line here. */
export const loadingTools: readonly LoadingTool[] = [
  {
    command: 'kind',
    clusterOf: (context) => /^kind-(.+)$/.exec(context)?.[1],
    argsFor: (ref, cluster) => ['load', 'docker-image', ref, '--name', cluster],
  },
];

export interface LoadOptions {
  readonly tool: LoadingTool;
  readonly cluster: string;
  readonly kube: Kube;
  readonly engine: Engine;
  readonly processes: Processes;
}

/** Copies images from the engine into the cluster's nodes with the tool that made the cluster. */
export function loadWith({ tool, cluster, kube, engine, processes }: LoadOptions): Delivery {
  const lookUp: Delivery['lookUp'] = async (ref) => {
    const nodes = await kube.list({ apiVersion: 'v1', kind: 'Node' });
    if (!nodes.ok) return nodes.problem.code === 'clusterRefused' ? succeeded(undefined) : nodes;
    // A node tells only some of its images, and a little late: then the image is loaded once more than needed.
    const isThere = nodes.value.length > 0 && nodes.value.every((node) => imagesOf(node).has(fullName(ref)));
    if (!isThere) return succeeded(undefined);
    const id = await engine.imageId(ref);
    return id.ok ? succeeded(id.value === undefined ? undefined : { ref, digest: id.value }) : id;
  };
  return {
    because: `${tool.command} copies images into its cluster ${cluster}`,
    repo: undefined,
    refFor: (image, tag) => `${image}:${tag}`,
    lookUp,
    async deliver({ image: { ref, id }, signal, onLine }) {
      const args = tool.argsFor(ref, cluster);
      const ran = await processes.run({ command: tool.command, args, cwd: '.', signal, onLine });
      if (!ran.ok) return ran;
      if (ran.value.exitCode !== 0) return failed(notLoaded(ref, [tool.command, ...args].join(' '), ran.value));
      return succeeded({ ref, digest: id });
    },
  };
}

/** As nodes name images: Docker Hub is spelled out. */
function fullName(ref: string): string {
  const [first = '', ...rest] = ref.split('/');
  if (rest.length === 0) return `docker.io/library/${ref}`;
  return /[.:]/.test(first) || first === 'localhost' ? ref : `docker.io/${ref}`;
}

function imagesOf(node: KubeObject): ReadonlySet<string> {
  const { images = [] } = (node['status'] ?? {}) as { readonly images?: readonly { readonly names?: readonly string[] | null }[] };
  return new Set(images.flatMap(({ names }) => names ?? []));
}

function notLoaded(ref: string, command: string, ran: { readonly exitCode: number; readonly stderr: string }): Problem {
  return {
    code: 'imageNotLoaded',
    message: `${ref} was not loaded into the cluster: ${command} ended with exit code ${ran.exitCode}`,
    hint: 'run the command by hand to see more, or set defaultRepo to a registry that the cluster pulls from',
    retry: 'afterDelay',
    exitCode: 1,
    detail: ran.stderr,
  };
}
