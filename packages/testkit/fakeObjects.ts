import type { KindRef, KubeObject, ObjectRef, WatchEvents } from '../clients';
import { applyFields, managedFieldsOf, sameJson, type Managed } from './fakeApply';

export interface Selection {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** The objects of a cluster, with their versions and generations, and those who watch them. */
export interface FakeObjects {
  kind(kind: KindRef): { readonly plural: string; readonly namespaced: boolean } | undefined;
  /** The object with the namespace it gets. */
  placed(object: KubeObject, namespace: string): KubeObject;
  find(ref: ObjectRef): KubeObject | undefined;
  select(kind: KindRef, selection: Selection): readonly KubeObject[];
  all(): readonly KubeObject[];
  put(object: KubeObject): KubeObject;
  /** What server-side apply makes of it, kept unless it is only tried; or who manages a field of it. */
  apply(object: KubeObject, how: HowApplied): KubeObject | { readonly conflict: { readonly field: string; readonly manager: string } };
  remove(ref: ObjectRef): void;
  watch(kind: KindRef, selection: Selection, events: WatchEvents): { stop(): void };
  /** Makes every watch list again, as when its version is too old. */
  expireWatches(): void;
}

export interface HowApplied {
  readonly manager: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

interface Watch {
  readonly kind: KindRef;
  readonly selection: Selection;
  readonly events: WatchEvents;
  stopped: boolean;
}

const builtIn: Readonly<Record<string, readonly string[]>> = {
  v1: ['Pod', 'Service', 'ConfigMap', 'Secret', 'ServiceAccount', 'PersistentVolumeClaim', 'Event', 'Endpoints', 'ReplicationController'],
  'apps/v1': ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'],
  'batch/v1': ['Job', 'CronJob'],
  'networking.k8s.io/v1': ['NetworkPolicy', 'Ingress'],
  'rbac.authorization.k8s.io/v1': ['Role', 'RoleBinding'],
  'discovery.k8s.io/v1': ['EndpointSlice'],
  'coordination.k8s.io/v1': ['Lease'],
};
const builtInOfCluster: Readonly<Record<string, readonly string[]>> = {
  v1: ['Namespace', 'Node', 'PersistentVolume'],
  'rbac.authorization.k8s.io/v1': ['ClusterRole', 'ClusterRoleBinding'],
  'storage.k8s.io/v1': ['StorageClass'],
  'apiextensions.k8s.io/v1': ['CustomResourceDefinition'],
};

export function fakeObjects(defaultNamespace: string): FakeObjects {
  const kinds = new Map<string, { readonly plural: string; readonly namespaced: boolean }>();
  const learn = (apiVersion: string, kind: string, namespaced: boolean): void => {
    kinds.set(`${apiVersion} ${kind}`, { plural: pluralOf(kind), namespaced });
  };
  for (const [apiVersion, names] of Object.entries(builtIn)) for (const kind of names) learn(apiVersion, kind, true);
  for (const [apiVersion, names] of Object.entries(builtInOfCluster)) for (const kind of names) learn(apiVersion, kind, false);

  const objects = new Map<string, KubeObject>();
  const managed = new Map<string, Managed>();
  const watches = new Set<Watch>();
  let version = 100;

  const kindOf = (kind: KindRef) => kinds.get(`${kind.apiVersion} ${kind.kind}`);
  const keyOf = (ref: ObjectRef): string =>
    `${ref.apiVersion} ${ref.kind} ${kindOf(ref)?.namespaced === false ? '' : (ref.namespace ?? defaultNamespace)}/${ref.name}`;
  const select = (kind: KindRef, selection: Selection): readonly KubeObject[] =>
    [...objects.values()].filter((object) => isSelected(object, kind, selection));

  /** Callbacks come later and in order, as from a connection. */
  const later = (watch: Watch, call: () => void): void =>
    void setImmediate(() => {
      if (!watch.stopped) call();
    });
  const list = (watch: Watch): void => {
    const listed = select(watch.kind, watch.selection);
    const at = String(version);
    later(watch, () => {
      watch.events.onList(listed, at);
      watch.events.onConnected?.();
    });
  };
  const tell = (change: 'added' | 'modified' | 'deleted', object: KubeObject): void => {
    for (const watch of watches)
      if (isSelected(object, watch.kind, watch.selection)) later(watch, () => watch.events.onChange(change, object));
  };

  /** A change outside of metadata and status is a new generation; no change is no new version. */
  const store = (wanted: KubeObject): KubeObject => {
    const key = keyOf(refOf(wanted));
    const before = objects.get(key);
    const {
      uid = `uid-${version + 1}`,
      creationTimestamp = new Date().toISOString(),
      generation = 0,
      resourceVersion,
    } = before?.metadata ?? {};
    const sameSpec = before !== undefined && sameJson({ ...before, metadata: 0, status: 0 }, { ...wanted, metadata: 0, status: 0 });
    const metadata = { ...wanted.metadata, uid, creationTimestamp, generation: sameSpec ? generation : generation + 1 };
    if (before && sameJson(before, { ...wanted, metadata: { ...metadata, resourceVersion } })) return before;
    version += 1;
    const stored: KubeObject = { ...wanted, metadata: { ...metadata, resourceVersion: String(version) } };
    objects.set(key, stored);
    tell(before ? 'modified' : 'added', stored);
    if (stored.kind === 'CustomResourceDefinition')
      for (const { apiVersion, kind, namespaced } of definedKinds(stored)) learn(apiVersion, kind, namespaced);
    return stored;
  };

  const remove = (ref: ObjectRef): void => {
    const object = objects.get(keyOf(ref));
    if (!object) return;
    objects.delete(keyOf(ref));
    managed.delete(keyOf(ref));
    version += 1;
    tell('deleted', { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } });
    for (const other of [...objects.values()]) {
      const owned = other.metadata.ownerReferences?.some((owner) => owner.uid === object.metadata.uid) ?? false;
      if (owned || (object.kind === 'Namespace' && other.metadata.namespace === object.metadata.name)) remove(refOf(other));
    }
  };

  return {
    kind: kindOf,
    placed(object, namespace) {
      if (kindOf(object)?.namespaced === false) return object;
      return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } };
    },
    find: (ref) => objects.get(keyOf(ref)),
    select,
    all: () => [...objects.values()],
    put: store,
    apply(wanted, { manager, force, dryRun }) {
      const key = keyOf(refOf(wanted));
      const applied = applyFields({ live: objects.get(key), wanted, manager, force, managed: managed.get(key) ?? new Map() });
      if ('conflict' in applied) return applied;
      const managedFields = managedFieldsOf(applied.managed);
      const metadata = { ...applied.object.metadata, managedFields };
      const object = { ...applied.object, metadata };
      if (dryRun) return object;
      managed.set(key, applied.managed);
      return store(object);
    },
    remove,
    watch(kind, selection, events) {
      const watch: Watch = { kind, selection, events, stopped: false };
      watches.add(watch);
      list(watch);
      return {
        stop() {
          watch.stopped = true;
          watches.delete(watch);
        },
      };
    },
    expireWatches() {
      for (const watch of watches) list(watch);
    },
  };
}

export function refOf({ apiVersion, kind, metadata: { name = '', namespace } }: KubeObject): ObjectRef {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (name === 'endpoints') return name;
  if (name.endsWith('y')) return `${name.slice(0, -1)}ies`;
  return name.endsWith('s') ? `${name}es` : `${name}s`;
}

function definedKinds(definition: KubeObject): readonly (KindRef & { readonly namespaced: boolean })[] {
  const { group, scope, names, versions } = definition['spec'] as {
    readonly group: string;
    readonly scope: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string }[];
  };
  return versions.map(({ name }) => ({ apiVersion: `${group}/${name}`, kind: names.kind, namespaced: scope === 'Namespaced' }));
}

function isSelected(object: KubeObject, kind: KindRef, { namespace, labelSelector, fieldSelector }: Selection): boolean {
  if (object.apiVersion !== kind.apiVersion || object.kind !== kind.kind) return false;
  if (namespace !== undefined && object.metadata.namespace !== undefined && object.metadata.namespace !== namespace) return false;
  return hasLabels(object.metadata.labels ?? {}, labelSelector ?? '') && hasFields(object, fieldSelector ?? '');
}

/** `a=b`, `a!=b`, `a`, `!a` and `a in (b,c)`, joined by commas. */
function hasLabels(labels: Readonly<Record<string, string>>, selector: string): boolean {
  const terms = selector.match(/[^,(]+(?:\([^)]*\))?/g) ?? [];
  return terms.every((term) => {
    const text = term.trim();
    const set = /^(\S+) (in|notin) \(([^)]*)\)$/.exec(text);
    if (set) {
      const listed = (set[3] ?? '').split(',').some((value) => value.trim() === labels[set[1] ?? '']);
      return set[2] === 'in' ? listed : !listed;
    }
    const [name = '', value] = text.split(/!?==?/, 2);
    if (text.startsWith('!')) return !(text.slice(1) in labels);
    if (value === undefined) return name in labels;
    return text.includes('!=') ? labels[name] !== value : labels[name] === value;
  });
}

function hasFields(object: KubeObject, selector: string): boolean {
  return selector
    .split(',')
    .filter((term) => term !== '')
    .every((term) => {
      const [path = '', value = ''] = term.split(/==?/, 2);
      const found = path.split('.').reduce<unknown>((at, name) => (at as Readonly<Record<string, unknown>> | undefined)?.[name], object);
      return String(found) === value;
    });
}
