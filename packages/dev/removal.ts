import { setTimeout as pause } from 'node:timers/promises';
import type { Kube } from '../clients';
import type { Goal, Problem, ReleaseName, Report, Step } from '../model';
import { progressOf } from '../plan';
import type { CommandOptions } from './command';
import type { Loop, Turn } from './converge';

/** How long the clean-up may take before what is left is told and left. */
const cleanUpMs = 40_000;
/** A cluster that has not answered for so long is told of: a runner such as Nx kills a little later. */
const silenceToldMs = 3_500;
/** A cluster that has not answered for so long is given up. */
const silenceMs = 10_000;

export interface Removal {
  readonly loop: Loop;
  /** What leaves the loop's goal. */
  readonly releases: ReadonlySet<ReleaseName>;
  readonly kube: Pick<Kube, 'get'> | undefined;
  /** What was said of where to work, for the command that removes what is left. */
  readonly where: Pick<CommandOptions, 'kubeconfig' | 'context' | 'namespace'>;
  readonly report: Report;
}

/**
 * Waits until releases are removed. The problems when that does not come to an end, one of which says what is left and what removes it;
 * `unanswered`: the cluster is not there, so nothing more is to be waited for.
 */
export async function removalEnds(removal: Removal): Promise<{ readonly problems: readonly Problem[]; readonly unanswered: boolean }> {
  const { loop, releases } = removal;
  const isOver = (turn: Turn): boolean =>
    [...releases].every((name) => isLeaving(turn.after.goal, name)) && removalOf(turn, releases).state !== 'working';
  const over = new AbortController();
  const turn = await Promise.race([
    loop.until(isOver),
    pause(cleanUpMs, undefined, { signal: over.signal, ref: false }).catch(() => undefined),
    silence(removal, over.signal),
  ]);
  over.abort();
  if (turn === 'silent') return { problems: [stillDeployed(removal)], unanswered: true };
  const progress = turn && removalOf(turn, releases);
  if (progress?.state === 'reached') return { problems: [], unanswered: false };
  if (progress?.state !== 'stuck') return { problems: [cleanUpTimedOut(removal)], unanswered: false };
  const unanswered = progress.problems.some(({ code }) => code === 'clusterUnreachable');
  return unanswered ? { problems: [stillDeployed(removal)], unanswered } : { problems: progress.problems, unanswered };
}

/** Resolves when the cluster has not answered a question for too long; never when it answers, be it that it cannot be reached. */
async function silence({ kube, releases, where, report }: Removal, signal: AbortSignal): Promise<'silent'> {
  const answered = kube?.get({ apiVersion: 'v1', kind: 'Namespace', name: where.namespace ?? 'default' });
  const after = (ms: number): Promise<'late' | undefined> => pause(ms, 'late' as const, { signal, ref: false }).catch(() => undefined);
  const isLate = async (ms: number): Promise<boolean> => (await Promise.race([answered, after(ms)])) === 'late';
  if (answered && (await isLate(silenceToldMs))) {
    report({
      kind: 'notice',
      message: `the cluster does not answer, and ${namesOf(releases)} ${isOrAre(releases)} still deployed`,
      hint: `should this end before it does: ${commandFor(releases, where)}`,
    });
    if (await isLate(silenceMs - silenceToldMs)) return 'silent';
  }
  return new Promise(() => undefined);
}

function stillDeployed({ releases, where }: Removal): Problem {
  return {
    code: 'cleanUpUnanswered',
    message: `${namesOf(releases)} ${isOrAre(releases)} still deployed: the cluster does not answer`,
    hint: `when it does, remove what is left with: ${commandFor(releases, where)}; the next dev takes it up`,
    retry: 'never',
    exitCode: 3,
  };
}

function cleanUpTimedOut({ releases, where }: Removal): Problem {
  return {
    code: 'cleanUpTimedOut',
    message: 'not everything was deleted in time',
    hint: `${commandFor(releases, where)} removes the rest`,
    retry: 'never',
    exitCode: 1,
  };
}

function namesOf(releases: ReadonlySet<ReleaseName>): string {
  return [...releases].sort().join(', ');
}

function isOrAre({ size }: ReadonlySet<ReleaseName>): string {
  return size === 1 ? 'is' : 'are';
}

function commandFor(releases: ReadonlySet<ReleaseName>, { kubeconfig, context, namespace }: Removal['where']): string {
  const flags = Object.entries({ kubeconfig, context, namespace }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}=${value}`],
  );
  return ['slipway delete', ...[...releases].sort(), ...flags].join(' ');
}

function isLeaving({ kind, releases, leaving }: Goal, name: ReleaseName): boolean {
  return leaving?.has(name) === true || (kind === 'removed' && releases.has(name));
}

/** How far the removal of some releases is, whatever else goes on. */
function removalOf({ after, plan }: Turn, releases: ReadonlySet<ReleaseName>): ReturnType<typeof progressOf> {
  const isOf = (step: Step): boolean => 'release' in step && releases.has(step.release);
  const running = new Map([...after.running].filter(([, { step }]) => isOf(step)));
  const failures = new Map([...after.failures].filter(([key]) => [...releases].some((name) => key === `remove:${name}`)));
  return progressOf(
    { ...after, goal: { kind: 'removed', artifacts: new Set(), releases }, running, failures },
    { ...plan, start: plan.start.filter(isOf) },
  );
}
