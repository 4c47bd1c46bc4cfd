import type { Event, WaitedFor } from '../model';
import { problemDetails } from './problemLines';
import { patienceMs, withEntry, without, type Format, type Line, type Step, type TerminalState } from './terminalState';
import { duration, someOf } from './units';

/** Whether an apply found everything as it should be. */
export function isUnchanged({ objects, changed, pruned = [] }: Extract<Event, { kind: 'applied' }>): boolean {
  return changed.length === 0 && pruned.length === 0 && objects.length > 0;
}

/** Whether what a release does follows from an apply. */
export function rollingOut({ releases }: TerminalState, release: string): boolean {
  const known = releases.get(release);
  return known === 'applied' || known === 'unchanged';
}

/** What an apply changed. */
export function appliedText(event: Extract<Event, { kind: 'applied' }>): string {
  const { objects, changed, namespace, pruned = [] } = event;
  const removed = pruned.length === 0 ? '' : `; removed, as no manifest has it: ${someOf(pruned, 6)}`;
  if (isUnchanged(event)) return `applied to ${namespace}, nothing changed`;
  if (objects.length === 0) return `nothing to apply to ${namespace}${removed}`;
  return `applied to ${namespace}: ${changed.length === 0 ? 'nothing changed' : someOf(changed, 6)}${removed}`;
}

/** A rollout is told as what follows from an apply; without one, that a release is not available for a while, and again. */
export function rollout(event: Extract<Event, { kind: 'rollout' }>, state: TerminalState, now: number, format: Format): Step {
  const { verbosity, paint, showsRollouts = false } = format;
  const key = `rollout ${event.release}`;
  const calm: TerminalState = { ...state, later: without(state.later, key) };
  const over: TerminalState = { ...calm, rolloutsTold: without(calm.rolloutsTold, event.release) };
  const took = event.ms === undefined ? '' : `  ${paint.dim(duration(event.ms))}`;
  const line = (text: string): Line => ({ subject: event.release, text });
  const known = state.releases.get(event.release);
  if (known === 'removed') return { state: calm, lines: [] };
  switch (event.state) {
    case 'progressing': {
      const told = waitingOf(event).map(({ message, detail }) => {
        const text = `${rollingOut(state, event.release) ? 'rolling out' : 'not available'}, ${message}`;
        const shown = state.tail.subject === event.release ? state.tail.texts : [];
        const details = detail === undefined ? [] : problemDetails({ message, detail }, paint, shown);
        return { text, lines: [line(text), ...details.map((each): Line => ({ ...line(each), continued: true }))] };
      });
      if (verbosity === 'debug') return { state: calm, lines: told.flatMap(({ lines }) => lines) };
      const before = state.rolloutsTold.get(event.release);
      // Where each workload has a line that changes, only what is more than a line is told beside.
      const lines = told.flatMap((one) => (before?.has(one.text) === true || (showsRollouts && one.lines.length === 1) ? [] : one.lines));
      if (lines.length === 0) return { state: calm, lines: [] };
      // The time goes on from when it was first said, so that a message which changes often is still told.
      const at = state.later.get(key)?.at ?? now + patienceMs;
      return { state: { ...state, later: withEntry(state.later, key, { at, lines }) }, lines: [] };
    }
    case 'ready': {
      const next = {
        ...over,
        releases: without(state.releases, event.release),
        rolloutFailures: without(state.rolloutFailures, event.release),
      };
      if (known === 'applied') return { state: next, lines: [line(`rolled out${took}`)] };
      return { state: next, lines: known === 'unavailable' || verbosity === 'debug' ? [line(`available again${took}`)] : [] };
    }
    case 'failed': {
      const next: TerminalState = { ...withRelease(over, event.release, 'unavailable'), broken: true, eventfulSince: undefined };
      // The failure itself follows, and says why.
      const rolloutFailures = withEntry(state.rolloutFailures, event.release, { message: event.message, took });
      return { state: { ...next, rolloutFailures }, lines: [] };
    }
  }
}

/** A line for each workload; of many, those that come first. */
const mostTold = 5;

function waitingOf({ message, waiting = [] }: Extract<Event, { kind: 'rollout' }>): readonly Pick<WaitedFor, 'message' | 'detail'>[] {
  const [first] = waiting;
  if (waiting.length < 2) return [{ ...first, message }];
  const shown = waiting.slice(0, mostTold).map((one) => ({ ...one, message: `${one.object}: ${one.message}` }));
  return waiting.length > mostTold ? [...shown, { message: `and ${waiting.length - mostTold} more` }] : shown;
}

/** What was said of a rollout is not said again as long as it lasts. */
export function withRolloutTold(state: TerminalState, release: string, lines: readonly Line[]): TerminalState {
  const told = new Set([...(state.rolloutsTold.get(release) ?? []), ...lines.map(({ text }) => text)]);
  return {
    ...withRelease(state, release, rollingOut(state, release) ? 'applied' : 'unavailable'),
    rolloutsTold: withEntry(state.rolloutsTold, release, told),
  };
}

export function withRelease(
  state: TerminalState,
  release: string,
  known: 'applied' | 'unchanged' | 'unavailable' | 'removed',
): TerminalState {
  return { ...state, releases: withEntry(state.releases, release, known) };
}

/** Something began that takes longer than a sync. */
export function withBeginning(state: TerminalState, now: number): TerminalState {
  return state.eventfulSince === undefined ? { ...state, eventfulSince: now } : state;
}
