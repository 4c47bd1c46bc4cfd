import { join } from 'node:path';
import { takeSeat } from '../clients';
import type { Problem } from '../model';
import { combine } from '../report';
import { ageMs } from './age';
import { attachCommand } from './attachCommand';
import type { DevOptions, TimedDevOptions } from './command';
import { openEventsFile } from './eventsFile';
import { follow } from './following';
import type { Heritage } from './inheritance';
import { Leading } from './leading';
import type { DevResult } from './loopMessages';

/**
 * Builds, deploys, and then keeps what runs in step with the disk until it is interrupted; then deletes what it deployed, unless
 * it is to be kept. A failure is told, and the loop goes on. All that run in one workspace are one loop.
 */
export async function devCommand(options: DevOptions): Promise<DevResult> {
  const timeout = options.timeout === undefined ? undefined : ageMs(options.timeout);
  if (timeout && !timeout.ok) return notBegun(timeout.problem);
  const { root, env, projects, events: file, verbosity = 'normal', report: toPeople } = options;
  const events =
    file === undefined
      ? undefined
      : await openEventsFile({ file, folder: stateFolder(root), env, part: projects, verbosity, report: toPeople });
  if (events && !events.ok) return notBegun(events.problem);
  const report = events ? combine([toPeople, events.value.report]) : toPeople;
  try {
    const told = { ...options, report, timeoutMs: timeout?.value };
    return await (options.attach === true ? attachCommand(told) : inOneLoop(told));
  } finally {
    await events?.value.close();
  }
}

function notBegun(problem: Problem): DevResult {
  return { exitCode: problem.exitCode, problems: [problem], document: { stopped: 'preflight' } };
}

function stateFolder(root: string): string {
  return join(root, '.slipway');
}

/** The first `dev` of a workspace leads, the others follow it; when it ends, one of them leads on. */
async function inOneLoop(options: TimedDevOptions): Promise<DevResult> {
  const { root, env, report } = options;
  let before: Heritage | undefined;
  for (;;) {
    const seat = await takeSeat({ folder: stateFolder(root), name: 'dev', env });
    if (seat.kind === 'later') {
      const end = await follow(seat.line, options);
      if (end.kind === 'ended') return end.result;
      before = end.heritage ?? before;
      continue;
    }
    if (before) report({ kind: 'notice', message: 'the dev that led this loop has ended; this one goes on with it' });
    const door = seat.kind === 'first' ? seat.door : undefined;
    try {
      return await new Leading({ options, door, before }).run();
    } finally {
      await door?.close();
    }
  }
}
