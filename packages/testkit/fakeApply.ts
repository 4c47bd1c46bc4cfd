import type { KubeObject } from '../clients';

type Json = Readonly<Record<string, unknown>>;

/**
 * Server-side apply without the owners of single fields: what is applied is laid over what is there, and what was applied before and no
 * longer is goes away. Lists are taken whole.
 */
export function mergeApplied(live: KubeObject | undefined, wanted: KubeObject, before: KubeObject | undefined): KubeObject {
  return merge(live ?? {}, wanted, before ?? {}) as KubeObject;
}

function merge(live: Json, wanted: Json, before: Json): Json {
  const merged = new Map(Object.entries(live).filter(([name]) => name in wanted || !(name in before)));
  for (const [name, value] of Object.entries(wanted)) {
    merged.set(name, isMap(value) ? merge(mapOf(live[name]), value, mapOf(before[name])) : value);
  }
  return Object.fromEntries(merged);
}

function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mapOf(value: unknown): Json {
  return isMap(value) ? value : {};
}

/** Whether two values have the same JSON, whatever the order of their fields. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(inOrder(a)) === JSON.stringify(inOrder(b));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, field]) => [name, inOrder(field)]),
  );
}
