/// <reference types="jest" />
import type { Processes } from '../clients';

export interface ProcessesSubject {
  readonly processes: Processes;
  /** Prints `one` and `two` on standard output and `oops` on standard error, then exits with 3. */
  readonly talks: readonly string[];
  /** Prints what it gets on standard input. */
  readonly echoes: readonly string[];
  /** Prints `started`, then never ends. */
  readonly hangs: readonly string[];
}

/** What everyone may expect of `Processes`: run against the fake and against this machine. */
export function processesSuite(name: string, { processes, talks, echoes, hangs }: ProcessesSubject): void {
  const start = ([command = '', ...args]: readonly string[]) => ({ command, args, cwd: process.cwd() });

  describe(name, () => {
    it('gives the exit code and both outputs of a program that ends badly', async () => {
      const lines: string[] = [];
      const ran = await processes.run({ ...start(talks), onLine: (line, stream) => lines.push(`${stream} ${line}`) });
      expect(ran).toEqual({ ok: true, value: { exitCode: 3, stdout: 'one\ntwo', stderr: 'oops' } });
      expect(lines.filter((line) => line.startsWith('stdout'))).toEqual(['stdout one', 'stdout two']);
      expect(lines).toContain('stderr oops');
    });

    it('passes standard input on', async () => {
      const ran = await processes.run({ ...start(echoes), input: 'hello' });
      expect(ran).toMatchObject({ ok: true, value: { exitCode: 0, stdout: 'hello' } });
    });

    it('says that a program is not installed', async () => {
      expect(await processes.run(start(['no-such-program-anywhere']))).toMatchObject({
        ok: false,
        problem: { code: 'commandNotFound', message: expect.stringContaining('no-such-program-anywhere') as string },
      });
    });

    it('stops a program that is aborted', async () => {
      const stop = new AbortController();
      const ran = await processes.run({ ...start(hangs), signal: stop.signal, onLine: (line) => line === 'started' && stop.abort() });
      expect(ran).toMatchObject({ ok: false, problem: { code: 'aborted' } });
    });

    it('does not start a program when it was aborted before', async () => {
      expect(await processes.run({ ...start(talks), signal: AbortSignal.abort() })).toMatchObject({
        ok: false,
        problem: { code: 'aborted' },
      });
    });
  });
}
