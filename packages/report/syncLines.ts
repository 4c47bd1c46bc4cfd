import type { Event } from '../model';
import { withEntry, without, type Edit, type Format, type Line, type Step, type TerminalState } from './terminalState';
import { count, duration, inOneLine, size, someOf } from './units';

/** Replicas that have an edit within this time are told together. */
const replicaMs = 250;

/** Replicas get an edit one by one, and people made one edit: it is told when all have it, or after a moment. */
export function synced(event: Extract<Event, { kind: 'synced' }>, before: TerminalState, now: number, format: Format): Step {
  const state = withPod(before, event.artifact, event.pod);
  const key = JSON.stringify([event.files, event.bytes, event.paths]);
  const pending = state.edits.get(event.artifact);
  const lines: Line[] = [];
  let next = state;
  if (pending && (pending.key !== key || pending.pods.has(event.pod))) {
    next = settled(next, pending);
    lines.push(editLine(pending, next, format));
  }
  const earlier = next.edits.get(event.artifact);
  const edit: Edit = {
    key,
    event,
    pods: new Set([...(earlier?.pods ?? []), event.pod]),
    ms: Math.max(earlier?.ms ?? 0, event.ms.total),
  };
  if (event.replay || edit.pods.size >= replicasBeside(next, event.artifact, event.pod)) {
    return { state: settled(next, edit), lines: [...lines, editLine(edit, next, format)] };
  }
  const later = withEntry(next.later, `edit ${event.artifact}`, { at: now + replicaMs, lines: [] });
  return { state: { ...next, later, edits: withEntry(next.edits, event.artifact, edit) }, lines };
}

/** An edit that is told. */
export function settled(state: TerminalState, edit: Edit): TerminalState {
  const { artifact } = edit.event;
  return { ...state, edits: without(state.edits, artifact), later: without(state.later, `edit ${artifact}`) };
}

/** Pods of an edit's kind that did not get it in time are gone, and not waited for again. */
export function withoutGone(state: TerminalState, { event: { artifact, pod }, pods }: Edit): TerminalState {
  const kin = replicaSet(pod);
  const left = [...(state.pods.get(artifact) ?? [])].filter((name) => pods.has(name) || replicaSet(name) !== kin);
  return { ...state, pods: withEntry(state.pods, artifact, new Set(left)) };
}

export function editLine({ event, pods, ms }: Edit, state: TerminalState, { verbosity, paint }: Format): Line {
  const { read, send, apply, detect } = event.ms;
  const parts = verbosity === 'debug' ? ` (${[`noticed ${detect}`, `read ${read}`, `sent ${send}`, `applied ${apply}`].join(', ')})` : '';
  const took = paint.dim(`${duration(ms)}${parts}`);
  const containers = (word: 'to' | 'in' | 'from'): string => (pods.size > 1 ? ` ${word} ${count(pods.size, 'container')}` : '');
  if (event.replay && event.files > 0)
    return {
      subject: event.artifact,
      text: `brought ${count(event.files, 'file')} (${size(event.bytes)}) to the container ${event.pod}  ${took}`,
    };
  return { subject: event.artifact, text: `${doneText(event, { state, paint, containers })}  ${took}` };
}

/** A file of this size takes long enough that its size is part of the news. */
const largeBytes = 1_000_000;

interface DoneText {
  readonly state: TerminalState;
  readonly paint: Format['paint'];
  /** All that got it, where it is more than one. */
  readonly containers: (word: 'to' | 'in' | 'from') => string;
}

function doneText(event: Extract<Event, { kind: 'synced' }>, { state, paint, containers }: DoneText): string {
  const { artifact, files, removed, bytes } = event;
  const paths = event.paths.map(inOneLine);
  const [only] = paths;
  const names = files <= 3 && files === paths.length ? `: ${paths.join(', ')}` : '';
  if (files === 0) return `made ${someOf(paths)}${containers('in')}`;
  if (removed === files) {
    const from = containers('from');
    return files === 1 && only !== undefined ? `removed ${only}${from}` : `removed ${count(files, 'file')}${from}${names}`;
  }
  if (files !== 1 || only === undefined) {
    const gone = removed === 0 ? '' : `, removed ${removed}`;
    return `synced ${count(files - removed, 'file')} (${size(bytes)})${containers('to')}${gone}${names}`;
  }
  const source = state.sources.get(artifact)?.get(event.paths[0] ?? '');
  const large = bytes >= largeBytes ? ` (${size(bytes)})` : '';
  return `synced ${source === undefined ? only : `${inOneLine(source)} ${paint.dim('→')} ${only}`}${large}${containers('to')}`;
}

export function withPod(state: TerminalState, artifact: string, pod: string): TerminalState {
  const pods = state.pods.get(artifact);
  return pods?.has(pod) ? state : { ...state, pods: withEntry(state.pods, artifact, new Set([...(pods ?? []), pod])) };
}

/** Pods of one ReplicaSet or StatefulSet share all of their name but its end. */
function replicaSet(pod: string): string {
  return pod.slice(0, pod.lastIndexOf('-') + 1);
}

export function podSuffix(pod: string): string {
  return pod.slice(pod.lastIndexOf('-') + 1);
}

export function replicasBeside(state: TerminalState, artifact: string, pod: string): number {
  const kin = replicaSet(pod);
  return [...(state.pods.get(artifact) ?? [])].filter((name) => replicaSet(name) === kin).length;
}
