import { spawn } from 'node:child_process';
import { Duplex, PassThrough } from 'node:stream';

export interface DialedProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Of what it complained about, the end says why it did. */
const keptCharacters = 2_000;

/**
 * A connection through a program: what is written is its input, and what it prints is read. It ends when the program does, with an error in
 * the program's own words when that fails; and a connection that is closed ends the program.
 */
export function dialProgram({ command, args, env }: DialedProgram): Duplex {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'], windowsHide: true });
  // Its output is closed before it is known how it ended.
  const printed = child.stdout.pipe(new PassThrough(), { end: false });
  const connection = Duplex.from({ readable: printed, writable: child.stdin });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-keptCharacters)));
  // Whoever reads learns of it by the end of the connection; what the program no longer reads is told by how it ended.
  connection.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.on('error', (error) => connection.destroy(error));
  child.on('close', (code) => {
    if (code === 0) printed.end();
    else connection.destroy(new Error(complaint.trim() === '' ? `${command} ended with exit code ${code ?? 'none'}` : complaint.trim()));
  });
  connection.once('close', () => child.kill());
  return connection;
}
