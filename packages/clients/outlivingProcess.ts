import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/** A process that goes on when this one is killed. */
export interface OutlivingProcess {
  /** Tells it that it is not needed. */
  dismiss(): void;
}

/**
 * Runs a script of ours that waits for the end of this process: `leftAlone` in it gives what it was told. It is out of reach of what
 * ends this process: in a session of its own, so that Ctrl+C and the end of the terminal pass it by; and no longer a descendant,
 * because task runners kill the whole tree below them. Where it cannot be started, nothing happens.
 */
export function startOutlivingProcess(script: string, message: object): OutlivingProcess {
  const { execPath, platform } = process;
  // The shell ends at once, and its background process belongs to the system's first one from then on.
  // What it is told comes with its start, or else an end in between would leave it with nothing.
  const started = [execPath, script, JSON.stringify(message)] as const;
  const isDirect = platform === 'win32';
  const [command, ...args] = isDirect ? started : ['/bin/sh', '-c', '"$0" "$@" <&3 3<&- &', ...started];
  // Not the shell's own input: Node closes that when the shell ends, and the script would take it for the end of this process.
  const child = spawn(command, args, {
    detached: true,
    windowsHide: true,
    stdio: isDirect ? ['pipe', 'ignore', 'ignore'] : ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const line = child.stdio[isDirect ? 0 : 3];
  const unheard = (): void => undefined;
  child.on('error', unheard);
  child.unref();
  if (!(line instanceof Socket)) return { dismiss: unheard };
  line.on('error', unheard);
  line.unref();
  return { dismiss: () => void line.end('dismissed') };
}

/** For the script: what it was told, once the process that started it has ended without dismissing it; undefined when it did. */
export async function leftAlone(): Promise<unknown> {
  const { stdin } = process;
  // What is meant for its starter is not for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  let text = '';
  stdin.setEncoding('utf8');
  stdin.on('data', (chunk: string) => (text += chunk));
  await new Promise<void>((resolve) =>
    stdin
      .once('close', resolve)
      .once('end', resolve)
      .once('error', () => resolve()),
  );
  return text === 'dismissed' ? undefined : JSON.parse(process.argv[2] ?? 'null');
}
