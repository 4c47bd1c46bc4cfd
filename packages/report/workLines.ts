import type { Event } from '../model';
import { patienceMs, withEntry, without, type Format, type Line, type Step, type TerminalState } from './terminalState';
import { duration, shortRef } from './units';
import { inItsLine } from './visible';

/** What a tool prints is shown as it comes once it has worked for this long. */
const longWorkMs = 3000;
/** The newest lines of a tool that are shown when it turns out to take long. */
const shownOutput = 5;

/** A step that began: told when it is one that people wait for. */
export function started(event: Extract<Event, { kind: 'started' }>, state: TerminalState, now: number, debug: boolean): Step {
  const because =
    event.because === undefined
      ? ''
      : event.what === 'reload'
        ? ` ${event.because} in its container`
        : event.what === 'runHooks'
          ? ` the hook ${event.because}`
          : `, ${event.because}`;
  const line = (text: string): readonly Line[] => [{ subject: event.subject, text: `${text}${because}` }];
  const working: TerminalState = { ...state, outputs: withEntry(state.outputs, event.subject, { since: now, lines: [] }) };
  switch (event.what) {
    case 'build':
      return {
        state: { ...working, announced: new Set([...state.announced, event.subject]) },
        // A build that is only tried again says nothing new until it ends otherwise.
        lines: debug || (!state.announced.has(event.subject) && !state.failures.has(event.subject)) ? line('building') : [],
      };
    case 'runTarget': {
      // It is only run again for other files: when it fails as before, that is news.
      const failures = state.failures.has(event.subject) ? withEntry(state.failures, event.subject, '') : state.failures;
      return { state: { ...working, failures }, lines: line('running') };
    }
    case 'watchTarget':
      return { state: working, lines: line('starting; it runs until dev ends') };
    case 'deliver':
      return { state: working, lines: debug ? line('delivering') : [] };
    case 'reload':
      return { state: working, lines: line('running') };
    case 'lookUp':
      return { state, lines: debug ? line('looking for its image') : [] };
    case 'apply':
      return { state, lines: debug ? line('applying') : [] };
    case 'runHooks':
      return { state: working, lines: line('running') };
    case 'remove':
      return { state, lines: debug ? line('removing') : [] };
    case 'connect':
      return { state, lines: debug ? line('connecting') : [] };
  }
}

/** A tool that is quick is not worth reading; one that takes long is shown at work. */
export function output(event: Extract<Event, { kind: 'output' }>, state: TerminalState, now: number, { verbosity, paint }: Format): Step {
  const shown: Line = { subject: event.subject, text: paint.dim(`· ${inItsLine(event.line, paint)}`) };
  const { since, lines } = state.outputs.get(event.subject) ?? { since: now, lines: [] };
  if (verbosity === 'debug' || event.asked === true || now - since >= longWorkMs) return { state, lines: [shown] };
  const kept = [...lines, shown.text].slice(-shownOutput);
  return {
    state: {
      ...state,
      outputs: withEntry(state.outputs, event.subject, { since, lines: kept }),
      later: withEntry(state.later, `output ${event.subject}`, {
        at: since + longWorkMs,
        lines: kept.map((text) => ({ subject: event.subject, text })),
      }),
    },
    lines: [],
  };
}

/** What made it, when that is not the engine alone; and why an engine had a part in it, once. */
export function built(event: Extract<Event, { kind: 'built' }>, state: TerminalState, { verbosity, paint }: Format): Step {
  const { artifact, builder, because } = event;
  const isNews = builder.startsWith('docker') && state.builders.get(artifact) !== because;
  const reason = because === undefined || !(isNews || verbosity === 'debug') ? '' : `, ${because}`;
  const by = builder === 'docker' && reason === '' ? '' : ` with ${builder}${reason}`;
  const next = finished(state, artifact);
  return {
    state: because === undefined ? next : { ...next, builders: withEntry(next.builders, artifact, because) },
    lines: [{ subject: artifact, text: `built ${shortRef(event.ref)}${paint.dim(by)}  ${paint.dim(duration(event.ms))}` }],
  };
}

/** A tool's work is over, so what it printed on the way is of no more interest. */
export function finished(state: TerminalState, subject: string): TerminalState {
  const announced = new Set(state.announced);
  announced.delete(subject);
  return { ...state, announced, outputs: without(state.outputs, subject), later: without(state.later, `output ${subject}`) };
}

const reasons: Readonly<Record<string, string>> = {
  lookUp: 'looking for its image',
  apply: 'being applied',
  runHooks: 'running its hooks',
  connect: 'connecting to its container',
  waitingForScan: 'reading the files of the workspace',
  waitingForCluster: 'waiting for the cluster to answer',
  waitingForTarget: 'waiting for a target that makes its files',
  waitingForBase: 'waiting for the image it stands on',
  waitingForImage: 'waiting for its image',
  waitingForContainer: 'waiting for its container to run',
  waitingForAgent: 'connecting to its container',
  waitingForRebuild: 'waiting for the new image',
  needsNewImage: 'needs a new image',
  waitingForRollout: 'waiting for the rollout',
  waitingForRetry: 'will try again',
  waitingForChange: 'waiting for an edit that mends it',
  waitingForRemoval: 'waiting for the removal',
};

/** What is waited for, in words. */
export function holdText(reason: string, detail: string | undefined): string {
  return `${reasons[reason] ?? reason}${detail === undefined ? '' : `: ${detail}`}`;
}

/** Other lines say these better: the failure that waits for an edit or a retry, the rollout, and the build. */
const saidElsewhere: ReadonlySet<string> = new Set([
  'waitingForImage',
  'waitingForChange',
  'waitingForRetry',
  'waitingForRollout',
  'waitingForRebuild',
]);

/** What is waited for; told when that lasts. */
export function held(event: Extract<Event, { kind: 'held' }>, state: TerminalState, now: number, debug: boolean): Step {
  const text = holdText(event.reason, event.detail);
  if (state.holds.get(event.subject) === text) return { state, lines: [] };
  // One container of several has the name of its pod behind that of its image.
  const [subject = event.subject, pod] = event.subject.split(' ');
  const line: Line = { subject, text: pod === undefined ? text : `${text} (pod ${pod})` };
  if (!debug && (pod !== undefined || saidElsewhere.has(event.reason))) return { state, lines: [] };
  const holds = withEntry(state.holds, event.subject, text);
  // Nothing that is on its way will change this one.
  if (event.reason === 'needsNewImage') return { state: { ...state, holds }, lines: [line] };
  if (debug) return { state: { ...state, holds }, lines: [line] };
  return {
    state: { ...state, holds, later: withEntry(state.later, `hold ${event.subject}`, { at: now + patienceMs, lines: [line] }) },
    lines: [],
  };
}

/** What was waited for is there. */
export function continued(event: Extract<Event, { kind: 'continued' }>, state: TerminalState): Step {
  const text = state.holds.get(event.subject);
  const isOver = text?.startsWith(reasons[event.reason] ?? event.reason) === true;
  if (!isOver) return { state, lines: [] };
  return {
    state: { ...state, holds: without(state.holds, event.subject), later: without(state.later, `hold ${event.subject}`) },
    lines: [],
  };
}
