import { usualPatience, type Problem, type Release, type ReleaseState, type Rollout } from '../model';

/** When a rollout has taken too long, in milliseconds of the loop's clock. Undefined while nothing is shown of it. */
export function deadlineOf({ patience = usualPatience }: Release, { notReadySince }: ReleaseState): number | undefined {
  return notReadySince === undefined ? undefined : notReadySince + patience.deadlineMs;
}

/** Why a rollout is given up, for a command that ends. Undefined while it is waited for. */
export function givenUp(release: Release, state: ReleaseState, rollout: Rollout, now: number): Problem | undefined {
  const { toleratesFailures, deadlineMs } = release.patience ?? usualPatience;
  const deadline = deadlineOf(release, state);
  const isLate = deadline !== undefined && now >= deadline;
  switch (rollout.state) {
    case 'ready':
      return undefined;
    case 'failed':
      return toleratesFailures && !isLate ? undefined : rollout.problem;
    case 'progressing':
      return isLate ? tooLate(rollout, deadlineMs / 1000) : undefined;
  }
}

function tooLate({ message, reason }: Extract<Rollout, { state: 'progressing' }>, seconds: number): Problem {
  const late = `not rolled out within ${seconds} s`;
  if (reason) return { ...reason, message: `${late}: ${reason.message}` };
  const hint = 'see what it waits for: kubectl describe; rollout.deadline in slipway.yaml gives it more time';
  return { code: 'rolloutTimedOut', message: `${late}: ${message}`, hint, retry: 'afterDelay', exitCode: 1 };
}
