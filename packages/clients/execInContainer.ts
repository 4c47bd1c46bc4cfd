import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type Result, failed, succeeded } from '../model';
import type { ContainerCommand, ContainerCommandEnd } from './engine';
import { type EngineAnswer, type EngineApi, abortedEngine } from './engineApi';
import { reasonOf } from './httpRequest';

/** Runs a command in a container to its end: made, started on a connection of its own, and asked how it ended. */
export async function execInContainer(
  api: EngineApi,
  { container, command, input, signal }: ContainerCommand,
  refused: (answer: EngineAnswer<unknown>) => Result<never>,
): Promise<Result<ContainerCommandEnd>> {
  if (signal?.aborted) return failed(abortedEngine);
  const data = { AttachStdin: input !== undefined, AttachStdout: true, AttachStderr: true, Cmd: command };
  const made = await api.json({ method: 'POST', path: `/containers/${container}/exec`, data });
  if (made.kind !== 'answered') return refused(made);
  const { Id: id } = made.value as { readonly Id: string };
  const started = await api.connect({ path: `/exec/${id}/start`, protocol: 'tcp', data: { Detach: false, Tty: false } });
  if (started.kind !== 'answered') return refused(started);
  const printed = await talk(started.value, input, signal);
  if (!printed.ok) return printed;
  const ended = await api.json({ method: 'GET', path: `/exec/${id}/json` });
  if (ended.kind !== 'answered') return refused(ended);
  const { ExitCode: exitCode } = ended.value as { readonly ExitCode?: number | null };
  if (typeof exitCode !== 'number') return failed(cutOff('it does not know how the command ended'));
  return succeeded({ exitCode, ...printed.value });
}

/** Sends the input, and collects both outputs until the command closes them. */
function talk(
  socket: Socket,
  input: Readable | undefined,
  signal: AbortSignal | undefined,
): Promise<Result<Pick<ContainerCommandEnd, 'stdout' | 'stderr'>>> {
  const output = outputReader();
  return new Promise((resolve) => {
    const end = (result: Result<Pick<ContainerCommandEnd, 'stdout' | 'stderr'>>): void => {
      signal?.removeEventListener('abort', abort);
      input?.destroy();
      socket.destroy();
      resolve(result);
    };
    const abort = (): void => end(failed(abortedEngine));
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('data', output.add);
    // A command that ends before it has read everything closes the connection while more is sent: how it ended says what that was.
    socket.on('error', () => undefined);
    socket.once('close', () => end(succeeded(output.end())));
    socket.once('end', () => end(succeeded(output.end())));
    if (input === undefined) socket.end();
    else input.once('error', (error) => end(failed(cutOff(reasonOf(error))))).pipe(socket);
  });
}

function cutOff(reason: string) {
  return {
    code: 'engineRefused',
    message: `a command in a container of the engine was cut off: ${reason}`,
    retry: 'afterDelay',
    exitCode: 1,
  } as const;
}

const headerBytes = 8;

/** Both outputs come in one stream, each piece behind its channel and its length. */
function outputReader(): { readonly add: (chunk: Buffer) => void; readonly end: () => Pick<ContainerCommandEnd, 'stdout' | 'stderr'> } {
  const channels: Readonly<Record<number, Buffer[]>> = { 1: [], 2: [] };
  let rest = Buffer.alloc(0);
  return {
    add(chunk) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= headerBytes) {
        const end = headerBytes + rest.readUInt32BE(4);
        if (rest.length < end) return;
        channels[rest[0] ?? 0]?.push(rest.subarray(headerBytes, end));
        rest = rest.subarray(end);
      }
    },
    end() {
      const textOf = (channel: number): string => Buffer.concat(channels[channel] ?? []).toString();
      return { stdout: textOf(1), stderr: textOf(2) };
    },
  };
}
