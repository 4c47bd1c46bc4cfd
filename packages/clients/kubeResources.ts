import { type Result, failed, succeeded } from '../model';
import type { KindRef } from './kube';
import type { KubeHttp } from './kubeHttp';

export interface KubeResource {
  readonly plural: string;
  readonly namespaced: boolean;
}

export interface KubeResources {
  find(kind: KindRef): Promise<Result<KubeResource | undefined>>;
}

interface ApiResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

/** Where the objects of an API version are: `/api/v1` or `/apis/apps/v1`. */
export function versionPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** What every API server has under the same names: nobody needs to be asked for it. */
const builtIn: ReadonlyMap<string, KubeResource> = new Map(
  [
    { apiVersion: 'v1', namespaced: false, kinds: { Namespace: 'namespaces', Node: 'nodes' } },
    {
      apiVersion: 'v1',
      namespaced: true,
      kinds: {
        ConfigMap: 'configmaps',
        Event: 'events',
        PersistentVolumeClaim: 'persistentvolumeclaims',
        Pod: 'pods',
        Secret: 'secrets',
        Service: 'services',
        ServiceAccount: 'serviceaccounts',
      },
    },
    {
      apiVersion: 'apps/v1',
      namespaced: true,
      kinds: { DaemonSet: 'daemonsets', Deployment: 'deployments', ReplicaSet: 'replicasets', StatefulSet: 'statefulsets' },
    },
    { apiVersion: 'batch/v1', namespaced: true, kinds: { CronJob: 'cronjobs', Job: 'jobs' } },
  ].flatMap(({ apiVersion, namespaced, kinds }) =>
    Object.entries(kinds).map(([kind, plural]) => [`${apiVersion} ${kind}`, { plural, namespaced }] as const),
  ),
);

/** Which kinds the API server has. A known kind is asked for once; an unknown one every time, because its definition may have been applied since. */
export function kubeResources(http: KubeHttp): KubeResources {
  const known = new Map(builtIn);
  const asking = new Map<string, Promise<Result<void>>>();

  const ask = async (apiVersion: string): Promise<Result<void>> => {
    const answer = await http.json({ method: 'GET', path: versionPath(apiVersion), subject: `the kinds of ${apiVersion}` });
    if (!answer.ok) return answer.problem.code === 'objectNotFound' ? succeeded(undefined) : failed(answer.problem);
    for (const { name, kind, namespaced } of (answer.value as ApiResourceList).resources ?? []) {
      // Subresources (`deployments/scale`) carry kinds of their own.
      if (!name.includes('/')) known.set(`${apiVersion} ${kind}`, { plural: name, namespaced });
    }
    return succeeded(undefined);
  };

  return {
    async find({ apiVersion, kind }) {
      const key = `${apiVersion} ${kind}`;
      if (!known.has(key)) {
        const running = asking.get(apiVersion) ?? ask(apiVersion).finally(() => asking.delete(apiVersion));
        asking.set(apiVersion, running);
        const asked = await running;
        if (!asked.ok) return asked;
      }
      return succeeded(known.get(key));
    },
  };
}
