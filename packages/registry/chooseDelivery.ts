import type { Engine, Kube, Processes, Registry } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import { underRepo, type RepoRule } from '../tag';
import { loadingTools, loadWith } from './clusterLoad';
import { nodesIn } from './clusterNode';
import type { Delivery } from './delivery';
import { leaveInEngine } from './engineStore';
import { localClusterOf } from './localCluster';
import { readLocalRegistryHosting } from './localRegistryHosting';
import { minikubeEngine } from './minikubeEngine';
import { loadIntoNodes } from './nodeLoad';
import { pushTo } from './push';

export interface DeliveryOptions {
  /** Absent: there is no cluster to deliver to, only a registry. */
  readonly kube?: Kube;
  readonly engine: Engine;
  readonly registry: Registry;
  readonly processes: Processes;
  /** Connects to the engine that variables such as DOCKER_HOST name. */
  readonly engineAt: (variables: Readonly<Record<string, string>>) => Engine;
  readonly defaultRepo?: RepoRule & {
    /** Who says it: `--default-repo`. */
    readonly from: string;
  };
  /** Whether images are pushed to a registry; undefined: as it suits the cluster. */
  readonly push?: boolean | undefined;
}

/**
 * The first of these that applies: `defaultRepo`; the registry that the cluster publishes; what is known of the tool that made the
 * cluster. With `push: false` only the last, with `push: true` only the others. Nothing is guessed: without any of them the problem
 * names `defaultRepo`.
 */
export async function chooseDelivery(options: DeliveryOptions): Promise<Result<Delivery>> {
  const { kube, push } = options;
  const rule = checkedRule(options);
  if (!rule.ok) return rule;
  if (rule.value && push !== false) return succeeded(pushTo(rule.value, becauseOf(rule.value), options));
  const nameOf = (image: string): string => (rule.value ? underRepo(image, rule.value) : image);
  if (!kube) {
    if (push === false)
      return succeeded(leaveInEngine({ because: 'push is false: images stay in the engine', nameOf, engine: options.engine }));
    return failed(nowhere('no cluster is asked', undefined));
  }
  const { context } = kube.target;
  let help: string | undefined;
  if (push !== false) {
    const hosting = await readLocalRegistryHosting(kube);
    if (!hosting.ok) return hosting;
    const { host, hostFromClusterNetwork: hostFromPods, help: page } = hosting.value ?? {};
    if (host !== undefined)
      return succeeded({
        ...pushTo({ repo: host, multiLevel: true }, `the cluster publishes the registry ${host}`, options),
        isClustersOwn: true,
        ...(hostFromPods !== undefined && { hostFromPods }),
      });
    help = page;
  }
  if (push === true) return failed(nowhere(`push is true, but the cluster of context ${context} publishes no registry`, help));
  const local = await intoCluster({ ...options, kube, nameOf });
  if (!local.ok) return local;
  if (local.value) return succeeded(local.value);
  return failed(push === false ? notLocal(context) : nowhere(`the cluster of context ${context} publishes no registry`, help));
}

interface IntoCluster extends DeliveryOptions {
  readonly kube: Kube;
  readonly nameOf: Delivery['nameOf'];
}

/** Without a registry; undefined when the cluster is of no tool that is known. */
async function intoCluster({ kube, engine, engineAt, processes, nameOf }: IntoCluster): Promise<Result<Delivery | undefined>> {
  const nodes = await kube.list({ apiVersion: 'v1', kind: 'Node' });
  if (!nodes.ok && nodes.problem.code !== 'clusterRefused') return nodes;
  const local = localClusterOf(kube.target.context, nodes.ok ? nodes.value : []);
  switch (local?.kind) {
    case undefined:
      return succeeded(undefined);
    case 'engine':
      return succeeded(leaveInEngine({ because: local.because, nameOf, engine }));
    case 'load': {
      const { tool, cluster } = local;
      const nodes = tool === 'minikube' ? succeeded([]) : await nodesIn(engine, tool, cluster);
      if (nodes.ok && nodes.value.length > 0) {
        const because = `what its nodes lack is copied into the ${tool} cluster ${cluster}`;
        return succeeded(loadIntoNodes({ because, nodes: nodes.value, nameOf, engine }));
      }
      // Nodes that are no containers of this engine, or of none that answers, are the tool's own business.
      return succeeded(loadWith({ tool: loadingTools[tool], cluster, nameOf, kube, engine, processes }));
    }
    case 'ownEngine': {
      const own = await minikubeEngine(local.profile, { processes, engineAt });
      if (!own.ok) return own;
      return succeeded(
        leaveInEngine({ because: `images are built in the engine of minikube ${local.profile}`, nameOf, engine: own.value }),
      );
    }
    case 'none':
      return failed({
        code: 'defaultRepoMissing',
        message: `${local.reason}, and defaultRepo is not set: nothing says where images go`,
        hint: `${local.hint}, or set defaultRepo to a registry that the cluster pulls from`,
        retry: 'never',
        exitCode: 2,
      });
  }
}

function becauseOf({ repo, from }: NonNullable<DeliveryOptions['defaultRepo']>): string {
  return `defaultRepo is ${repo}${from === 'slipway.yaml' ? '' : ` (${from})`}`;
}

function checkedRule({ defaultRepo }: DeliveryOptions): Result<DeliveryOptions['defaultRepo']> {
  if (!defaultRepo || defaultRepo.repo === '') return succeeded(undefined);
  const repo = defaultRepo.repo.replace(/\/+$/, '');
  return repoForm.test(repo) ? succeeded({ ...defaultRepo, repo }) : failed(repoInvalid(defaultRepo));
}

/** A registry's address or a name on Docker Hub, and a path: https://github.com/distribution/reference. */
const repoForm = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?(:[0-9]+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;

function repoInvalid({ repo, from }: NonNullable<DeliveryOptions['defaultRepo']>): Problem {
  return {
    code: 'defaultRepoInvalid',
    message: `defaultRepo is "${repo}" (${from}), which is not a registry with a path`,
    hint: 'write it like registry.example/team, without https:// and without a tag',
    retry: 'never',
    exitCode: 2,
  };
}

function nowhere(reason: string, help: string | undefined): Problem {
  return {
    code: 'defaultRepoMissing',
    message: `${reason}, and defaultRepo is not set: nothing says where images go`,
    hint: `set defaultRepo in slipway.yaml, --default-repo or SLIPWAY_DEFAULT_REPO${help === undefined ? '' : `, or see ${help}`}`,
    retry: 'never',
    exitCode: 2,
  };
}

function notLocal(context: string): Problem {
  return {
    code: 'pushNeeded',
    message: `push is false, but images can get into the cluster of context ${context} only through a registry`,
    hint: 'leave push away, or choose a cluster of kind, k3d, minikube or a desktop',
    retry: 'never',
    exitCode: 2,
  };
}
