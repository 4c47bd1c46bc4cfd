/** A JSON object of which nothing is known: what a manifest holds is whatever somebody typed. */
export type JsonObject = Record<string, unknown>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The objects in a list; what is neither is left out, the API server will say what is wrong with it. */
export function objectsIn(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The object at a path below an object, or undefined. */
export function objectAt(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  let at = value;
  for (const name of path) at = isJsonObject(at) ? at[name] : undefined;
  return isJsonObject(at) ? at : undefined;
}

/** Whether a value of the cluster has all of a value that is wanted; what it has beside that does not count. */
export function holds(live: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return Array.isArray(live) && live.length === wanted.length && wanted.every((item, index) => holds(live[index], item));
  if (typeof wanted !== 'object' || wanted === null) return live === wanted;
  if (typeof live !== 'object' || live === null || Array.isArray(live)) return false;
  return Object.entries(wanted).every(([name, value]) => holds((live as Readonly<Record<string, unknown>>)[name], value));
}
