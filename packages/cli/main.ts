#!/usr/bin/env node
import { commands } from './commands';
import { slipway } from './slipway';

const { stdout, stderr } = process;

/** Ends when what was written has been taken: a pipe may still be full. */
function leave(exitCode: number): void {
  stdout.write('', () => stderr.write('', () => process.exit(exitCode)));
}

// A reader that has seen enough (`slipway inputs | head`), or a terminal that was closed, is no failure: work that was begun is
// done, or undone, all the same.
const unread: (() => void)[] = [];
for (const stream of [stdout, stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    for (const listener of unread) listener();
  });
}

void slipway(process.argv.slice(2), commands, {
  cwd: process.cwd(),
  env: process.env,
  stdout,
  stderr,
  signals: process,
  onUnread: (listener) => unread.push(listener),
  leave,
}).then(leave);
