import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failed, messageOf, succeeded, type Problem, type Result } from '../model';

/** Which cluster was behind the name of a context. */
export interface RememberedContext {
  readonly identity: string;
  /** For people who read the file. */
  readonly server: string;
}

export type ContextMemory = Readonly<Record<string, RememberedContext>>;

/** Where a user's remembered contexts are kept. */
export function contextMemoryFile(env: Readonly<Record<string, string | undefined>>, home: string): string {
  const state = env['XDG_STATE_HOME'];
  return join(state === undefined || state === '' ? join(home, '.local', 'state') : state, 'slipway', 'contexts.json');
}

/** Failure: `contextMemoryUnreadable`. A file that is there but cannot be understood is no reason to trust a name. */
export async function readContextMemory(file: string): Promise<Result<ContextMemory>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return succeeded({});
    return failed(unreadable(file, messageOf(error)));
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isMemory(parsed)) return succeeded(parsed);
    return failed(unreadable(file, 'it does not have the shape that Slipway writes'));
  } catch (error) {
    return failed(unreadable(file, messageOf(error)));
  }
}

export async function rememberContext(file: string, context: string, remembered: RememberedContext): Promise<Result<void>> {
  // Read again: another process may have remembered something since.
  const memory = await readContextMemory(file);
  if (!memory.ok) return memory;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    // One context a line, so that one can be deleted by hand.
    const lines = Object.entries({ ...memory.value, [context]: remembered }).map(
      ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)}`,
    );
    await writeFile(draft, `{\n${lines.join(',\n')}\n}\n`, { mode: 0o600 });
    await rename(draft, file);
    return succeeded(undefined);
  } catch (error) {
    return failed(unreadable(file, messageOf(error)));
  }
}

function isMemory(value: unknown): value is ContextMemory {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every(
    (one: unknown) => typeof one === 'object' && one !== null && 'identity' in one && typeof one.identity === 'string',
  );
}

function unreadable(file: string, reason: string): Problem {
  return {
    code: 'contextMemoryUnreadable',
    message: `the file of remembered contexts ${file} cannot be used: ${reason}`,
    hint: 'mend or delete it',
    retry: 'never',
    exitCode: 2,
  };
}
