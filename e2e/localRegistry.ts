import { openRegistry, type Kube } from '../clients';
import type { Result } from '../model';

/** Where the cluster says that its local registry is: `localhost:5001`. */
export async function localRegistry(kube: Kube): Promise<string> {
  const hosting = valueOf(
    await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'local-registry-hosting', namespace: 'kube-public' }),
  );
  const { 'localRegistryHosting.v1': text = '' } = (hosting?.['data'] ?? {}) as Readonly<Record<string, string>>;
  const host = /^host: "?([^"\n]+)"?/m.exec(text)?.[1];
  if (host === undefined) throw new Error('the cluster publishes no kube-public/local-registry-hosting');
  return host;
}

/** The images that an index in a registry has, one for each platform. */
export async function imagesOfIndex(
  ref: string,
): Promise<readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[]> {
  const index = valueOf(await openRegistry().manifest(ref));
  return (JSON.parse(index?.content.toString() ?? '{}') as { readonly manifests: Awaited<ReturnType<typeof imagesOfIndex>> }).manifests;
}

/** What a test cannot go on without: a problem fails it. */
export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { code, message, hint } = result.problem;
  throw new Error(`${code}: ${message}${hint === undefined ? '' : ` (${hint})`}`);
}
