import type { Engine, Kube, KubeObject, Processes } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import { nameOfRef } from '../tag';
import type { Delivery, DeliverRequest } from './delivery';
import { imageInEngine, underTag } from './engineImage';
import { fullName } from './nodeLoad';

/** A tool that makes local clusters and copies images from the engine into their nodes. */
export interface LoadingTool {
  readonly command: string;
  readonly argsFor: (refs: readonly string[], cluster: string) => readonly string[];
}

/** A tool is a line here. */
export const loadingTools = {
  kind: { command: 'kind', argsFor: (refs, cluster) => ['load', 'docker-image', ...refs, '--name', cluster] },
  k3d: { command: 'k3d', argsFor: (refs, cluster) => ['image', 'import', ...refs, '--cluster', cluster] },
  minikube: { command: 'minikube', argsFor: (refs, cluster) => ['image', 'load', ...refs, '--profile', cluster] },
} as const satisfies Readonly<Record<string, LoadingTool>>;

export interface LoadOptions {
  readonly tool: LoadingTool;
  readonly cluster: string;
  readonly nameOf: Delivery['nameOf'];
  readonly kube: Kube;
  readonly engine: Engine;
  readonly processes: Processes;
}

/** Copies images from the engine into the cluster's nodes with the tool that made the cluster. */
export function loadWith({ tool, cluster, nameOf, kube, engine, processes }: LoadOptions): Delivery {
  /** Whether every node has all these names for one image. */
  const areThere = async (refs: readonly string[]): Promise<Result<boolean>> => {
    const nodes = await kube.list({ apiVersion: 'v1', kind: 'Node' });
    if (!nodes.ok) return nodes.problem.code === 'clusterRefused' ? succeeded(false) : nodes;
    const has = (names: ReadonlySet<string>): boolean => refs.every((ref) => names.has(fullName(ref)));
    return succeeded(nodes.value.length > 0 && nodes.value.every((node) => imagesOf(node).some(has)));
  };
  const lookUp: Delivery['lookUp'] = async (ref) => {
    // A node tells only some of its images, and a little late: then the image is loaded once more than needed.
    const there = await areThere([ref]);
    if (!there.ok) return there;
    if (!there.value) return succeeded(undefined);
    return imageInEngine(engine, ref);
  };
  const load = async (refs: readonly string[], { signal, onLine }: Pick<DeliverRequest, 'signal' | 'onLine'>): Promise<Result<void>> => {
    const args = tool.argsFor(refs, cluster);
    const ran = await processes.run({ command: tool.command, args, cwd: '.', signal, onLine });
    if (!ran.ok) return ran;
    if (ran.value.exitCode !== 0) return failed(notLoaded(refs.join(' and '), [tool.command, ...args].join(' '), ran.value));
    return succeeded(undefined);
  };
  return {
    because: `${tool.command} copies images into its cluster ${cluster}`,
    repo: undefined,
    nameOf,
    lookUp,
    async deliver({ image: { ref, id }, tag, ...request }) {
      const named = tag === undefined ? ref : `${nameOfRef(ref)}:${tag}`;
      if (named !== ref) {
        const tagged = await engine.tag(ref, named);
        if (!tagged.ok) return tagged;
      }
      const loaded = await load(named === ref ? [ref] : [ref, named], request);
      return loaded.ok ? succeeded({ ref: named, digest: id }) : loaded;
    },
    retag: (image, tag, request) =>
      underTag(image, tag, async (named) => {
        const there = await areThere([image.ref, named]);
        if (!there.ok) return there;
        if (there.value) return succeeded(undefined);
        const tagged = await engine.tag(image.ref, named);
        return tagged.ok ? load([named], request) : tagged;
      }),
  };
}

/** The names of each image that a node tells of. */
function imagesOf(node: KubeObject): readonly ReadonlySet<string>[] {
  const { images = [] } = (node['status'] ?? {}) as { readonly images?: readonly { readonly names?: readonly string[] | null }[] };
  return images.map(({ names }) => new Set(names));
}

function notLoaded(refs: string, command: string, ran: { readonly exitCode: number; readonly stderr: string }): Problem {
  return {
    code: 'imageNotLoaded',
    message: `${refs} was not loaded into the cluster: ${command} ended with exit code ${ran.exitCode}`,
    hint: 'run the command by hand to see more, or set defaultRepo to a registry that the cluster pulls from',
    retry: 'afterDelay',
    exitCode: 1,
    detail: ran.stderr,
  };
}
