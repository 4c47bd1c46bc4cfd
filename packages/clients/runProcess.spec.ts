import { processesSuite } from '../testkit/processesSuite';
import { processes } from './runProcess';

const node = (script: string): readonly string[] => [process.execPath, '-e', script];

processesSuite('processes of this machine', {
  processes,
  talks: node('console.log("one\\ntwo"); console.error("oops"); process.exitCode = 3'),
  echoes: node('process.stdin.pipe(process.stdout)'),
  hangs: node('console.log("started"); setInterval(() => {}, 1000)'),
});

describe('processes', () => {
  const run = (script: string) => ({ command: process.execPath, args: ['-e', script], cwd: process.cwd() });

  it('end with everything that they started when they are aborted', async () => {
    const stop = new AbortController();
    let grandchild = 0;
    const ran = await processes.run({
      ...run(
        'const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]); console.log(c.pid); setInterval(() => {}, 1000)',
      ),
      signal: stop.signal,
      onLine(line) {
        grandchild = Number(line);
        stop.abort();
      },
    });
    expect(ran.ok).toBe(false);
    // Its end is seen when its last parent has taken note of it.
    while (isRunning(grandchild)) await new Promise((resolve) => setImmediate(resolve));
  });

  it('say that a directory is not there, not that the program is not', async () => {
    expect(await processes.run({ ...run(''), cwd: '/no/such/directory' })).toMatchObject({
      ok: false,
      problem: { code: 'directoryNotFound' },
    });
  });

  it('have the exit code that shells give to a program that was killed', async () => {
    expect(await processes.run(run('process.kill(process.pid, "SIGKILL")'))).toMatchObject({ ok: true, value: { exitCode: 137 } });
  });

  it('see their own environment on top of this one, less what it takes away', async () => {
    const script = 'console.log(process.env.OWN, "PATH" in process.env, "JEST_WORKER_ID" in process.env)';
    const ran = await processes.run({ ...run(script), env: { OWN: 'x', JEST_WORKER_ID: undefined } });
    expect(ran).toMatchObject({ ok: true, value: { stdout: 'x true false' } });
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
