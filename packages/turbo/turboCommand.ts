import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Invocation {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The workspace's own turbo. Its program is started directly: the script in front of it costs a tenth of a second, on every question
 * and every build. A workspace without one may have a turbo on PATH.
 */
export function turboCommand(root: string, args: readonly string[]): Invocation {
  const installed = found(join(root, 'package.json'), 'turbo/package.json');
  if (installed === undefined) return { command: 'turbo', args };
  const program = found(installed, nativeProgram());
  // It would look for itself in the workspace, where it was found.
  if (program !== undefined) return { command: program, args: ['--skip-infer', ...args] };
  return { command: process.execPath, args: [join(dirname(installed), 'bin', 'turbo'), ...args] };
}

function nativeProgram(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  return `@turbo/${system}-${process.arch === 'x64' ? '64' : process.arch}/bin/turbo${system === 'windows' ? '.exe' : ''}`;
}

function found(from: string, wanted: string): string | undefined {
  try {
    const path = createRequire(from).resolve(wanted);
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
