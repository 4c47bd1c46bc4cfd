import { processes } from '../clients';

/** Longer than any command of a test takes on a slow machine. */
const commandLimitMs = 240_000;

export type Env = Readonly<Record<string, string | undefined>>;

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Env;
  /** What it must end with; 0 when nothing is said. */
  readonly exitCode?: number;
}

/** Runs a command as a user does, to its end. One that ends otherwise than wanted fails the test with all that it printed. */
export async function runCommand({ command, args, cwd, env = {}, exitCode: wanted = 0 }: CommandRequest): Promise<Ended> {
  const printed: string[] = [];
  const told = () => [`--- ${command} ${args.join(' ')}`, ...printed].join('\n');
  const ended = await processes.run({
    command,
    args,
    cwd,
    env: userEnv(env),
    signal: AbortSignal.timeout(commandLimitMs),
    onLine: (line) => printed.push(line),
  });
  if (!ended.ok) throw new Error(`${ended.problem.message}\n${told()}`);
  const { exitCode, stdout, stderr } = ended.value;
  if (exitCode !== wanted) throw new Error(`exit code ${exitCode} instead of ${wanted}\n${told()}`);
  return { stdout, stderr };
}

/** The environment of a user's shell: what jest, npm and an outer Nx have put into this one is not in it. */
export function userEnv(more: Env = {}): Env {
  const foreign = Object.keys(process.env).filter((name) => /^(NX_|JEST_|npm_|NODE_ENV$|NODE_OPTIONS$|FORCE_COLOR$)/.test(name));
  return { ...process.env, ...Object.fromEntries(foreign.map((name) => [name, undefined])), NX_DAEMON: 'false', NO_COLOR: '1', ...more };
}
