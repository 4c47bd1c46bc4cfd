import type { ProcessRequest, Processes } from '../clients';
import { type Problem, failed, succeeded } from '../model';

export interface FakeRun {
  readonly exitCode?: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A program by the words it was started with. Undefined: there is no such program. */
export type FakeProgramOfMachine = (request: ProcessRequest) => FakeRun | Promise<FakeRun> | undefined;

/** The programs of a machine, kept as functions; every start is remembered. */
export interface FakeProcesses extends Processes {
  readonly runs: readonly ProcessRequest[];
}

export function fakeProcesses(program: FakeProgramOfMachine): FakeProcesses {
  const runs: ProcessRequest[] = [];
  return {
    runs,
    async run(request) {
      const { command, signal, onLine } = request;
      const aborted: Problem = { code: 'aborted', message: `${command} was stopped`, retry: 'afterDelay', exitCode: 1 };
      if (signal?.aborted) return failed(aborted);
      runs.push(request);
      const started = program(request);
      if (started === undefined) {
        return failed({
          code: 'commandNotFound',
          message: `${command} is not installed, or not on PATH`,
          retry: 'whenInputChanges',
          exitCode: 1,
        });
      }
      const stopped = new Promise<'stopped'>((resolve) => signal?.addEventListener('abort', () => resolve('stopped'), { once: true }));
      const run = await Promise.race([started, stopped]);
      if (run === 'stopped') return failed(aborted);
      const { exitCode = 0, stdout = '', stderr = '' } = run;
      for (const line of linesOf(stdout)) onLine?.(line, 'stdout');
      for (const line of linesOf(stderr)) onLine?.(line, 'stderr');
      return succeeded({ exitCode, stdout: stdout.replace(/\n$/, ''), stderr: stderr.replace(/\n$/, '') });
    },
  };
}

function linesOf(text: string): readonly string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
