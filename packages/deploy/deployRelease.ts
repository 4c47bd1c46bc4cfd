import { failed, succeeded, type ManifestSource, type Release, type Result, together } from '../model';
import { deployers, type DeployContext } from './deployer';
import { uninstall } from './helm/helm';
import { apply, type Applied, type ApplyRequest, type Installer } from './kubectl/apply';
import type { ManifestText } from './kubectl/manifest';
import { remove, type Removed, type RemoveRequest } from './kubectl/remove';

/** The manifests of a release, made by the tools of its sources. All that fail are told. */
export async function makeManifests(
  { sources }: Pick<Release, 'sources'>,
  context: DeployContext,
): Promise<Result<readonly ManifestText[]>> {
  const made = await Promise.all(sources.map((source) => manifestsOf(source, context)));
  const [problem, ...others] = made.flatMap((answer) => (answer.ok ? [] : [answer.problem]));
  if (problem) return failed(together([problem, ...others]));
  return succeeded(made.flatMap((answer) => (answer.ok ? answer.value : [])));
}

function manifestsOf(source: ManifestSource, context: DeployContext): Promise<Result<readonly ManifestText[]>> {
  switch (source.kind) {
    case 'kubectl':
      return deployers.kubectl.manifests(source, context);
    case 'kustomize':
      return deployers.kustomize.manifests(source, context);
    case 'helm':
      return deployers.helm.manifests(source, context);
  }
}

/** Applies what was rendered of a release: what is another tool's to install is installed by it. */
export function applyRelease(
  { sources }: Pick<Release, 'sources'>,
  request: Omit<ApplyRequest, 'installer'>,
  context: DeployContext,
): Promise<Result<Applied>> {
  const charts = new Map(sources.flatMap((source) => (source.kind === 'helm' ? [[source.name, source] as const] : [])));
  const installer: Installer = {
    parts: [...charts.keys()],
    makesNamespaces: new Set(
      [...charts.values()].flatMap(({ createNamespace, namespace = context.namespace }) => (createNamespace ? [namespace] : [])),
    ),
    async install(part, objects) {
      const source = charts.get(part);
      return (source && (await deployers.helm.install?.(source, objects, context))) ?? succeeded(undefined);
    },
    uninstall: (release) => uninstall(context, release),
  };
  return apply({ ...request, installer });
}

/** Removes everything that a release has in the cluster, whatever its project says now. */
export function removeRelease(
  { sources, named }: Pick<Release, 'sources' | 'named'>,
  request: Omit<RemoveRequest, 'uninstall' | 'helmReleases' | 'kinds'>,
  context: Pick<DeployContext, 'processes' | 'root' | 'cluster' | 'namespace'>,
): Promise<Result<Removed>> {
  const charts = sources.flatMap((source) =>
    source.kind === 'helm' ? [{ name: source.name, namespace: source.namespace ?? context.namespace }] : [],
  );
  return remove({
    ...request,
    ...(named && { kinds: named.kinds }),
    helmReleases: charts,
    uninstall: (release) => uninstall(context, release),
  });
}

/** The namespaces that a release has objects in, as far as its project says. */
export function namespacesOf({ sources, named }: Pick<Release, 'sources' | 'named'>, namespace: string): readonly string[] {
  return [
    ...new Set([
      namespace,
      ...(named?.namespaces ?? []),
      ...sources.flatMap((source) => (source.kind === 'helm' ? (source.namespace ?? []) : [])),
    ]),
  ];
}
