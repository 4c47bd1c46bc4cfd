import type { KindRef, KubeObject, ObjectRef } from '../clients';
import { isTracked, labels, nameOf, ownerSelector, selectorOf, stampOf, type Owner } from '../deploy';
import {
  found,
  unknown,
  type Known,
  type Location,
  type Problem,
  type Rollout,
  type SeenContainer,
  type SeenRelease,
  type Snapshot,
  type WaitedFor,
} from '../model';
import { lastLines } from './lastLines';
import { fieldInManifest, labelledFor, viewRelease, watchedKinds, type ReleaseTrouble, type ReleaseView } from './releaseView';
import { awaitsPod } from './objectTrouble';
import { timeOf, type KubeEvent } from './shapes';
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
  /** Where the manifests of the release have a field of an object; undefined when none of them has the object. */
  readonly locate?: (object: KubeObject, fieldPath: string) => Promise<Location | undefined>;
  /** No other release is watched: what belongs to others need not be sent. */
  readonly isOnly?: boolean;
  /** Volume claims alone are no release: they were left on purpose. */
  readonly keepsVolumes?: boolean;
  readonly onSeen: (sighting: ReleaseSighting) => void;
}

/**
 * Follows a release in the cluster, by its labels. Calls back when something that Slipway reads has changed, within a millisecond
 * of the watch's event; what happens in one tick is one sighting. Until every kind has been listed once, `live` is unknown.
 */
export function watchRelease(request: WatchReleaseRequest): ReleaseFollowing {
  const watch = new ReleaseWatch(request);
  return {
    stop: () => watch.stop(),
    follow: (places) => watch.follow(places),
    expect: (objects, at) => watch.expect(objects, at),
    lookAgain: () => watch.lookSoon(),
    seen: (ref) => watch.seen(ref),
  };
}

export interface ReleaseFollowing {
  stop(): void;
  /** Follows objects of more kinds than the usual ones too. Resolves when what is there of them is known, or will not be soon. */
  follow(places: readonly WatchedPlace[]): Promise<void>;
  /**
   * These were applied at that time, as their stamps say. Each kind has a watch of its own: until all have told of them, the release is not
   * ready. What is not told of in good time is not waited for.
   */
  expect(objects: readonly KubeObject[], appliedAt: number): void;
  /** `snapshotOf` knows more than it did. */
  lookAgain(): void;
  /** An object of the release as its watch has it. Undefined: it is not there, carries other labels, or is of a kind that is not watched. */
  seen(ref: ObjectRef): KubeObject | undefined;
}

/** Objects of a kind in a namespace, or in none. */
export interface WatchedPlace {
  readonly kind: KindRef;
  readonly namespace: string | undefined;
}

/** A failure is not held back for its details for longer than this. */
const patienceMs = 2_000;

/** A watch that has not told of something by then has lost its connection, and will not tell that it was there. */
const expectedMs = 10_000;

/** What was found out about a trouble. */
interface Diagnosis {
  /** The last lines of the log of the container that failed. */
  readonly lines: readonly string[];
  readonly location: Location | undefined;
}

class ReleaseWatch {
  private readonly objects = new Map<string, KubeObject>();
  private readonly unlisted = new Set<string>();
  /** Places that a watch tells of. */
  private readonly watched = new Set<string>();
  /** Objects that were applied, by their keys, until their watch tells of them. */
  private readonly expected = new Map<string, { readonly name: string; readonly appliedAt: number; readonly until: number }>();
  /** Of kinds that are followed besides the usual ones. */
  private readonly listings = new Map<string, Promise<void>>();
  /** Warnings of the release's namespaces, by their own name; followed from the first look on at which it is not ready. */
  private readonly events = new Map<string, KubeEvent>();
  private eventsKnown: Promise<unknown> | undefined;
  private claimEventsKnown: Promise<unknown> | undefined;
  /** By pod and container: what was found out about which trouble. A diagnosis stays until there is a newer one. */
  private readonly diagnoses = new Map<string, { readonly of: string; readonly diagnosis: Diagnosis | undefined }>();
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

  async follow(places: readonly WatchedPlace[]): Promise<void> {
    const listings = places.map(({ kind, namespace }): Promise<void> => {
      const place = `${namespace ?? ''} ${kind.kind}.${kind.apiVersion}`;
      const known = this.listings.get(place);
      if (known || this.stopped) return known ?? Promise.resolve();
      const listing = new Promise<void>((listed) => this.stops.push(this.watch(namespace, kind, place, listed)));
      this.listings.set(place, listing);
      return listing;
    });
    await inTime(Promise.all(listings));
  }

  expect(objects: readonly KubeObject[], appliedAt: number): void {
    const [home = ''] = this.request.namespaces;
    const until = Date.now() + expectedMs;
    for (const object of objects) {
      const { namespace = home, name = '' } = object.metadata;
      const taught = `${object.kind}.${object.apiVersion}`;
      const place = [`${namespace} ${object.kind}`, `${namespace} ${taught}`, ` ${taught}`].find((each) => this.watched.has(each));
      if (place !== undefined) this.expected.set(`${place} ${name}`, { name: nameOf(object), appliedAt, until });
    }
    for (const [key, object] of this.objects) this.met(key, object);
    // Whoever has applied them is told before anything follows from it.
    this.look();
  }

  /** A watch has told of an object, or that it is gone. */
  private met(key: string, object: KubeObject): void {
    const awaited = this.expected.get(key);
    if (awaited && (stampOf(object)?.at ?? -Infinity) >= awaited.appliedAt) this.expected.delete(key);
  }

  private awaited(now: number): readonly string[] {
    for (const [key, { until }] of this.expected) if (until <= now) this.expected.delete(key);
    return [...this.expected.values()].map(({ name }) => name);
  }

  seen({ namespace, kind, apiVersion, name }: ObjectRef): KubeObject | undefined {
    const object = this.objects.get(`${namespace ?? ''} ${kind} ${name}`);
    return object?.apiVersion === apiVersion && isTracked(object) ? object : undefined;
  }

  private watch(namespace: string | undefined, kind: KindRef, place: string, listed?: () => void): () => void {
    const { kube, owner, isOnly = false } = this.request;
    const isOurs = labelledFor(owner);
    const keyOf = (object: KubeObject) => `${place} ${object.metadata.name ?? ''}`;
    const put = (object: KubeObject): void => {
      this.objects.set(keyOf(object), object);
      this.met(keyOf(object), object);
    };
    this.watched.add(place);
    // Of several releases by workspace: so the watches of all of them can be one.
    const labelSelector = isOnly ? ownerSelector(owner) : selectorOf({ [labels.workspace]: owner.workspaceId });
    const watch = kube.watch(
      kind,
      { labelSelector, ...(namespace !== undefined && { namespace }) },
      {
        onList: (objects) => {
          this.unlisted.delete(place);
          this.watched.add(place);
          for (const key of [...this.objects.keys()]) if (key.startsWith(`${place} `)) this.objects.delete(key);
          for (const object of objects) if (isOurs(object)) put(object);
          this.lookSoon();
          listed?.();
        },
        onChange: (change, object) => {
          const ours = change !== 'deleted' && isOurs(object);
          if (change === 'deleted') this.met(keyOf(object), object);
          if (ours) put(object);
          else if (!this.objects.delete(keyOf(object))) return;
          this.lookSoon();
        },
        onTrouble: (problem) => {
          listed?.();
          // A kind that may not be read, or that the cluster does not have, is not waited for.
          if (problem.code === 'clusterUnreachable') return;
          this.watched.delete(place);
          for (const key of [...this.expected.keys()]) if (key.startsWith(`${place} `)) this.expected.delete(key);
          if (this.unlisted.delete(place)) this.lookSoon();
        },
      },
    );
    return () => watch.stop();
  }

  /** Only events say why a volume is not there, or what a probe was answered. They come by a watch: a list would mostly be too early. */
  private followEvents(): Promise<unknown> {
    this.eventsKnown ??= this.watchEvents('type=Warning');
    // That a claim waits for the first pod that uses it is no warning.
    if ([...this.objects.values()].some(({ kind }) => kind === 'PersistentVolumeClaim'))
      this.claimEventsKnown ??= this.watchEvents(`reason=${awaitsPod}`);
    return Promise.all([this.eventsKnown, this.claimEventsKnown]);
  }

  private async watchEvents(fieldSelector: string): Promise<void> {
    await Promise.all(this.request.namespaces.map((namespace) => this.watchEventsIn(namespace, fieldSelector)));
  }

  private watchEventsIn(namespace: string, fieldSelector: string): Promise<void> {
    const keyOf = (event: KubeObject) => `${namespace} ${event.metadata.name ?? ''}`;
    const put = (event: KubeEvent): void => void this.events.set(keyOf(event), event);
    return new Promise((listed) => {
      const watch = this.request.kube.watch(
        { apiVersion: 'v1', kind: 'Event' },
        { namespace, fieldSelector },
        {
          onList: (events) => {
            for (const event of events) put(event);
            listed();
            this.lookSoon();
          },
          onChange: (change, event) => {
            if (change === 'deleted') this.events.delete(keyOf(event));
            else put(event);
            if (this.isOfOurs(event)) this.lookSoon();
          },
          // Who may not read events is told less.
          onTrouble: () => listed(),
        },
      );
      this.stops.push(() => watch.stop());
    });
  }

  private isOfOurs({ involvedObject }: KubeEvent): boolean {
    return [...this.objects.values()].some(({ metadata }) => metadata.uid === involvedObject?.uid);
  }

  private eventsByUid(): ReadonlyMap<string, readonly KubeEvent[]> {
    const byUid = new Map<string, KubeEvent[]>();
    for (const event of [...this.events.values()].sort((one, other) => timeOf(one) - timeOf(other))) {
      const uid = event.involvedObject?.uid ?? '';
      const known = byUid.get(uid);
      if (known) known.push(event);
      else byUid.set(uid, [event]);
    }
    return byUid;
  }

  lookSoon(): void {
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
    const { owner, snapshotOf, keepsVolumes = false } = this.request;
    const objects = [...this.objects.values()];
    const awaited = this.awaited(now);
    const view = viewRelease({ owner, objects, now, events: this.eventsByUid(), snapshotOf, keepsVolumes, awaited });
    const lookAgainAt = Math.min(view.lookAgainAt ?? Infinity, ...[...this.expected.values()].map(({ until }) => until));
    if (lookAgainAt !== Infinity) {
      this.timer = setTimeout(() => this.lookSoon(), Math.max(1, lookAgainAt - now));
      this.timer.unref();
    }
    const rollout = this.rolloutOf(view.rollout);
    this.emit(view.live.state === 'found' ? found({ ...view.live.value, rollout }) : view.live, view.containers);
  }

  private rolloutOf(rollout: ReleaseView['rollout']): Rollout {
    if (rollout.state !== 'ready') void this.followEvents();
    switch (rollout.state) {
      case 'ready':
        return rollout;
      case 'progressing': {
        const found = rollout.waiting?.map(({ trouble, ...one }) => ({ one, trouble, problem: trouble && this.diagnosed(trouble) }));
        const reason = found?.find(({ trouble }) => trouble)?.problem;
        const waiting = found?.map(({ one, problem }): WaitedFor => ({ ...one, ...logOf(problem) }));
        return { state: 'progressing', message: rollout.message, ...(waiting && { waiting }), ...(reason && { reason }) };
      }
      case 'failed': {
        const problem = this.diagnosed(rollout.trouble);
        return problem ? { state: 'failed', problem } : { state: 'progressing', message: rollout.trouble.trouble.problem.message };
      }
    }
  }

  /** A trouble is told once its log has been read and its place found: without that it often says nothing. Undefined until then. */
  private diagnosed(found: ReleaseTrouble): Problem | undefined {
    const { object, pod, trouble } = found;
    const restarts = pod?.status?.containerStatuses?.map((status) => status.restartCount ?? 0).join() ?? '';
    const of = `${restarts} ${trouble.problem.message}`;
    // Another trouble of the same container is to be mended elsewhere.
    const key = `${(pod ?? object).metadata.uid ?? ''} ${trouble.log?.container ?? ''} ${trouble.problem.code}`;
    const known = this.diagnoses.get(key);
    if (known?.of !== of) {
      this.diagnoses.set(key, { of, diagnosis: known?.diagnosis });
      void this.diagnose(found).then((diagnosis) => {
        if (this.diagnoses.get(key)?.of === of) this.diagnoses.set(key, { of, diagnosis });
        this.lookSoon();
      });
    }
    const diagnosis = known?.diagnosis;
    if (!diagnosis) return undefined;
    const { lines, location } = diagnosis;
    return { ...trouble.problem, ...(lines.length > 0 && { detail: lines.join('\n') }), ...(location && { location }) };
  }

  private async diagnose(found: ReleaseTrouble): Promise<Diagnosis> {
    const { kube, locate } = this.request;
    const { object, pod, trouble } = found;
    const field = fieldInManifest(found);
    const [lines, location] = await Promise.all([
      pod && trouble.log ? lastLines(kube, pod, trouble.log, AbortSignal.timeout(patienceMs)) : [],
      field === undefined ? undefined : inTime(locate?.(object, field)),
      inTime(this.followEvents()),
    ]);
    return { lines, location };
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

/** A process may be dead in a container that runs on, as below a watcher: of that its log alone tells, and the deadline is far. */
function logOf(problem: Problem | undefined): Pick<WaitedFor, 'detail'> {
  return problem?.code === 'probeFailed' && problem.detail !== undefined ? { detail: problem.detail } : {};
}

function inTime<T>(promise: Promise<T> | undefined): Promise<T | undefined> {
  return Promise.race([promise, new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patienceMs).unref())]);
}
