import type { ProcessRequest } from './processes';

/** How a command of the config is started: a text by a shell, a list as it is. */
export function commandLine(command: string | readonly string[]): Pick<ProcessRequest, 'command' | 'args'> {
  if (typeof command !== 'string') return { command: command[0] ?? '', args: command.slice(1) };
  return process.platform === 'win32'
    ? { command: 'cmd.exe', args: ['/d', '/s', '/c', command] }
    : { command: 'sh', args: ['-c', command] };
}
