import type { KindRef, KubeObject } from '../clients';
import { labels, selectorOf, type Owner } from '../deploy';
import { found, unknown, type Known, type Problem, type Rollout, type SeenContainer, type SeenRelease, type Snapshot } from '../model';
import { diagnose, eventsOf, type Diagnosis } from './diagnose';
import { isOfRelease, viewRelease, watchedKinds, type ReleaseTrouble, type ReleaseView } from './releaseView';
import type { KubeEvent, Pod } from './shapes';
import type { WatchedKube } from './shareWatches';

/** What a `releaseSeen` fact carries. */
export interface ReleaseSighting {
  /** Grows with every sighting of this watch. */
  readonly revision: number;
  readonly live: Known<SeenRelease>;
  readonly containers: readonly SeenContainer[];
}

export interface WatchReleaseRequest {
  /** Best with `shareWatches`, when more than one release is watched. */
  readonly kube: WatchedKube;
  readonly owner: Owner;
  /** The release's namespace and any other that its manifests name. */
  readonly namespaces: readonly string[];
  /** The sources behind an image, when this machine has their record. */
  readonly snapshotOf: (inputsHash: string) => Snapshot | undefined;
  readonly onSeen: (sighting: ReleaseSighting) => void;
  /** A watch is interrupted; it goes on by itself. */
  readonly onTrouble?: (problem: Problem) => void;
}

/**
 * Follows a release in the cluster, by its labels. Calls back when something that Slipway reads has changed, within a millisecond
 * of the watch's event; what happens in one tick is one sighting. Until every kind has been listed once, `live` is unknown.
 */
export function watchRelease(request: WatchReleaseRequest): { stop(): void } {
  const watch = new ReleaseWatch(request);
  return { stop: () => watch.stop() };
}

/** The events of a pod that had none when they were asked for are asked for again after this time. */
const askAgainMs = 3_000;

class ReleaseWatch {
  private readonly objects = new Map<string, KubeObject>();
  private readonly unlisted = new Set<string>();
  private readonly events = new Map<string, readonly KubeEvent[]>();
  /** By pod and container: what was found out about a trouble, and at which restart. A diagnosis stays until there is a newer one. */
  private readonly diagnoses = new Map<string, { restarts: string; diagnosis: Diagnosis | undefined }>();
  /** UIDs of pods whose events were asked for. */
  private readonly asking = new Set<string>();
  private readonly stops: (() => void)[];
  private revision = 0;
  private lastSeen = '';
  private due: NodeJS.Immediate | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(private readonly request: WatchReleaseRequest) {
    const places = request.namespaces.flatMap((namespace) =>
      watchedKinds.map((kind) => ({ namespace, kind, place: `${namespace} ${kind.kind}` })),
    );
    for (const { place } of places) this.unlisted.add(place);
    this.stops = places.map(({ namespace, kind, place }) => this.watch(namespace, kind, place));
  }

  stop(): void {
    this.stopped = true;
    clearImmediate(this.due);
    clearTimeout(this.timer);
    for (const stop of this.stops) stop();
  }

  private watch(namespace: string, kind: KindRef, place: string): () => void {
    const { kube, owner, onTrouble } = this.request;
    const keyOf = (object: KubeObject) => `${place} ${object.metadata.name ?? ''}`;
    // By workspace, not by release: so the watches of all releases can be one.
    const labelSelector = selectorOf({ [labels.workspace]: owner.workspaceId });
    const watch = kube.watch(
      kind,
      { namespace, labelSelector },
      {
        onList: (objects) => {
          this.unlisted.delete(place);
          for (const key of [...this.objects.keys()]) if (key.startsWith(`${place} `)) this.objects.delete(key);
          for (const object of objects) if (isOfRelease(object, owner)) this.objects.set(keyOf(object), object);
          this.lookSoon();
        },
        onChange: (change, object) => {
          const ours = change !== 'deleted' && isOfRelease(object, owner);
          if (ours) this.objects.set(keyOf(object), object);
          else if (!this.objects.delete(keyOf(object))) return;
          this.lookSoon();
        },
        onTrouble: (problem) => {
          onTrouble?.(problem);
          // A kind that may not be read, or that the cluster does not have, is not waited for.
          if (problem.code !== 'clusterUnreachable' && this.unlisted.delete(place)) this.lookSoon();
        },
      },
    );
    return () => watch.stop();
  }

  private lookSoon(): void {
    if (!this.stopped) this.due ??= setImmediate(() => this.look());
  }

  private look(): void {
    this.due = undefined;
    clearTimeout(this.timer);
    if (this.stopped) return;
    if (this.unlisted.size > 0) {
      this.emit(unknown, []);
      return;
    }
    const now = Date.now();
    const { owner, snapshotOf } = this.request;
    const view = viewRelease({ owner, objects: [...this.objects.values()], now, events: this.events, snapshotOf });
    if (view.lookAgainAt !== undefined) {
      this.timer = setTimeout(() => this.lookSoon(), Math.max(1, view.lookAgainAt - now));
      this.timer.unref();
    }
    const rollout = this.rolloutOf(view.rollout);
    this.emit(view.live.state === 'found' ? found({ ...view.live.value, rollout }) : view.live, view.containers);
  }

  private rolloutOf(rollout: ReleaseView['rollout']): Rollout {
    switch (rollout.state) {
      case 'ready':
        return rollout;
      case 'progressing':
        if (rollout.unready) this.askWhy(rollout.unready);
        return { state: 'progressing', message: rollout.message };
      case 'failed':
        return this.diagnosed(rollout.trouble);
    }
  }

  /** Only its events say why a pod is not ready, and the first may come late. */
  private askWhy(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    if (this.asking.has(uid)) return;
    this.asking.add(uid);
    void eventsOf(this.request.kube, pod).then((events) => {
      this.events.set(uid, events);
      this.lookSoon();
      if (events.length > 0) return;
      setTimeout(() => {
        this.asking.delete(uid);
        this.lookSoon();
      }, askAgainMs).unref();
    });
  }

  /** A failure is told once its log has been read: without that it often says nothing. */
  private diagnosed({ pod, trouble }: ReleaseTrouble): Rollout {
    if (!pod) return { state: 'failed', problem: trouble.problem };
    const uid = pod.metadata.uid ?? '';
    const restarts = pod.status?.containerStatuses?.map((status) => status.restartCount ?? 0).join() ?? '';
    const key = `${uid} ${trouble.log?.container ?? ''}`;
    const known = this.diagnoses.get(key);
    if (known?.restarts !== restarts) {
      this.diagnoses.set(key, { restarts, diagnosis: known?.diagnosis });
      void diagnose(this.request.kube, pod, trouble.log).then((diagnosis) => {
        this.diagnoses.set(key, { restarts, diagnosis });
        this.events.set(uid, diagnosis.events);
        this.lookSoon();
      });
    }
    const diagnosis = known?.diagnosis;
    if (!diagnosis) return { state: 'progressing', message: trouble.problem.message };
    return {
      state: 'failed',
      problem: diagnosis.lines.length === 0 ? trouble.problem : { ...trouble.problem, detail: diagnosis.lines.join('\n') },
    };
  }

  private emit(live: Known<SeenRelease>, containers: readonly SeenContainer[]): void {
    // Snapshots are whole trees, and follow from the hashes beside them.
    const seen = JSON.stringify([live, containers], (name, value: unknown) => (name === 'snapshot' ? value !== undefined : value));
    if (seen === this.lastSeen) return;
    this.lastSeen = seen;
    this.revision += 1;
    this.request.onSeen({ revision: this.revision, live, containers });
  }
}
