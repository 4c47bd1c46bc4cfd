import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadCompiled } from './loadCompiled';
import type * as Program from './program';

/**
 * The program, from the one file that `tools/bundle.mjs` makes of it; from the files that it is made of, where the compiler alone has run.
 * @param part what of it this process is started for: another part uses other code.
 */
export function loadProgram(part: string): typeof Program {
  const file = join(__dirname, 'program.bundle.js');
  let source: string;
  try {
    // It is of ASCII, which needs no decoding.
    source = readFileSync(file, 'latin1');
  } catch {
    return createRequire(__filename)('./program.js') as typeof Program;
  }
  const kept = join(__dirname, 'compiled', part);
  // What was asked for wrongly has used little of it, and may have any name.
  const whenDone = (keep: () => void): void => {
    process.once('exit', (code) => {
      if (code !== 2) keep();
    });
  };
  return loadCompiled({ file, source, kept, whenDone }) as typeof Program;
}
