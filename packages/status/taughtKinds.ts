import type { Kube, KubeObject } from '../clients';
import { isNamespaced } from '../deploy';
import type { WatchedPlace } from './watchRelease';

/** Where objects are whose kinds are not Kubernetes' own. Of a kind that the cluster does not have there is nothing to follow. */
export async function placesOfTaughtKinds(
  kube: Pick<Kube, 'resource'> | undefined,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<readonly WatchedPlace[]> {
  const taught = objects.filter((object) => isNamespaced(object) === undefined);
  const places = await Promise.all(
    taught.map(async ({ apiVersion, kind, metadata }): Promise<readonly WatchedPlace[]> => {
      const resource = await kube?.resource({ apiVersion, kind });
      if (resource?.ok !== true || !resource.value) return [];
      return [{ kind: { apiVersion, kind }, namespace: resource.value.namespaced ? (metadata.namespace ?? namespace) : undefined }];
    }),
  );
  return places.flat();
}
