import type { Environment } from './environment';
import { findProgram } from './debian';
import { ClusterProblem } from './problem';
import { run } from './run';

/** A cluster that somebody named: nothing is made in it or removed from it. */
export interface Told {
  readonly context: string | undefined;
  readonly kubeconfig: string | undefined;
}

/**
 * The cluster that flags or SLIPWAY_CONTEXT and SLIPWAY_KUBECONFIG name. A KUBECONFIG that happens to be set names none: it may be another
 * day's, and what is done here is done to the cluster it names.
 */
export function toldBy(
  options: { readonly context?: string | undefined; readonly kubeconfig?: string | undefined },
  env: NodeJS.ProcessEnv,
): Told | undefined {
  const context = options.context || env['SLIPWAY_CONTEXT'] || undefined;
  const kubeconfig = options.kubeconfig || env['SLIPWAY_KUBECONFIG'] || undefined;
  return context === undefined && kubeconfig === undefined ? undefined : { context, kubeconfig };
}

/** Looks whether the cluster answers, and reads which registry it publishes. */
export async function describeTold(told: Told, env: NodeJS.ProcessEnv): Promise<Environment> {
  if (findProgram('kubectl') === undefined) {
    throw new ClusterProblem(
      'a cluster was named, and there is no kubectl to ask it with',
      'Install kubectl, or drop --context and --kubeconfig.',
    );
  }
  const file = told.kubeconfig === undefined ? [] : ['--kubeconfig', told.kubeconfig];
  const context = told.context ?? (await run(['kubectl', ...file, 'config', 'current-context'], { env })).stdout.trim();
  if (context === '')
    throw new ClusterProblem(`${told.kubeconfig ?? 'the kubeconfig'} has no current context`, 'Name one with --context.', { exitCode: 2 });
  const kubectl = ['kubectl', ...file, '--context', context, '--request-timeout=10s'] as const;
  const ready = await run([...kubectl, 'get', '--raw', '/readyz'], { env, timeoutMs: 20_000 });
  if (ready.status !== 0) {
    throw new ClusterProblem(
      `the cluster of context ${context} does not answer: ${ready.stderr.trim().split('\n').at(-1) ?? ''}`,
      'Start it, or drop --context and SLIPWAY_CONTEXT to get one of our own.',
    );
  }
  const hosting = await run(
    [...kubectl, '-n', 'kube-public', 'get', 'configmap', 'local-registry-hosting', '-o', 'jsonpath={.data.localRegistryHosting\\.v1}'],
    { env, timeoutMs: 20_000 },
  );
  const registry = /^host:\s*"?([^"\s]+)"?/m.exec(hosting.stdout)?.[1];
  return { kind: 'told', kubeconfig: told.kubeconfig ?? (env['KUBECONFIG'] || undefined), context, dockerHost: undefined, registry };
}
