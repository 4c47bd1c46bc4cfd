import type { Goal, Problem, ReleaseName, Step } from '../model';
import { progressOf } from '../plan';
import type { Loop, Turn } from './converge';

/** How long the clean-up may take before what is left is told and left. */
const cleanUpMs = 40_000;

/** Waits until releases that leave the loop's goal are removed. The problems when that does not come to an end. */
export async function removalEnds(loop: Loop, releases: ReadonlySet<ReleaseName>): Promise<readonly Problem[]> {
  const timeout = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), cleanUpMs).unref());
  const isOver = (turn: Turn): boolean =>
    [...releases].every((name) => isLeaving(turn.after.goal, name)) && removalOf(turn, releases).state !== 'working';
  const turn = await Promise.race([loop.until(isOver), timeout]);
  const progress = turn && removalOf(turn, releases);
  if (progress?.state === 'reached') return [];
  return progress?.state === 'stuck' ? progress.problems : [cleanUpTimedOut];
}

const cleanUpTimedOut: Problem = {
  code: 'cleanUpTimedOut',
  message: 'not everything was deleted in time',
  hint: 'slipway delete removes the rest',
  retry: 'never',
  exitCode: 1,
};

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
