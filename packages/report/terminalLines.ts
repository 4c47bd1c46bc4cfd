import type { Event } from '../model';
import { counted, leftOut, windowMs } from './flood';
import { logText } from './logText';
import { colourFor, type Paint } from './paint';
import { problemDetails } from './problemLines';
import { appliedText, isUnchanged, rollout, withBeginning, withRelease, withRolloutTold } from './releaseLines';
import { untoldFailures, withSharedFailure, withSharedMending, withSharedTold } from './sharedFailures';
import { editLine, podSuffix, settled, synced, withoutGone, withPod } from './syncLines';
import { everything, patienceMs, without, withEntry, type Format, type Line, type Step, type TerminalState } from './terminalState';
import { count, duration, givenTag, inOneLine, size, someOf } from './units';
import { inItsLine, visibleWidth, wrapped } from './visible';
import { built, continued, finished, held, output, started } from './workLines';

/** An event, or that time has passed: some things are said only when they last. */
export type Moment = Event | { readonly kind: 'timePassed' };

export interface Told {
  readonly state: TerminalState;
  readonly lines: readonly string[];
  /** When to come back with `timePassed`, if nothing happens before. */
  readonly wakeAt: number | undefined;
}

const widest = 24;
const instantMs = 20;
/** Paths whose files are known from earlier decisions, for each artifact. */
const rememberedSources = 20;
/** Addresses wait so much longer for the word ready while nothing failed. */
const forwardsPatienceMs = 16_000;

/** What a moment says to people, one line each: what it is about first, then what happened and why. Pure; begin with `atFirst`. */
export function terminalLines(moment: Moment, before: TerminalState, now: number, format: Format): Told {
  const passed = told(before, format, now);
  const { state, lines } = moment.kind === 'timePassed' ? passed : after(moment, passed, now, format);
  const shown = withTail(withNames(state, lines), lines);
  let wakeAt: number | undefined;
  for (const [key, { at }] of shown.later) {
    const due = key === 'forwards' && !shown.broken ? at + forwardsPatienceMs : at;
    if (wakeAt === undefined || due < wakeAt) wakeAt = due;
  }
  return { state: shown, lines: lines.flatMap((line) => written(line, shown, format)), wakeAt };
}

/** What was kept back and whose time has come. */
function told(state: TerminalState, format: Format, now: number): Step {
  // Addresses are listed below the word ready, unless something may keep it from ever being said.
  const due = [...state.later].filter(
    ([key, { at }]) => at <= now && (key !== 'forwards' || state.broken || now - at >= forwardsPatienceMs),
  );
  if (due.length === 0) return { state, lines: [] };
  let next: TerminalState = { ...state, later: without(state.later, ...due.map(([key]) => key)) };
  const lines = due.flatMap(([key, later]) => {
    if (format.verbosity === 'quiet' && key !== 'forwards') return [];
    const edit = key.startsWith('edit ') ? next.edits.get(key.slice('edit '.length)) : undefined;
    const release = key.startsWith('rollout ') ? key.slice('rollout '.length) : undefined;
    // They are not told again when all is ready.
    if (key === 'forwards') next = { ...next, forwards: [] };
    if (release !== undefined) next = withRolloutTold(next, release, later.lines);
    next = withSharedTold(next, key);
    if (!edit) return later.lines;
    next = withoutGone(settled(next, edit), edit);
    return [editLine(edit, next, format)];
  });
  return { state: next, lines };
}

function after(event: Event, { state, lines }: Step, now: number, format: Format): Step {
  const step = said(event, movedOn(event, state), now, format);
  const keeps = format.verbosity === 'quiet' && !importantToAll(event) ? [] : step.lines;
  return { state: step.state, lines: [...lines, ...keeps] };
}

function importantToAll(event: Event): boolean {
  return (
    event.kind === 'failed' ||
    event.kind === 'mended' ||
    event.kind === 'notice' ||
    event.kind === 'ready' ||
    event.kind === 'stopping' ||
    event.kind === 'stopped'
  );
}

/** A subject about which something happened waits no more; and once anything is done, the files of the workspace have been read. */
function movedOn(event: Event, state: TerminalState): TerminalState {
  if (
    event.kind === 'held' ||
    event.kind === 'continued' ||
    event.kind === 'log' ||
    event.kind === 'service' ||
    event.kind === 'output' ||
    event.kind === 'notice'
  )
    return state;
  const over = [subjectOf(event), 'workspace'].filter((subject): subject is string => subject !== undefined && state.holds.has(subject));
  if (over.length === 0) return state;
  return { ...state, holds: without(state.holds, ...over), later: without(state.later, ...over.map((subject) => `hold ${subject}`)) };
}

function pulledText({ files, paths, bytes, pod }: Extract<Event, { kind: 'pulled' }>): string {
  const names = files === paths.length ? someOf(paths.map(inOneLine)) : count(files, 'file');
  return `pulled ${names} (${size(bytes)}) from ${pod}`;
}

function subjectOf(event: Event): string | undefined {
  if ('artifact' in event) return event.artifact;
  if ('release' in event) return event.release;
  if ('target' in event) return event.target;
  return 'subject' in event ? event.subject : undefined;
}

function said(event: Event, state: TerminalState, now: number, format: Format): Step {
  const debug = format.verbosity === 'debug';
  const { dim, green, bold } = format.paint;
  const silent: Step = { state, lines: [] };
  const eventful = withBeginning(state, now);
  const line = (subject: string, text: string, next = state): Step => ({ state: next, lines: [{ subject, text }] });
  const took = (ms: number) => dim(duration(ms));

  switch (event.kind) {
    case 'ready':
      return ready(event, state, now, format);
    case 'decision':
      return decision(event, state, now, format);
    case 'synced':
      return synced(event, state, now, format);
    case 'pulled':
      return line(event.artifact, pulledText(event));
    case 'started':
      return started(event, state, now, debug);
    case 'output':
      return output(event, state, now, format);
    case 'targetRan':
      return line(event.target, `done  ${took(event.ms)}`, finished(state, event.target));
    case 'reloaded':
      return line(event.artifact, `took it up  ${took(event.ms)}`, finished(state, event.artifact));
    case 'built':
      return built(event, eventful, format);
    case 'delivered':
      return line(event.artifact, `delivered${named(event.ref)}, ${event.because}  ${took(event.ms)}`, finished(eventful, event.artifact));
    case 'applied':
      return line(
        event.release,
        `${appliedText(event)}  ${took(event.ms)}`,
        withRelease(eventful, event.release, isUnchanged(event) ? 'unchanged' : 'applied'),
      );
    case 'rollout':
      return rollout(event, state, now, format);
    case 'connected': {
      const next = withPod(state, event.artifact, event.pod);
      const kept = event.kept === 0 ? '' : `, which holds ${count(event.kept, 'synced file')} from before`;
      return debug
        ? line(event.artifact, `connected to ${event.container} of ${event.pod} by the ${event.agent} agent${kept}`, next)
        : { state: next, lines: [] };
    }
    case 'held':
      return held(event, state, now, debug);
    case 'continued':
      return continued(event, state);
    case 'failed':
      return failure(event, state, now, format);
    case 'mended': {
      const mended = withSharedMending(state, event.subject, { now, paint: format.paint });
      const next = {
        ...mended.state,
        failures: without(state.failures, event.subject),
        rolloutFailures: without(state.rolloutFailures, event.subject),
      };
      if (mended.isToldWithOthers) return { state: next, lines: [] };
      return state.failures.has(event.subject) ? line(event.subject, green('right again'), next) : silent;
    }
    case 'forwarded':
      return forwarded(event, state, now, format);
    case 'removed':
      return line(
        event.release,
        event.objects.length === 0 ? 'nothing to remove' : `removed ${someOf(event.objects, 6)}`,
        withRelease(eventful, event.release, 'removed'),
      );
    case 'notice': {
      const subject = event.subject ?? everything;
      const hint = event.hint === undefined ? [] : [{ subject, text: `${bold('→')} ${event.hint}`, continued: true }];
      return { state, lines: [{ subject, text: event.message }, ...hint] };
    }
    case 'stopping': {
      const edits = [...state.edits.values()].map((edit) => editLine(edit, state, format));
      const text = `stopping${event.removes ? ', and removing what was deployed' : ''}; Ctrl+C again leaves at once`;
      return {
        state: { ...state, later: new Map(), edits: new Map(), forwards: [] },
        lines: [...edits, ...untoldFailures(state), { subject: everything, text }],
      };
    }
    case 'stopped': {
      const edits = [...state.edits.values()].map((edit) => editLine(edit, state, format));
      const kept = event.kept ? '; what was deployed stays' : '';
      return {
        state: { ...state, later: new Map(), edits: new Map() },
        lines: [...edits, ...untoldFailures(state), { subject: everything, text: `stopped: ${event.reason}${kept}` }],
      };
    }
    case 'log':
      return logged(event, state, now, format);
    case 'service':
      return silent;
    case 'rolledOut':
      return line(event.release, dim(wayText(event)));
  }
}

/** `2.1 s from the save of apps/api/Dockerfile: build 310 ms, apply 90 ms, schedule 400 ms, ready 1.3 s`, without what took no time. */
function wayText({ files, fileCount, ms }: Extract<Event, { kind: 'rolledOut' }>): string {
  const { total, ...parts } = ms;
  const told = Object.entries(parts).flatMap(([part, each]) => (each < 0.5 ? [] : [`${part} ${duration(each)}`]));
  const [first] = files;
  const what = fileCount === 1 && first !== undefined ? first : count(fileCount, 'file');
  return `${duration(total)} from the save of ${what}: ${told.join(', ')}`;
}

function logged(event: Extract<Event, { kind: 'log' }>, before: TerminalState, now: number, format: Format): Step {
  const { artifact, container, pod, replicas, line, service } = event;
  const { dim } = format.paint;
  const state = withHeard(before, artifact, container);
  const who = [
    ...(replicas > 1 ? [dim(podSuffix(pod))] : []),
    ...((state.heard.get(artifact)?.size ?? 0) > 1 ? [dim(container)] : []),
    dim('│'),
  ];
  const bar = `${who.join(' ')} `;
  if (format.readableLogs !== true) return { state, lines: [{ subject: artifact, bar, text: line.trimEnd() }] };
  const linesOf = (text: string): readonly Line[] => text.split('\n').map((each) => ({ subject: artifact, bar, text: each }));
  const readable = (each: string) => linesOf(logText(inItsLine(each, format.paint), format.paint));
  const { flood, isShown } = counted(state.floods.get(service), line, now);
  const next = { ...state, floods: withEntry(state.floods, service, flood) };
  if (isShown) return { state: next, lines: readable(line) };
  const cut = leftOut(flood);
  const later = { at: flood.since + windowMs, lines: [...(cut === undefined ? [] : linesOf(dim(cut))), ...flood.last.flatMap(readable)] };
  return { state: { ...next, later: withEntry(next.later, `flood ${service}`, later) }, lines: [] };
}

function withHeard(state: TerminalState, artifact: string, container: string): TerminalState {
  const known = state.heard.get(artifact);
  return known?.has(container) === true
    ? state
    : { ...state, heard: withEntry(state.heard, artifact, new Set([...(known ?? []), container])) };
}

function ready(event: Extract<Event, { kind: 'ready' }>, state: TerminalState, now: number, format: Format): Step {
  const { verbosity, paint } = format;
  const next: TerminalState = {
    ...state,
    readyBefore: true,
    eventfulSince: undefined,
    broken: false,
    forwards: [],
    holds: new Map(),
    later: stillToTell(state),
    edits: new Map(),
  };
  // All have got theirs.
  const edits = [...state.edits.values()].map((edit) => editLine(edit, state, format));
  // After a sync the line of the sync has said it.
  if (state.readyBefore && state.eventfulSince === undefined && !state.broken && verbosity !== 'debug')
    return { state: next, lines: edits };
  // The first time counts from the start, later ones from the edit.
  const took = state.readyBefore && (state.broken || state.eventfulSince !== undefined) ? now - (state.eventfulSince ?? now) : event.ms;
  // What was only taken back took no time.
  const within = state.readyBefore && state.broken && took < instantMs ? '' : ` in ${duration(took)}`;
  const containers = event.containers === 0 ? '' : `, ${count(event.containers, 'container')} in step with the files`;
  const text = `${paint.green(paint.bold(state.readyBefore ? 'ready again' : 'ready'))}${within}${containers}`;
  const forwards = state.forwards.map((forward) => ({ ...forwardLine(forward, paint), subject: everything, continued: true }));
  return { state: next, lines: [...edits, { subject: everything, text }, ...forwards] };
}

/** When all is ready nothing is waited for any more. */
function stillToTell(state: TerminalState): TerminalState['later'] {
  return new Map([...state.later].filter(([key]) => key !== 'forwards' && !/^(hold|edit) /.test(key)));
}

function forwarded(
  event: Extract<Event, { kind: 'forwarded' }>,
  state: TerminalState,
  now: number,
  { paint, addressesAtOnce }: Format,
): Step {
  if (state.readyBefore || addressesAtOnce) return { state, lines: [forwardLine(event, paint)] };
  // They are listed below the word ready; one that something else keeps from being ready is still told.
  const forwards = [...state.forwards, event];
  const lines = forwards.map((forward) => forwardLine(forward, paint));
  return { state: { ...state, forwards, later: withEntry(state.later, 'forwards', { at: now + patienceMs * 2, lines }) }, lines: [] };
}

function forwardLine(event: Extract<Event, { kind: 'forwarded' }>, paint: Paint): Line {
  return { subject: event.release, text: `${paint.underline(event.url)} ${paint.dim(`→ ${event.resource}:${event.port}`)}` };
}

function decision(event: Extract<Event, { kind: 'decision' }>, state: TerminalState, now: number, { verbosity }: Format): Step {
  const [only] = event.files;
  const oneEach = event.files.length === event.containerPaths.length;
  const fileAt = (at: number) => (event.files.length === 1 ? only : oneEach ? event.files[at] : undefined);
  const paired = event.containerPaths.flatMap((path, at) => {
    const file = fileAt(at);
    return file === undefined ? [] : [[path, file] as const];
  });
  // An editor that saves by way of another file is decided on twice for one save.
  const before = [...(state.sources.get(event.artifact) ?? [])].slice(-rememberedSources);
  const known: TerminalState = { ...state, sources: withEntry(state.sources, event.artifact, new Map([...before, ...paired])) };
  const quietly: Step = { state: state.broken ? { ...known, eventfulSince: now } : known, lines: [] };
  const eventful = state.broken ? { ...known, eventfulSince: now } : withBeginning(known, now);
  const line = (what: string, next = known): Step => ({
    state: next,
    lines: [{ subject: event.artifact, text: `${what}, ${reasonOf(event)}` }],
  });
  switch (event.action) {
    case 'rebuild':
      return line('rebuilding', { ...eventful, announced: new Set(state.announced).add(event.artifact) });
    case 'redeploy':
      return line('redeploying', eventful);
    case 'target-then-sync':
    case 'target-then-rebuild':
      // What it brings is a sync, whose line says that all is well, or a new image, which is told when its output is seen.
      return line('its target first', quietly.state);
    case 'sync':
      return verbosity === 'debug' ? line('syncing') : quietly;
    case 'none':
      return verbosity === 'debug' ? line('nothing to do') : quietly;
  }
}

/** `apps/api/package.json is read by RUN npm ci (Dockerfile:7)`, whatever kind of phrase the reason is. */
function reasonOf({ files, because }: Extract<Event, { kind: 'decision' }>): string {
  if (files.length === 0 || files.some((file) => because.includes(file))) return because;
  const isParticiple = /^(copied|hidden|left|mounted|read|taken)\b/.test(because);
  return `${someOf(files)}${isParticiple ? (files.length === 1 ? ' is' : ' are') : ':'} ${because}`;
}

function failure(event: Extract<Event, { kind: 'failed' }>, before: TerminalState, now: number, format: Format): Step {
  const { verbosity, paint } = format;
  const { subject, code, message, problem, givesUp = false } = event;
  const identity = JSON.stringify([code, message, problem.detail]);
  // Its name stands before the line already.
  const said = message.startsWith(`${subject}: `) ? message.slice(subject.length + 2) : message;
  const { state, isToldWithOthers } = withSharedFailure(before, event, { said, now, paint });
  const next: TerminalState = {
    ...finished(state, subject),
    broken: true,
    eventfulSince: undefined,
    failures: withEntry(state.failures, subject, identity),
    later: without(state.later, `output ${subject}`, `rollout ${subject}`),
  };
  // A try that fails in the same way again says nothing new.
  if ((state.failures.get(subject) === identity || isToldWithOthers) && verbosity !== 'debug') return { state: next, lines: [] };
  const rollout = state.rolloutFailures.get(subject);
  const [beginning, took] = rollout?.message === message ? ['rollout failed:', rollout.took] : ['failed:', ''];
  const text = `${paint.red(beginning)} ${said}${took} ${paint.dim(`[${code}]`)}`;
  const again = problem.retry === 'afterDelay' && !givesUp ? [paint.dim('it is tried again')] : [];
  const shown = state.tail.subject === subject ? state.tail.texts : [];
  const details = [...problemDetails(problem, paint, shown), ...again].map((detail) => ({ subject, text: detail, continued: true }));
  return { state: next, lines: [{ subject, text }, ...details] };
}

/** Gives new names their colour and room. */
function withNames(state: TerminalState, lines: readonly Line[]): TerminalState {
  let next = state;
  for (const { subject } of lines) {
    const name = ownerOf(subject);
    const width = Math.min(widest, subject.length);
    if (width > next.width) next = { ...next, width };
    if (name !== everything && !next.colours.has(name))
      next = { ...next, colours: withEntry(next.colours, name, colourFor(name, next.colours.values())) };
  }
  return next;
}

/** As much of what was printed last as a tool's message may be long. */
const tailLines = 40;

function withTail(state: TerminalState, lines: readonly Line[]): TerminalState {
  let { subject, texts } = state.tail;
  for (const line of lines) {
    texts = [...(line.subject === subject ? texts : []), line.text].slice(-tailLines);
    subject = line.subject;
  }
  return lines.length === 0 ? state : { ...state, tail: { subject, texts } };
}

/** The tag that people know an image by, where it has one. */
function named(ref: string): string {
  const tag = givenTag(ref);
  return tag === '' ? '' : ` as ${tag}`;
}

/** A target's lines have the colour of its project. */
function ownerOf(subject: string): string {
  return subject.split(':', 1)[0] ?? subject;
}

function written(
  { subject, text, continued, bar = '' }: Line,
  { width, colours }: TerminalState,
  { paint, columns }: Format,
): readonly string[] {
  const name = subject.length > widest ? `${subject.slice(0, widest - 1)}…` : subject;
  const colour = paint.names[colours.get(ownerOf(subject)) ?? Infinity] ?? paint.dim;
  const start = continued === true ? ' '.repeat(width + 4) : `${colour(name.padEnd(width))}  `;
  // What a line is broken into stands below its beginning.
  const indent = ' '.repeat(width + (continued === true ? 6 : bar === '' ? 4 : 2));
  const room = columns === undefined ? undefined : columns - Math.max(visibleWidth(start), indent.length) - visibleWidth(bar);
  const [first = '', ...rest] = room === undefined ? [text] : wrapped(text, room);
  return [`${start}${bar}${first}`, ...rest.map((more) => `${indent}${bar}${more}`)];
}
