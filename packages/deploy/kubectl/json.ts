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
