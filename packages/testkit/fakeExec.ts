import { spawn } from 'node:child_process';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Exec, Kube } from '../clients';
import type { Problem } from '../model';

export type ExecRequest = Parameters<Kube['exec']>[0];

/** A process in a container, as it sees the world. */
export interface FakeProcess {
  readonly request: ExecRequest;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Aborted when the stream is closed or lost. A real process may go on; one that is kept in a test should not. */
  readonly gone: AbortSignal;
}

/** What an exec runs: its value is the exit code, or the problem with which the runtime refuses to start it. */
export type FakeProgram = (process: FakeProcess) => Promise<number | Problem>;

export interface FakeExec {
  readonly exec: Exec;
  /** Breaks the stream, as a lost connection does. */
  cut(): void;
}

export const lostProblem: Problem = { code: 'clusterUnreachable', message: 'the connection was cut', retry: 'afterDelay', exitCode: 3 };

export function startFakeExec(program: FakeProgram, request: ExecRequest): FakeExec {
  const stdin = new PassThrough({ highWaterMark: 256 * 1024 });
  const stdout = new PassThrough({ highWaterMark: 1024 * 1024 });
  const stderr = new PassThrough({ highWaterMark: 1024 * 1024 });
  const gone = new AbortController();
  let over = false;
  let end: (ended: Awaited<Exec['ended']>) => void = () => undefined;
  const ended = new Promise<Awaited<Exec['ended']>>((resolve) => (end = resolve));
  const finish = (how: Awaited<Exec['ended']>): void => {
    if (over) return;
    over = true;
    stdout.end();
    stderr.end();
    stdin.destroy();
    gone.abort();
    end(how);
  };
  // What the program writes after its end belongs to nobody.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);
  request.signal?.addEventListener('abort', () => finish({ exitCode: undefined, problem: undefined }), { once: true });
  void program({ request, stdin, stdout, stderr, gone: gone.signal }).then((result) =>
    finish(typeof result === 'number' ? { exitCode: result, problem: undefined } : { exitCode: undefined, problem: result }),
  );
  return {
    exec: { stdin, stdout, stderr, ended, close: () => finish({ exitCode: undefined, problem: undefined }) },
    cut: () => finish({ exitCode: undefined, problem: lostProblem }),
  };
}

/** Runs what is asked for on this machine, as if it was the container. */
export const runHere: FakeProgram = ({ request, stdin, stdout, stderr, gone }) =>
  new Promise((resolve) => {
    const [command = '', ...args] = request.command;
    const child = spawn(command, args, { stdio: 'pipe' });
    gone.addEventListener('abort', () => child.kill('SIGKILL'), { once: true });
    child.once('error', (error) =>
      resolve({
        code: 'execRefused',
        message: `exec in ${request.namespace}/${request.pod} failed: ${error.message}`,
        retry: 'afterDelay',
        exitCode: 1,
      }),
    );
    child.stdin.on('error', () => undefined);
    stdin.pipe(child.stdin);
    child.stdout.pipe(stdout, { end: false });
    child.stderr.pipe(stderr, { end: false });
    child.once('close', (code) => resolve(code ?? 137));
  });
