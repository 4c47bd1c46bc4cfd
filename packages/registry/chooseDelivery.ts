import type { Engine, Kube, Processes, Registry } from '../clients';
import { failed, succeeded, type Problem, type Result } from '../model';
import { loadingTools, loadWith } from './clusterLoad';
import type { Delivery } from './delivery';
import { leaveInEngine } from './engineStore';
import { readLocalRegistryHosting } from './localRegistryHosting';
import { pushTo } from './push';

export interface DeliveryOptions {
  /** Absent: there is no cluster to deliver to, only a registry. */
  readonly kube?: Kube;
  readonly engine: Engine;
  readonly registry: Registry;
  readonly processes: Processes;
  /** From the command line, the environment or the config, whichever won. */
  readonly defaultRepo?: string;
}

/**
 * The first of these that applies: `defaultRepo`; the registry that the cluster publishes; what is known of the tool that made the
 * cluster. Nothing is guessed: without any of them the problem names `defaultRepo`.
 */
export async function chooseDelivery({ kube, engine, registry, processes, defaultRepo }: DeliveryOptions): Promise<Result<Delivery>> {
  if (defaultRepo !== undefined && defaultRepo !== '') {
    const repo = defaultRepo.replace(/\/+$/, '');
    if (!repoForm.test(repo)) return failed(repoInvalid(defaultRepo));
    return succeeded(pushTo(repo, `defaultRepo is ${repo}`, { engine, registry }));
  }
  if (!kube) return failed(nowhere('no cluster is asked', undefined));
  const { context } = kube.target;
  const hosting = await readLocalRegistryHosting(kube);
  if (!hosting.ok) return hosting;
  if (hosting.value?.host !== undefined) {
    const { host } = hosting.value;
    return succeeded(pushTo(host, `the cluster publishes the registry ${host}`, { engine, registry }));
  }
  if (context === 'docker-desktop') return succeeded(leaveInEngine('docker-desktop runs the images of this engine', engine));
  for (const tool of loadingTools) {
    const cluster = tool.clusterOf(context);
    if (cluster !== undefined) return succeeded(loadWith({ tool, cluster, kube, engine, processes }));
  }
  return failed(nowhere(`the cluster of context ${context} publishes no registry`, hosting.value?.help));
}

/** A registry's address or a name on Docker Hub, and a path: https://github.com/distribution/reference. */
const repoForm = /^[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?(:[0-9]+)?(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*$/;

function repoInvalid(defaultRepo: string): Problem {
  return {
    code: 'defaultRepoInvalid',
    message: `defaultRepo is "${defaultRepo}", which is not a registry with a path`,
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
