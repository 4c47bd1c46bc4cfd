import type { Problem } from '../model';
import { isReached, progressOf, serviceStates } from '../plan';
import type { Loop, Turn } from './converge';
import { untilAborted } from './untilAborted';

export interface Readiness {
  /** Ends as soon as everything is ready, or gets no further. */
  readonly exitWhenReady: boolean;
  /** How long it may take until everything is ready the first time. */
  readonly timeoutMs: number | undefined;
  /** Aborted when it is to end. */
  readonly signal: AbortSignal;
  /** What must be there beside what is deployed, and is not, once that is ready. */
  readonly missing?: () => Promise<readonly Problem[]>;
  /** The loop as far as it counts. Absent: all of it. */
  readonly view?: (turn: Turn) => Turn;
}

/** Why a session ends: somebody asked for it, everything is ready and that was all that was wanted, or it was not ready in time. */
export type SessionEnd =
  { readonly kind: 'asked' } | { readonly kind: 'ready' } | { readonly kind: 'notReady'; readonly problems: readonly Problem[] };

/** Waits until a session is to end. */
export async function sessionEnd(
  loop: Loop,
  { exitWhenReady, timeoutMs, signal, missing, view = (turn) => turn }: Readiness,
): Promise<SessionEnd> {
  const asked = untilAborted(signal).then((): SessionEnd => ({ kind: 'asked' }));
  const isOver = (turn: Turn): boolean => {
    const { after, plan } = view(turn);
    return isReached(after) || (exitWhenReady && progressOf(after, plan).state === 'stuck');
  };
  const settled = loop.until(isOver).then(async (turn): Promise<SessionEnd> => {
    const { after, plan } = view(turn);
    const progress = progressOf(after, plan);
    if (progress.state === 'stuck') return { kind: 'notReady', problems: progress.problems };
    const problems = exitWhenReady && missing ? await missing() : [];
    return problems.length > 0 ? { kind: 'notReady', problems } : { kind: 'ready' };
  });
  if (!exitWhenReady && timeoutMs === undefined) return asked;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<SessionEnd>((resolve) => {
    if (timeoutMs === undefined) return;
    timer = setTimeout(
      () => void loop.until(() => true).then((turn) => resolve({ kind: 'notReady', problems: [notReadyInTime(view(turn), timeoutMs)] })),
      timeoutMs,
    );
  });
  const first = await Promise.race([asked, settled, late]);
  clearTimeout(timer);
  return first.kind === 'ready' && !exitWhenReady ? asked : first;
}

function notReadyInTime({ after, plan }: Turn, timeoutMs: number): Problem {
  const waiting = [...serviceStates(after, plan)].filter(([, { state }]) => state !== 'ready');
  const lines = waiting.map(([name, { state, detail, because }]) => `${name}: ${[state, detail ?? because].filter(Boolean).join(', ')}`);
  const names = waiting.map(([name]) => name);
  return {
    code: 'notReadyInTime',
    message: `${names.length === 0 ? 'not everything' : names.join(', ')} ${names.length > 1 ? 'are' : 'is'} not ready within ${timeoutMs / 1000} s`,
    hint: 'slipway status and slipway logs show more; --timeout gives it longer',
    retry: 'never',
    exitCode: 1,
    ...(lines.length > 0 && { detail: lines.join('\n') }),
  };
}
