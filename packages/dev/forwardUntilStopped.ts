import type { Report, World } from '../model';
import { Forwards } from './forwards';
import type { Session } from './session';
import { untilAborted } from './untilAborted';
import { wantedForwards } from './wantedForwards';

/** Forwards the ports of what was deployed until the command is interrupted. */
export async function forwardUntilStopped(
  session: Session,
  world: World,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
): Promise<void> {
  if (wantedForwards(world, []).length === 0) {
    report({
      kind: 'notice',
      message: 'there is no port to forward',
      hint: 'deploy a Service, or name a port in portForward of slipway.yaml',
    });
    return;
  }
  const forwards = new Forwards(session, report, signal);
  forwards.update(world);
  report({ kind: 'notice', message: 'ports are forwarded until Ctrl+C, which leaves what was deployed' });
  await untilAborted(signal);
  forwards.close();
}
