import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';

export interface CompiledModule {
  /** Absolute path of the module. */
  readonly file: string;
  /** Its first line tells it from every other. */
  readonly source: string;
  /** Absolute path of a file for what V8 has compiled; nobody may write to it who may not write to the module. */
  readonly kept: string;
  /** Is to call back once what is used of the module has been used. Called only when what is kept does not fit. */
  readonly whenDone: (keep: () => void) => void;
}

/**
 * Loads a CommonJS module as `require` does, without compiling it again each time: that takes longer than most commands. It is compiled as
 * any other where nothing can be kept.
 */
export function loadCompiled({ file, source, kept, whenDone }: CompiledModule): unknown {
  const name = Buffer.from(source.slice(0, source.indexOf('\n') + 1));
  const cachedData = readKept(kept, name);
  const script = new Script(`(function (exports, require, module, __filename, __dirname) {${source}\n})`, {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData || script.cachedDataRejected === true) whenDone(() => keep(kept, name, script.createCachedData()));
  const module = { exports: {} as unknown };
  const run = script.runInThisContext() as (...args: readonly unknown[]) => void;
  run(module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

/** V8 looks at its own version and at the length of the source, and takes damage for code: so the name of the source, and a digest, stand before it. */
function readKept(kept: string, name: Buffer): Buffer | undefined {
  try {
    const content = readFileSync(kept);
    const code = content.subarray(name.length + digestLength);
    const before = content.subarray(0, name.length + digestLength);
    return before.equals(Buffer.concat([name, digestOf(code)])) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever reads it meanwhile reads all of one. */
function keep(kept: string, name: Buffer, code: Buffer): void {
  const unfinished = `${kept}.${process.pid}`;
  try {
    mkdirSync(dirname(kept), { recursive: true });
    writeFileSync(unfinished, Buffer.concat([name, digestOf(code), code]));
    renameSync(unfinished, kept);
  } catch {
    // An installation that cannot be written to.
  }
}

const digestLength = 20;

function digestOf(code: Buffer): Buffer {
  return createHash('sha1').update(code).digest();
}
