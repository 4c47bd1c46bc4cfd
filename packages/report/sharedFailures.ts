import type { Event } from '../model';
import type { Paint } from './paint';
import { everything, withEntry, without, type Line, type TerminalState } from './terminalState';
import { someOf } from './units';

/** What keeps several services in the same way: the first is told in full, the others by their names. */
export interface SharedFailure {
  readonly because: string;
  readonly subjects: readonly string[];
  /** Those that still have to be told. */
  readonly untold: readonly string[];
  /** Those of which it still has to be told that they are right again. */
  readonly mended: readonly string[];
}

/** Those that fail, or are right again, so soon after each other are told in one line. */
const gatherMs = 1000;
const mostNames = 8;
const prefix = 'shared ';

/** A failure among those like it. `said` is its sentence without the name that stands before it. */
export function withSharedFailure(
  before: TerminalState,
  { subject, problem }: Extract<Event, { kind: 'failed' }>,
  { said, now, paint }: { readonly said: string; readonly now: number; readonly paint: Paint },
): { readonly state: TerminalState; readonly isToldWithOthers: boolean } {
  const { code, detail, sharedCause } = problem;
  const key = JSON.stringify(sharedCause === undefined ? [code, said, detail] : [code, sharedCause]);
  const known = before.shared.get(key);
  if (known?.subjects.includes(subject) === true) return { state: before, isToldWithOthers: known.subjects[0] !== subject };
  const state = withoutSubject(before, subject);
  const because = sharedCause === undefined ? 'for the same reason' : `as ${sharedCause}`;
  const group = state.shared.get(key) ?? { because, subjects: [], untold: [], mended: [] };
  const isFirst = group.subjects.length === 0;
  const next: SharedFailure = {
    ...group,
    subjects: [...group.subjects, subject],
    untold: isFirst ? group.untold : [...group.untold, subject],
    mended: group.mended.filter((each) => each !== subject),
  };
  return { state: gathered(state, key, next, now, paint), isToldWithOthers: !isFirst };
}

/** One is right again; with others that failed like it, that is told in one line. */
export function withSharedMending(
  before: TerminalState,
  subject: string,
  { now, paint }: { readonly now: number; readonly paint: Paint },
): { readonly state: TerminalState; readonly isToldWithOthers: boolean } {
  const found = groupOf(before, subject);
  const state = withoutSubject(before, subject);
  if (!found) return { state, isToldWithOthers: false };
  const [key, group] = found;
  if (group.subjects.length === 1 && group.mended.length === 0) return { state, isToldWithOthers: false };
  const next: SharedFailure = {
    ...group,
    subjects: group.subjects.filter((each) => each !== subject),
    untold: group.untold.filter((each) => each !== subject),
    // Of what was not told to fail nobody waits to hear it.
    mended: group.untold.includes(subject) ? group.mended : [...group.mended, subject],
  };
  return { state: gathered(state, key, next, now, paint), isToldWithOthers: true };
}

/** What was gathered under a key of `later` has been told. */
export function withSharedTold(state: TerminalState, laterKey: string): TerminalState {
  if (!laterKey.startsWith(prefix)) return state;
  const key = laterKey.slice(prefix.length);
  const group = state.shared.get(key);
  if (!group) return state;
  const shared =
    group.subjects.length === 0 ? without(state.shared, key) : withEntry(state.shared, key, { ...group, untold: [], mended: [] });
  return { ...state, shared };
}

/** Failures that wait for others like them; at the end there will be none. */
export function untoldFailures({ later }: TerminalState): readonly Line[] {
  return [...later].flatMap(([key, { lines }]) => (key.startsWith(prefix) ? lines : []));
}

function gathered(state: TerminalState, key: string, group: SharedFailure, now: number, paint: Paint): TerminalState {
  const { untold, mended, because } = group;
  const lines: readonly Line[] = [
    ...(untold.length === 0 ? [] : [`${paint.red('failed too,')} ${because}: ${someOf(untold, mostNames)}`]),
    ...(mended.length === 0 ? [] : [`${paint.green('right again:')} ${someOf(mended, mostNames)}`]),
  ].map((text) => ({ subject: everything, text }));
  const laterKey = `${prefix}${key}`;
  return {
    ...state,
    shared: withEntry(state.shared, key, group),
    later: lines.length === 0 ? without(state.later, laterKey) : withEntry(state.later, laterKey, { at: now + gatherMs, lines }),
  };
}

function groupOf({ shared }: TerminalState, subject: string): readonly [string, SharedFailure] | undefined {
  return [...shared].find(([, { subjects }]) => subjects.includes(subject));
}

function withoutSubject(state: TerminalState, subject: string): TerminalState {
  const found = groupOf(state, subject);
  if (!found) return state;
  const [key, group] = found;
  const subjects = group.subjects.filter((each) => each !== subject);
  const isOver = subjects.length === 0 && group.mended.length === 0;
  return { ...state, shared: isOver ? without(state.shared, key) : withEntry(state.shared, key, { ...group, subjects }) };
}
