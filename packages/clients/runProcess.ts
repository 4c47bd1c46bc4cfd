import { accessSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { type Problem, failed, succeeded } from '../model';
import { doors } from './doors';
import { eachLine } from './lines';
import type { ProcessRequest, Processes } from './processes';

/** Programs of this machine, started without a shell. When one is aborted, everything that it started ends with it. */
export const processes: Processes = { run: runProcess };

const graceMs = 5_000;
/** Of each output at least the last so many bytes are kept. */
const keptBytes = 64 * 1024 * 1024;
const running = new Set<number>();

async function runProcess(request: ProcessRequest): ReturnType<Processes['run']> {
  const { command, args, cwd, env = {}, signal, input, holdsInput, onLine } = request;
  if (signal?.aborted) return failed(abortedProcess(command));
  const { execa } = doors.processes();
  const child = execa(command, args, {
    cwd,
    env,
    reject: false,
    // Kept here instead: a bundler that runs for days must not be held in memory with all that it ever said.
    buffer: false,
    ...(input === undefined ? { stdin: holdsInput ? 'pipe' : 'ignore' } : { input }),
    // A process group of its own, so that it can be ended with all that it started. Windows ends a tree by another way.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  const { pid } = child;
  const [stdout, stderr] = [outputOf(child.stdout), outputOf(child.stderr)];
  if (pid !== undefined) endWithThisProcess(pid);
  if (onLine) {
    eachLine(child.stdout, (line) => onLine(line, 'stdout'));
    eachLine(child.stderr, (line) => onLine(line, 'stderr'));
  }
  let killing: NodeJS.Timeout | undefined;
  const abort = (): void => {
    if (pid === undefined) return;
    endTree(pid, 'SIGTERM');
    killing = setTimeout(() => endTree(pid, 'SIGKILL'), graceMs);
  };
  signal?.addEventListener('abort', abort, { once: true });
  const [result] = await Promise.all([child, stdout.closed, stderr.closed]);
  signal?.removeEventListener('abort', abort);
  clearTimeout(killing);
  if (pid !== undefined) running.delete(pid);
  if (signal?.aborted) {
    if (pid !== undefined) endTree(pid, 'SIGKILL');
    return failed(abortedProcess(command));
  }
  if (result.exitCode === undefined && result.signal === undefined) return failed(notStarted(request, result.cause));
  const exitCode = result.exitCode ?? 128 + (result.signal === undefined ? 0 : constants.signals[result.signal]);
  return succeeded({ exitCode, stdout: stdout.text(), stderr: stderr.text() });
}

function outputOf(stream: Readable): { readonly closed: Promise<void>; text(): string } {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    while (size - (chunks[0]?.length ?? 0) >= keptBytes) size -= chunks.shift()?.length ?? 0;
  });
  return {
    closed: new Promise((resolve) => stream.once('close', () => resolve())),
    text: () =>
      Buffer.concat(chunks)
        .toString('utf8')
        .replace(/\r?\n$/, ''),
  };
}

function abortedProcess(command: string): Problem {
  return { code: 'aborted', message: `${command} was stopped`, retry: 'afterDelay', exitCode: 1 };
}

function notStarted({ command, cwd }: ProcessRequest, cause: unknown): Problem {
  if (!isThere(cwd)) {
    return {
      code: 'directoryNotFound',
      message: `${command} cannot run in ${cwd}, which does not exist`,
      retry: 'whenInputChanges',
      exitCode: 1,
    };
  }
  const { code, message = 'it did not start' } = (cause ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ENOENT') {
    return {
      code: 'commandNotFound',
      message: `${command} is not installed, or not on PATH`,
      hint: `install ${command}, or put its folder on PATH`,
      retry: 'whenInputChanges',
      exitCode: 1,
    };
  }
  return { code: 'commandNotFound', message: `${command} cannot be started: ${message}`, retry: 'whenInputChanges', exitCode: 1 };
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

function endTree(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (process.platform === 'win32') {
    void doors.processes().execa('taskkill', ['/pid', String(pid), '/T', '/F'], { reject: false });
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has ended already.
  }
}

/** A group of its own hears neither Ctrl+C nor the end of this process. */
function endWithThisProcess(pid: number): void {
  if (running.size === 0 && process.listenerCount('exit', endAll) === 0) process.once('exit', endAll);
  running.add(pid);
}

function endAll(): void {
  for (const pid of running) endTree(pid, 'SIGKILL');
}
