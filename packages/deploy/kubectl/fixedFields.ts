import type { KubeObject } from '../../clients';
import type { Problem } from '../../model';
import { nameOf } from '../kinds';
import { fieldProblems } from './fieldProblems';
import { holds } from './json';
import type { RenderedObject } from './render';

const refusals = /field is immutable|may not (change|add or remove)|updates to .* are forbidden/;

/** Whether the server refuses a change because the field stays as it was when the object was made. */
export function isOfFixedField({ message, detail = '' }: Problem): boolean {
  return refusals.test(`${message} ${detail}`);
}

export interface FixedFieldRequest {
  readonly rendered: RenderedObject;
  readonly live: KubeObject | undefined;
  readonly problem: Problem;
  /** Besides taking the change back: `or`, with what else may be done before it. */
  readonly wayOut: string;
}

/** Which fields cannot be changed in place, each with its place, and what can be done. */
export function fixedFieldProblems({ rendered, live, problem, wayOut }: FixedFieldRequest): readonly [Problem, ...Problem[]] {
  const { object } = rendered;
  const { namespace } = object.metadata;
  const where = namespace === undefined ? '' : ` --namespace ${namespace}`;
  const hint = `it cannot be changed in place; take the change back, ${wayOut}: kubectl delete ${nameOf(object)}${where}`;
  const explain = (text: string): Problem => {
    const found = fieldProblems(rendered, { ...problem, message: text, detail: '' });
    // What else the server finds wrong mostly comes of the field keeping its old value.
    const field = found.find(({ message }) => refusals.test(message)) ?? found[0];
    return { ...field, hint, retry: 'afterDelay', exitCode: 1 };
  };
  const [first, ...others] = changedFields(object, live, problem).map((field) => explain(`${field}: field is immutable`));
  return first ? [first, ...others] : [explain(asWritten(object, `${problem.message}\n${problem.detail ?? ''}`))];
}

/**
 * The server says of a StatefulSet's spec which fields may be changed, and not which one was: `updates to statefulset spec for fields
 * other than 'replicas', … are forbidden`.
 */
function changedFields({ spec }: KubeObject, live: KubeObject | undefined, { message, detail = '' }: Problem): readonly string[] {
  const [, listed] = /for fields other than (.*) are forbidden/.exec(`${message} ${detail}`) ?? [];
  if (listed === undefined || !live) return [];
  const free = new Set([...listed.matchAll(/'(\w+)'/g)].map(([, name]) => name));
  const before = (live['spec'] ?? {}) as Readonly<Record<string, unknown>>;
  return Object.entries(spec ?? {}).flatMap(([name, value]) => (free.has(name) || holds(before[name], value) ? [] : [`spec.${name}`]));
}

/** The server speaks of the list that it keeps beside the one address that a manifest names. */
function asWritten({ spec }: KubeObject, said: string): string {
  return Object.hasOwn(spec ?? {}, 'clusterIPs') ? said : said.replaceAll('spec.clusterIPs[0]', 'spec.clusterIP');
}
