import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { accessSync, constants, mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Exec, Kube } from '../clients';
import { failed, succeeded, type Problem } from '../model';

/**
 * A container made of this machine: what is executed in it finds only the tools it was given. Its files are this machine's, so
 * tests keep to folders of their own.
 */
export interface LocalContainer {
  readonly kube: { exec: Kube['exec'] };
  /** Environment of what is executed. */
  readonly env: Record<string, string>;
  /** The processes that were started, newest last. */
  readonly processes: readonly ChildProcess[];
  /** Cuts every stream, as a lost connection does; the processes see the end of their input, and nobody hears them. */
  cut(): void;
  /** Ends every process at once, as the end of a container does; resolves when they are gone. */
  kill(): Promise<void>;
}

/**
 * `tools` maps names to programs of this machine, or to busybox, which is what it is called. `user` is the number of the user that
 * everything runs as, where tests run as the superuser.
 */
export function localContainer(folder: string, tools: Readonly<Record<string, string>>, user?: number): LocalContainer {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const [name, program] of Object.entries(tools)) symlinkSync(program, join(bin, name));
  const processes: ChildProcess[] = [];
  const env: Record<string, string> = { PATH: bin };
  const execs: StartedExec[] = [];
  return {
    env,
    processes,
    kube: {
      exec({ command: [program = '', ...args], signal }) {
        const file = program.includes('/') ? program : join(bin, program);
        // What a container's runtime says, when it is not there.
        if (!isExecutable(file)) return Promise.resolve(failed(execRefused(`exec: "${program}": executable file not found in $PATH`)));
        // In a group of its own, as what is executed in a container is in a session of its own.
        const child = spawn(file, args, {
          detached: true,
          argv0: program,
          cwd: folder,
          env,
          stdio: 'pipe',
          ...(user === undefined ? {} : { uid: user }),
        });
        processes.push(child);
        const started = execOf(child);
        const { exec } = started;
        execs.push(started);
        signal?.addEventListener('abort', () => exec.close(), { once: true });
        return Promise.resolve(succeeded(exec));
      },
    },
    cut() {
      for (const { cut } of execs) cut();
    },
    async kill() {
      for (const { pid } of processes) if (pid !== undefined) endGroup(pid);
      await Promise.all(execs.map(({ gone }) => gone));
    },
  };
}

/** Where this machine has a program. */
export function programPath(name: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

interface StartedExec {
  readonly exec: Exec;
  readonly cut: () => void;
  readonly gone: Promise<void>;
}

function execOf(child: ChildProcessWithoutNullStreams): StartedExec {
  let end: (ended: Awaited<Exec['ended']>) => void = () => undefined;
  const ended = new Promise<Awaited<Exec['ended']>>((resolve) => (end = resolve));
  const gone = new Promise<void>((resolve) =>
    child.once('close', (code) => {
      end(code === null ? { exitCode: undefined, problem: lost('its container went away') } : { exitCode: code, problem: undefined });
      resolve();
    }),
  );
  // The process is left alone: it sees the end of its input.
  const leave = (problem: Problem | undefined): void => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    end({ exitCode: undefined, problem });
  };
  const { stdin, stdout, stderr } = child;
  return { exec: { stdin, stdout, stderr, ended, close: () => leave(undefined) }, cut: () => leave(lost('the connection was cut')), gone };
}

function lost(message: string): Problem {
  return { code: 'execLost', message, retry: 'afterDelay', exitCode: 1 };
}

function endGroup(id: number): void {
  try {
    process.kill(-id, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}

function execRefused(message: string): Problem {
  return { code: 'execRefused', message, retry: 'afterDelay', exitCode: 1 };
}
