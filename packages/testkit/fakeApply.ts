import type { KubeObject } from '../clients';

type Json = Readonly<Record<string, unknown>>;

/** What managers apply of one object: by their names, the fields that each manages. */
export type Managed = ReadonlyMap<string, Json>;

export interface ApplyRequest {
  readonly live: KubeObject | undefined;
  readonly wanted: KubeObject;
  readonly manager: string;
  readonly force: boolean;
  readonly managed: Managed;
}

/** What server-side apply makes of an object, and who manages which fields then; or which field somebody else manages. */
export type AppliedFields =
  { readonly object: KubeObject; readonly managed: Managed } | { readonly conflict: { readonly field: string; readonly manager: string } };

/**
 * Server-side apply: what is applied is laid over what is there, and what the manager applied before and no longer does goes away, unless
 * another manages it too. Lists are taken whole.
 */
export function applyFields({ live, wanted, manager, force, managed }: ApplyRequest): AppliedFields {
  const own = ownable(wanted);
  const differs = (path: readonly string[], value: unknown): boolean => !sameJson(at(live, path), value);
  const others = new Map([...managed].filter(([name]) => name !== manager));
  for (const [name, fields] of others) {
    const taken = leavesOf(own).filter(([path, value]) => at(fields, path) !== undefined && differs(path, value));
    const [first] = taken;
    if (first && !force) return { conflict: { field: first[0].join('.'), manager: name } };
    others.set(name, without(fields, new Set(taken.map(([path]) => path.join('\0')))));
  }
  const ofOthers = new Set([...others.values()].flatMap((fields) => leavesOf(fields).map(([path]) => path.join('\0'))));
  const merged = merge(live ?? {}, wanted, without(managed.get(manager) ?? {}, ofOthers)) as KubeObject;
  const after = new Map([...others, [manager, own] as const].filter(([, fields]) => Object.keys(fields).length > 0));
  return { object: merged, managed: after };
}

/** As the API server tells of it in `metadata.managedFields`. */
export function managedFieldsOf(managed: Managed): readonly Json[] {
  const byName = [...managed].sort(([one], [other]) => (one < other ? -1 : 1));
  return byName.map(([manager, fields]) => ({ manager, operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: fieldsV1(fields) }));
}

function fieldsV1(fields: Json): Json {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [`f:${name}`, isMap(value) ? fieldsV1(value) : {}]));
}

/** Nobody manages what says which object it is. */
function ownable(object: KubeObject): Json {
  const { labels, annotations } = object.metadata;
  const fields = Object.entries(object).filter(([name]) => !['apiVersion', 'kind', 'metadata'].includes(name));
  return without(
    { ...Object.fromEntries(fields), metadata: { ...(labels && { labels }), ...(annotations && { annotations }) } },
    new Set(),
  );
}

/** The fields that are no maps, each with its path; a map with nothing in it is one too. */
function leavesOf(value: Json, path: readonly string[] = []): readonly (readonly [readonly string[], unknown])[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    isMap(inner) && Object.keys(inner).length > 0 ? leavesOf(inner, [...path, name]) : [[[...path, name], inner] as const],
  );
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((inner, name) => mapOf(inner)[name], value);
}

/** Without some of its leaves, and without maps that had nothing else. */
function without(value: Json, paths: ReadonlySet<string>, prefix = ''): Json {
  const left = Object.entries(value).flatMap(([name, inner]): readonly (readonly [string, unknown])[] => {
    if (paths.has(`${prefix}${name}`)) return [];
    if (!isMap(inner)) return [[name, inner]];
    const kept = without(inner, paths, `${prefix}${name}\0`);
    return Object.keys(kept).length > 0 ? [[name, kept]] : [];
  });
  return Object.fromEntries(left);
}

function merge(live: Json, wanted: Json, before: Json): Json {
  const merged = new Map<string, unknown>();
  for (const [name, value] of Object.entries(live)) {
    const gone = before[name];
    if (name in wanted || gone === undefined) merged.set(name, value);
    else if (isMap(value) && isMap(gone)) {
      const left = merge(value, {}, gone);
      if (Object.keys(left).length > 0) merged.set(name, left);
    }
  }
  for (const [name, value] of Object.entries(wanted))
    merged.set(name, isMap(value) ? merge(mapOf(live[name]), value, mapOf(before[name])) : value);
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
