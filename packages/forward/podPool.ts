import type { Kube, KubeObject } from '../clients';
import type { Problem } from '../model';
import { isReady, type Pod } from '../status';
import { resolveResource, type Destination, type ResourceRequest } from './resource';

/** A pod that takes connections now. */
export interface ReadyPod {
  readonly name: string;
  readonly port: number;
}

/** How old what is known of a Service may be when a connection comes. Its selector changes seldom, and asking costs a round trip. */
const resolvedForMs = 2_000;

/** The ready pods behind a resource, kept up to date by a watch. It lives as long as the forward does. */
export class PodPool {
  private destination: Destination | undefined;
  private resolvedAt = -Infinity;
  private resolving: Promise<Problem | undefined> | undefined;
  private watch: { stop(): void } | undefined;
  private watched: string | undefined;
  private readonly pods = new Map<string, Pod>();
  private readonly waiting = new Set<() => void>();
  private stopped = false;

  constructor(
    private readonly request: ResourceRequest & { readonly kube: Pick<Kube, 'get' | 'watch'> },
    private readonly onChange: (ready: readonly ReadyPod[]) => void,
  ) {}

  /** Asks again what the resource stands for, unless that was asked just now. */
  resolve(): Promise<Problem | undefined> {
    if (this.destination && performance.now() - this.resolvedAt < resolvedForMs) return Promise.resolve(undefined);
    this.resolving ??= this.ask().finally(() => (this.resolving = undefined));
    return this.resolving;
  }

  /** A ready pod that is none of those tried; waits for one until the signal ends it. */
  async next(tried: ReadonlySet<string>, signal: AbortSignal): Promise<ReadyPod | Problem> {
    for (;;) {
      const problem = await this.resolve();
      const pod = this.ready().find(({ name }) => !tried.has(name));
      if (pod) return pod;
      if (signal.aborted) return problem ?? this.nothingReady();
      await this.changed(signal, problem === undefined ? undefined : 500);
    }
  }

  stop(): void {
    this.stopped = true;
    this.watch?.stop();
    for (const wake of [...this.waiting]) wake();
  }

  private async ask(): Promise<Problem | undefined> {
    const resolved = await resolveResource(this.request);
    if (!resolved.ok) return resolved.problem;
    if (this.stopped) return undefined;
    this.destination = resolved.value;
    this.resolvedAt = performance.now();
    const { labelSelector } = resolved.value;
    const key = labelSelector ?? '';
    if (this.watched === key) return undefined;
    this.watched = key;
    this.watch?.stop();
    this.pods.clear();
    await new Promise<void>((listed) => {
      this.watch = this.request.kube.watch(
        { apiVersion: 'v1', kind: 'Pod' },
        { namespace: this.request.namespace, ...(labelSelector === undefined ? {} : { labelSelector }) },
        {
          onList: (objects) => {
            this.pods.clear();
            for (const object of objects) this.put(object);
            listed();
            this.wakeAll();
          },
          onChange: (change, object) => {
            if (change === 'deleted') this.pods.delete(object.metadata.uid ?? '');
            else this.put(object);
            this.wakeAll();
          },
          // The watch goes on by itself; a connection meanwhile is told when it has waited long enough.
          onTrouble: () => listed(),
        },
      );
    });
    return undefined;
  }

  private put(pod: KubeObject): void {
    if (this.destination?.podName === undefined || pod.metadata.name === this.destination.podName)
      this.pods.set(pod.metadata.uid ?? '', pod);
  }

  /** The newest first: during a rollout it runs the newest code. */
  private ready(): readonly ReadyPod[] {
    const born = (pod: Pod) => pod.metadata.creationTimestamp ?? '';
    return [...this.pods.values()]
      .filter(isReady)
      .sort((a, b) => (born(a) < born(b) ? 1 : -1))
      .flatMap((pod) => {
        const port = this.destination?.portOf(pod);
        return port === undefined ? [] : [{ name: pod.metadata.name ?? '', port }];
      });
  }

  private nothingReady(): Problem {
    const { resource, namespace, port } = this.request;
    const unnamed = [...this.pods.values()].some(isReady);
    const message = unnamed
      ? `no container of ${resource} in namespace ${namespace} has a port named ${port}`
      : `no pod of ${resource} in namespace ${namespace} is ready`;
    return {
      code: 'noReadyPod',
      message,
      hint: unnamed ? 'correct port in portForward' : `see why: kubectl get pods --namespace ${namespace}`,
      retry: 'afterDelay',
      exitCode: 1,
    };
  }

  private changed(signal: AbortSignal, atMostMs: number | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.waiting.delete(wake);
        resolve();
      };
      const timer = atMostMs === undefined ? undefined : setTimeout(wake, atMostMs);
      signal.addEventListener('abort', wake, { once: true });
      this.waiting.add(wake);
    });
  }

  private wakeAll(): void {
    for (const wake of [...this.waiting]) wake();
    this.onChange(this.ready());
  }
}
