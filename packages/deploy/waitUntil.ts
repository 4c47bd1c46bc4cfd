import type { KindRef, Kube, KubeObject } from '../clients';

export interface WaitRequest {
  readonly kube: Kube;
  readonly kind: KindRef;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly timeoutMs: number;
  /** What was there when it was asked for: what is there, until the watch says so. */
  readonly known?: readonly KubeObject[];
  /** Looked at after every change, with everything that is there. */
  readonly done: (objects: readonly KubeObject[]) => boolean;
}

/** Watches objects until they are as wanted. Answers what was there last, and whether it was in time. */
export function waitUntil({
  kube,
  kind,
  namespace,
  labelSelector,
  timeoutMs,
  known = [],
  done,
}: WaitRequest): Promise<{ readonly inTime: boolean; readonly objects: readonly KubeObject[] }> {
  return new Promise((resolve) => {
    const keyOf = (object: KubeObject) => `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
    const present = new Map(known.map((object) => [keyOf(object), object]));
    let ended = false;
    const end = (inTime: boolean) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      // A watch may answer before the call that opened it has returned.
      queueMicrotask(() => watch.stop());
      resolve({ inTime, objects: [...present.values()] });
    };
    const look = () => {
      if (done([...present.values()])) end(true);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    const options = { ...(namespace === undefined ? {} : { namespace }), ...(labelSelector === undefined ? {} : { labelSelector }) };
    const watch = kube.watch(kind, options, {
      onList: (objects) => {
        present.clear();
        for (const object of objects) present.set(keyOf(object), object);
        look();
      },
      onChange: (change, object) => {
        if (change === 'deleted') present.delete(keyOf(object));
        else present.set(keyOf(object), object);
        look();
      },
      onTrouble: () => undefined,
    });
  });
}
