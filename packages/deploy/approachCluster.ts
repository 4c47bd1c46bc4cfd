import { connectKube, type Kube, type KubeconfigOptions, type KubeTarget } from '../clients';
import { succeeded, type Result } from '../model';
import { guard, type GuardRequest } from './guard';

/** A cluster that is known by its kubeconfig. Before the guard has said yes it can be asked whether it answers, and nothing else. */
export interface ApproachedCluster {
  readonly target: KubeTarget;
  version(): Promise<Result<string>>;
  /** Has the guard judge it. Failures: those of `guard`. */
  enter(request: Omit<GuardRequest, 'kube'>): Promise<Result<EnteredCluster>>;
}

export interface EnteredCluster {
  /** The only way to apply, delete or run anything there. */
  readonly kube: Kube;
  /** Why that is allowed. */
  readonly because: string;
}

/** The only door to clusters: who has a `Kube` has asked the guard. Failures: those of a kubeconfig. */
export async function approachCluster(options: KubeconfigOptions): Promise<Result<ApproachedCluster>> {
  const connected = await connectKube(options);
  if (!connected.ok) return connected;
  const kube = connected.value;
  return succeeded({
    target: kube.target,
    version: () => kube.version(),
    async enter(request) {
      const verdict = await guard({ ...request, kube });
      return verdict.ok ? succeeded({ kube, because: verdict.value.because }) : verdict;
    },
  });
}
