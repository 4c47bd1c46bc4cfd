import type { KindRef, Kube, KubeObject, WatchEvents } from '../clients';

interface SharedWatch {
  readonly present: Map<string, KubeObject>;
  readonly listeners: Set<WatchEvents>;
  /** Undefined until the first list. */
  resourceVersion: string | undefined;
  stop: () => void;
}

/** As much of a Kube as watching a release takes. */
export type WatchedKube = Pick<Kube, 'watch' | 'list' | 'logs'>;

/**
 * A Kube whose watches of one kind, namespace and selector are one connection: a hundred releases watch as much as one does. Who
 * comes later gets the list from memory.
 */
export function shareWatches(kube: WatchedKube): WatchedKube {
  const shared = new Map<string, SharedWatch>();
  return {
    list: (kind, options) => kube.list(kind, options),
    logs: (request) => kube.logs(request),
    watch(kind, options, events) {
      const key = JSON.stringify([kind.apiVersion, kind.kind, options.namespace, options.labelSelector, options.fieldSelector]);
      let watch = shared.get(key);
      if (!watch) shared.set(key, (watch = open(kube, kind, options)));
      const joined = watch;
      joined.listeners.add(events);
      queueMicrotask(() => {
        if (joined.resourceVersion !== undefined && joined.listeners.has(events) && !heard.has(events)) hear(events, joined);
      });
      return {
        stop() {
          if (!joined.listeners.delete(events) || joined.listeners.size > 0) return;
          shared.delete(key);
          joined.stop();
        },
      };
    },
  };
}

/** Who has had a list from a shared watch; before that a change would be one of nothing. */
const heard = new WeakSet<WatchEvents>();

function hear(events: WatchEvents, { present, resourceVersion = '' }: SharedWatch): void {
  heard.add(events);
  events.onList([...present.values()], resourceVersion);
}

function open(kube: WatchedKube, kind: KindRef, options: Parameters<Kube['watch']>[1]): SharedWatch {
  const watch: SharedWatch = { present: new Map(), listeners: new Set(), resourceVersion: undefined, stop: () => undefined };
  const keyOf = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
  const upstream = kube.watch(kind, options, {
    onList(objects, resourceVersion) {
      watch.present.clear();
      for (const object of objects) watch.present.set(keyOf(object), object);
      watch.resourceVersion = resourceVersion;
      for (const events of [...watch.listeners]) hear(events, watch);
    },
    onChange(change, object) {
      if (change === 'deleted') watch.present.delete(keyOf(object));
      else watch.present.set(keyOf(object), object);
      for (const events of [...watch.listeners]) if (heard.has(events)) events.onChange(change, object);
    },
    onTrouble(problem) {
      for (const events of [...watch.listeners]) events.onTrouble(problem);
    },
  });
  watch.stop = () => upstream.stop();
  return watch;
}
