import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { join } from 'node:path';
import { takeSeat } from '../clients';
import type { Report } from '../model';
import { combine, jsonLines } from '../report';
import { ageMs } from './age';
import { attachCommand } from './attachCommand';
import type { DevOptions, TimedDevOptions } from './command';
import { follow, type ForwardedPorts } from './following';
import { Leading } from './leading';
import type { DevResult } from './loopMessages';

/**
 * Builds, deploys, and then keeps what runs in step with the disk until it is interrupted; then deletes what it deployed, unless
 * it is to be kept. A failure is told, and the loop goes on. All that run in one workspace are one loop.
 */
export async function devCommand(options: DevOptions): Promise<DevResult> {
  const timeout = options.timeout === undefined ? undefined : ageMs(options.timeout);
  if (timeout && !timeout.ok) {
    return { exitCode: timeout.problem.exitCode, problems: [timeout.problem], document: { stopped: 'preflight' } };
  }
  const events = options.events === undefined ? undefined : openEvents(options.events);
  const report = events ? combine([options.report, events.report]) : options.report;
  try {
    const told = { ...options, report, timeoutMs: timeout?.value };
    return await (options.attach === true ? attachCommand(told) : inOneLoop(told));
  } finally {
    await events?.close();
  }
}

/** The first `dev` of a workspace leads, the others follow it; when it ends, one of them leads on. */
async function inOneLoop(options: TimedDevOptions): Promise<DevResult> {
  const { root, env, report } = options;
  let before: ForwardedPorts | undefined;
  for (;;) {
    const seat = await takeSeat({ folder: join(root, '.slipway'), name: 'dev', env });
    if (seat.kind === 'later') {
      const end = await follow(seat.line, options);
      if (end.kind === 'ended') return end.result;
      before = end.forwarded ?? before;
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

function openEvents(file: string): { readonly report: Report; close(): Promise<void> } {
  const stream = createWriteStream(file, { flags: 'w' });
  return {
    report: jsonLines({ stream, now: Date.now, verbosity: 'normal' }),
    async close() {
      stream.end();
      await finished(stream).catch(() => undefined);
    },
  };
}
