import type { Event, ReleaseName } from '../model';
import type { Paint } from './paint';
import { without, withEntry } from './terminalState';
import { duration } from './units';
import { cutTo, visibleWidth } from './visible';

interface Waiting {
  readonly message: string;
  /** Of the clock: when it was first waited for. */
  readonly since: number;
}

/** What each rollout waits for, by object: in the order in which it was first heard of. */
export type RolloutProgress = ReadonlyMap<ReleaseName, ReadonlyMap<string, Waiting>>;

/** What is waited for after an event; the same value where it says nothing of that. */
export function withProgress(progress: RolloutProgress, event: Event, now: number): RolloutProgress {
  if (event.kind === 'removed') return without(progress, event.release);
  if (event.kind !== 'rollout') return progress;
  if (event.state !== 'progressing') return without(progress, event.release);
  const before = progress.get(event.release);
  const waiting = new Map((event.waiting ?? [{ object: '', message: event.message }]).map((one) => [one.object, one.message]));
  const names = new Set([...(before?.keys() ?? []), ...waiting.keys()]);
  const next = [...names].flatMap((name) => {
    const message = waiting.get(name);
    return message === undefined ? [] : [[name, { message, since: before?.get(name)?.since ?? now }] as const];
  });
  return withEntry(progress, event.release, new Map(next));
}

/** Which pod it is stands in the name of the workload, and the reason would be cut off behind it. */
function withoutPod(message: string): string {
  return message.replace(/^pod \S+, /, '');
}

/** Lines at most: what is above the top of a terminal cannot be written anew. */
const mostRows = 8;
/** Of the width: what is said is read sooner than the end of a long name. */
const namePart = 0.5;

/** A line for each object that is waited for, none longer than the terminal is wide. Pure. */
export function progressLines(
  progress: RolloutProgress,
  { now, columns, paint }: { readonly now: number; readonly columns: number; readonly paint: Paint },
): readonly string[] {
  const all = [...progress].flatMap(([release, objects]) =>
    [...objects].map(([object, waiting]) => ({ name: object === '' ? release : `${release} ${object}`, ...waiting })),
  );
  const rows = all.length <= mostRows ? all : all.slice(0, mostRows - 1);
  const width = Math.min(Math.max(0, ...rows.map(({ name }) => visibleWidth(name))), Math.floor(columns * namePart));
  const lines = rows.map(({ name, message, since }) => {
    const who = cutTo(name, width);
    const seconds = Math.floor((now - since) / 1000);
    const took = seconds === 0 ? '' : `  ${duration(seconds * 1000)}`;
    const room = Math.max(1, columns - width - took.length - 4);
    return `${paint.yellow('○')} ${paint.bold(who)}${' '.repeat(width - visibleWidth(who))}  ${cutTo(withoutPod(message), room)}${paint.dim(took)}`;
  });
  return rows.length === all.length ? lines : [...lines, paint.dim(`  and ${all.length - rows.length} more`)];
}
