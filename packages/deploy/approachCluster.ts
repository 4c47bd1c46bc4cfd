import { connectKube, type Kube, type KubeconfigOptions, type KubeTarget } from '../clients';
import { succeeded, type Result } from '../model';
import { guard, readIdentity, type GuardRequest } from './guard';

/** A cluster that is known by its kubeconfig. Before the guard has said yes it can be asked whether it answers and who it is, and nothing else. */
export interface ApproachedCluster {
  readonly target: KubeTarget;
  version(): Promise<Result<string>>;
  /** Has the guard judge it. Failures: those of `guard`. */
  enter(request: Omit<GuardRequest, 'kube' | 'identity'>): Promise<Result<EnteredCluster>>;
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
  let identity: ReturnType<typeof readIdentity> | undefined;
  return succeeded({
    target: kube.target,
    async version() {
      const version = await kube.version();
      // It is asked for while the workspace is still read.
      if (version.ok) identity = readIdentity(kube);
      return version;
    },
    async enter(request) {
      const asked = identity ?? readIdentity(kube);
      // Another time it may be another cluster.
      identity = undefined;
      const verdict = await guard({ ...request, kube, identity: asked });
      return verdict.ok ? succeeded({ kube, because: verdict.value.because }) : verdict;
    },
  });
}
