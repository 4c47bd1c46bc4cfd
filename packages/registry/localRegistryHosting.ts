import { parse } from 'yaml';
import type { Kube } from '../clients';
import { failed, messageOf, succeeded, type Problem, type Result } from '../model';

/** What a cluster says of a registry beside it: https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry */
export interface LocalRegistryHosting {
  /** Registry and perhaps a path, as this machine reaches it: `localhost:5000`. */
  readonly host: string | undefined;
  /** The same registry as the nodes' container runtime reaches it, when that is another name. */
  readonly hostFromContainerRuntime: string | undefined;
  /** As pods reach it. */
  readonly hostFromClusterNetwork: string | undefined;
  /** A page about how to set one up. */
  readonly help: string | undefined;
}

/** Undefined: the cluster says nothing, or does not let this user read it. */
export async function readLocalRegistryHosting(kube: Kube): Promise<Result<LocalRegistryHosting | undefined>> {
  const found = await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'kube-public', name: 'local-registry-hosting' });
  if (!found.ok) return found.problem.code === 'clusterRefused' ? succeeded(undefined) : found;
  const data = found.value?.['data'];
  const text = isObject(data) ? data['localRegistryHosting.v1'] : undefined;
  return typeof text === 'string' ? parseLocalRegistryHosting(text) : succeeded(undefined);
}

/** Fields that are not known are left alone, as the proposal asks. */
export function parseLocalRegistryHosting(text: string): Result<LocalRegistryHosting> {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return failed(invalid('it is no YAML', messageOf(error)));
  }
  if (!isObject(value)) return failed(invalid('it is no mapping', text));
  const textOf = (name: keyof LocalRegistryHosting): string | undefined => {
    const field = value[name];
    return typeof field === 'string' && field !== '' ? field.replace(/\/+$/, '') : undefined;
  };
  return succeeded({
    host: textOf('host'),
    hostFromContainerRuntime: textOf('hostFromContainerRuntime'),
    hostFromClusterNetwork: textOf('hostFromClusterNetwork'),
    help: textOf('help'),
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(reason: string, detail: string): Problem {
  return {
    code: 'localRegistryInvalid',
    message: `the cluster's ConfigMap kube-public/local-registry-hosting cannot be used: ${reason}`,
    hint: 'correct it, or set defaultRepo to the registry that images go to',
    retry: 'afterDelay',
    exitCode: 3,
    detail,
  };
}
