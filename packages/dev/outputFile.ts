import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { messageOf, type Problem } from '../model';

/** Writes what a command gives into the file that a flag names, and makes the folders above it. Gives the problem, when there is one. */
export async function writeOutput(file: string, text: string, flag: string): Promise<Problem | undefined> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return undefined;
  } catch (error) {
    return outputNotWritten(file, flag, error);
  }
}

export function outputNotWritten(file: string, flag: string, error: unknown): Problem {
  return {
    code: 'outputNotWritten',
    message: `${file} cannot be written`,
    hint: `name another file with ${flag}`,
    retry: 'never',
    exitCode: 2,
    detail: messageOf(error),
  };
}
