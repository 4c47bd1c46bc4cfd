#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { isAttended } from './attended';
import { commands } from './commands';
import { slipway } from './slipway';
import type { Keyboard } from '../report';

const { stdout, stderr } = process;

const attended = isAttended(process);

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

/** Keys reach it one by one and are not shown; Ctrl+C and Ctrl+Z do what they do anywhere. */
const keyboard: Keyboard = {
  columns: () => stdout.columns,
  onResize: (listener) => stdout.on('resize', listener),
  open(listener) {
    const { stdin } = process;
    const take = (text: string): void => {
      for (const part of text.split(/([\u0003\u001a])/)) {
        if (part === '\u0003') process.kill(process.pid, 'SIGINT');
        else if (part === '\u001a') suspend();
        else if (part !== '') listener(part);
      }
    };
    const suspend = (): void => {
      stdin.setRawMode(false);
      process.once('SIGCONT', () => {
        if (stdin.listenerCount('data') > 0) stdin.setRawMode(true);
        stdout.emit('resize');
      });
      process.kill(0, 'SIGTSTP');
    };
    const close = (): void => {
      stdin.off('data', take);
      stdin.setRawMode(false);
      stdin.pause();
      process.off('exit', close);
    };
    stdin.setEncoding('utf8').setRawMode(true).on('data', take).resume();
    process.on('exit', close);
    return close;
  },
};

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
  ...(attended ? { ask } : {}),
  ...(attended && process.env['TERM'] !== 'dumb' ? { keyboard } : {}),
  onUnread: (listener) => unread.push(listener),
  leave,
}).then(leave);
