import { setTimeout as pause } from 'node:timers/promises';
import type { Kube, KubeObject } from '../../clients';
import type { Problem } from '../../model';
import { kindOf, nameOf } from '../kinds';
import { waitUntil } from '../waitUntil';

/** How long the API server may take to serve a kind. */
const establishMs = 30_000;

/** Waits until the API server has the kind of a definition. Undefined when it has; else why not, as far as it says. */
export async function establishment(kube: Kube, definition: KubeObject): Promise<Problem | undefined> {
  const isIt = (one: KubeObject) => one.metadata.name === definition.metadata.name;
  const { objects } = await waitUntil({
    kube,
    kind: kindOf(definition),
    timeoutMs: establishMs,
    done: (all) =>
      all.some((one) => isIt(one) && (conditionOf(one, 'Established', 'True') ?? conditionOf(one, 'NamesAccepted', 'False')) !== undefined),
  });
  const now = objects.find(isIt);
  if (now && conditionOf(now, 'Established', 'True') && (await isServed(kube, definition))) return undefined;
  const said = now && (conditionOf(now, 'NamesAccepted', 'False') ?? conditionOf(now, 'Established', 'False'));
  return {
    code: 'objectInvalid',
    message: `${nameOf(definition)} is not established: ${said?.message ?? `the cluster says nothing of it after ${establishMs / 1000} s`}`,
    hint: 'correct its names, or delete the definition that has them',
    retry: 'afterDelay',
    exitCode: 1,
  };
}

/** The server says that a kind is established a moment before it lists it. */
async function isServed(kube: Kube, { spec }: KubeObject): Promise<boolean> {
  const {
    group,
    names,
    versions = [],
  } = spec as {
    readonly group?: string;
    readonly names?: { readonly kind?: string };
    readonly versions?: readonly { readonly name: string; readonly served?: boolean }[];
  };
  const kinds = versions.flatMap(({ name, served }) =>
    served === true ? { apiVersion: `${group ?? ''}/${name}`, kind: names?.kind ?? '' } : [],
  );
  const until = Date.now() + establishMs;
  while (Date.now() < until) {
    const found = await Promise.all(kinds.map((kind) => kube.resource(kind)));
    if (found.every((answer) => answer.ok && answer.value !== undefined)) return true;
    await pause(50);
  }
  return false;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

function conditionOf(object: KubeObject, type: string, status: string): Condition | undefined {
  const { conditions } = (object['status'] ?? {}) as { readonly conditions?: readonly Condition[] };
  return conditions?.find((condition) => condition.type === type && condition.status === status);
}
