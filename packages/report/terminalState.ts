import type { ArtifactName, ContainerPath, Event, ReleaseName, WorkspacePath } from '../model';
import type { Flood } from './flood';
import type { Paint, NameColour } from './paint';
import type { SharedFailure } from './sharedFailures';

export type Verbosity = 'quiet' | 'normal' | 'debug';

export interface Format {
  readonly verbosity: Verbosity;
  readonly paint: Paint;
  /** How far rollouts are is shown elsewhere. */
  readonly showsRollouts?: boolean;
  /** Of the terminal; lines are broken between words there. Absent: they are left as they are. */
  readonly columns?: number;
  /** No word of being ready comes that addresses could stand below: they are told at once. */
  readonly addressesAtOnce?: boolean;
  /** Logs are made readable: JSON in words, and only so many lines a second. Else they are as they were written. */
  readonly readableLogs?: boolean;
}

/** One line: whose it is, and what it says. */
export interface Line {
  readonly subject: string;
  readonly text: string;
  /** Goes on below the line before, without the name again. */
  readonly continued?: boolean;
  /** Of a container's log: what stands before each line it is broken into. */
  readonly bar?: string;
}

/** Lines that are told only when they still hold at a time: what passes quickly is not worth reading. */
export interface Later {
  readonly at: number;
  readonly lines: readonly Line[];
}

/** One edit on its way to every replica: told once, when all have it. */
export interface Edit {
  readonly key: string;
  readonly event: Extract<Event, { kind: 'synced' }>;
  readonly pods: ReadonlySet<string>;
  /** Of the slowest. */
  readonly ms: number;
}

/** What formatting has to remember from one event to the next. A value: nothing in it is changed in place. */
export interface TerminalState {
  readonly colours: ReadonlyMap<string, NameColour>;
  /** Of the names, so that what is said begins in one column. */
  readonly width: number;
  readonly later: ReadonlyMap<string, Later>;
  /** What was said last of each subject that waits, so that it is not said twice. */
  readonly holds: ReadonlyMap<string, string>;
  readonly edits: ReadonlyMap<ArtifactName, Edit>;
  /** Pods by artifact, to tell replicas apart. */
  readonly pods: ReadonlyMap<ArtifactName, ReadonlySet<string>>;
  /** The file behind each path that was decided on last. */
  readonly sources: ReadonlyMap<ArtifactName, ReadonlyMap<ContainerPath, WorkspacePath>>;
  /** Subjects of which it was said that they are being built. */
  readonly announced: ReadonlySet<string>;
  /** Why an engine builds it, as it was said last: by artifact. */
  readonly builders: ReadonlyMap<ArtifactName, string>;
  /** The last lines that a tool printed for a subject, until it has worked so long that they are shown as they come. */
  readonly outputs: ReadonlyMap<string, { readonly since: number; readonly lines: readonly string[] }>;
  /** What the last lines say, as long as they are about one subject. */
  readonly tail: { readonly subject: string; readonly texts: readonly string[] };
  /** The last failure told, by subject. */
  readonly failures: ReadonlyMap<string, string>;
  /** What a rollout that failed was told with by `rollout`: its sentence, and how long it took. */
  readonly rolloutFailures: ReadonlyMap<ReleaseName, { readonly message: string; readonly took: string }>;
  /** What was said of a rollout that goes on, so that of many workloads only those are told that got further. */
  readonly rolloutsTold: ReadonlyMap<ReleaseName, ReadonlySet<string>>;
  /** Failures that several services have in common, by what they have in common. */
  readonly shared: ReadonlyMap<string, SharedFailure>;
  /** How much each service logs just now. */
  readonly floods: ReadonlyMap<string, Flood>;
  /** The containers that were heard of an artifact: where there are several, a line says which. */
  readonly heard: ReadonlyMap<ArtifactName, ReadonlySet<string>>;
  readonly forwards: readonly Extract<Event, { kind: 'forwarded' }>[];
  readonly readyBefore: boolean;
  /** When something more than a sync began, since it was last ready. */
  readonly eventfulSince: number | undefined;
  /** Whether something failed since it was last ready. How long it stayed broken is nobody's news; what mends it is timed. */
  readonly broken: boolean;
  /** What was last done to each release: a rollout is told as what follows from it. */
  readonly releases: ReadonlyMap<ReleaseName, 'applied' | 'unchanged' | 'unavailable' | 'removed'>;
}

/** What is remembered after a moment, and what it says. */
export interface Step {
  readonly state: TerminalState;
  readonly lines: readonly Line[];
}

/** A wait is mentioned when it lasts longer than this. */
export const patienceMs = 2000;

/** Whose lines are about everything. */
export const everything = 'slipway';

export const atFirst: TerminalState = {
  colours: new Map(),
  width: everything.length,
  later: new Map(),
  holds: new Map(),
  edits: new Map(),
  pods: new Map(),
  sources: new Map(),
  announced: new Set(),
  builders: new Map(),
  outputs: new Map(),
  tail: { subject: everything, texts: [] },
  failures: new Map(),
  rolloutFailures: new Map(),
  rolloutsTold: new Map(),
  shared: new Map(),
  floods: new Map(),
  heard: new Map(),
  forwards: [],
  readyBefore: false,
  eventfulSince: undefined,
  broken: false,
  releases: new Map(),
};

export function withEntry<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  return new Map(map).set(key, value);
}

export function without<K, V>(map: ReadonlyMap<K, V>, ...keys: readonly K[]): ReadonlyMap<K, V> {
  if (!keys.some((key) => map.has(key))) return map;
  const next = new Map(map);
  for (const key of keys) next.delete(key);
  return next;
}
