#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { commands } from './commands';
import { slipway } from './slipway';

const { stdout, stderr } = process;

/** Somebody sits at a terminal. */
const isAttended = process.stdin.isTTY && stdout.isTTY && !process.env['CI'];

async function ask(question: string): Promise<string> {
  const asking = createInterface({ input: process.stdin, output: stdout });
  try {
    return await asking.question(question);
  } catch {
    // Ctrl+C or Ctrl+D instead of an answer.
    return '';
  } finally {
    asking.close();
  }
}

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

// Asked to end, npm and its peers end the shell of a script, and what that shell runs goes on with nobody there to stop it.
if (process.env['npm_lifecycle_event'] !== undefined) {
  const { ppid } = process;
  const watch = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(watch);
    for (const listener of unread) listener();
  }, 500);
  watch.unref();
}

void slipway(process.argv.slice(2), commands, {
  cwd: process.cwd(),
  env: process.env,
  stdout,
  stderr,
  signals: process,
  ...(isAttended ? { ask } : {}),
  onUnread: (listener) => unread.push(listener),
  leave,
}).then(leave);
