import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCompiled } from './loadCompiled';

const body = "exports.answer = () => 42;\nexports.file = __filename;\nexports.name = require('node:path').basename(__dirname);\n";

describe('a module that is compiled once', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-compiled-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Loads it, and does at once what is to be done when all is done. */
  const load = (source: string, kept = join(folder, 'kept', 'part')) => {
    let keeps = 0;
    const file = join(folder, 'module.js');
    const loaded = loadCompiled({
      file,
      source,
      kept,
      whenDone: (keep) => {
        keeps += 1;
        keep();
      },
    }) as { answer(): unknown; file: string; name: string };
    return { loaded, keeps };
  };

  it('is as required, knows its place, and is compiled the first time only', () => {
    const first = load(`// one\n${body}`);
    expect(first.loaded).toMatchObject({ file: join(folder, 'module.js'), name: folder.replace(/.*[\\/]/, '') });
    expect(first.loaded.answer()).toBe(42);
    expect(first.keeps).toBe(1);
    expect(readdirSync(join(folder, 'kept'))).toEqual(['part']);
    const second = load(`// one\n${body}`);
    expect(second.loaded.answer()).toBe(42);
    expect(second.keeps).toBe(0);
  });

  it('is never taken for another of the same length', () => {
    load(`// one\n${body}`);
    const { loaded, keeps } = load(`// two\n${body.replace('42', '43')}`);
    expect(loaded.answer()).toBe(43);
    expect(keeps).toBe(1);
  });

  it('is compiled anew where what is kept is damaged, and that is mended', () => {
    load(`// one\n${body}`);
    const kept = join(folder, 'kept', 'part');
    const whole = readFileSync(kept);
    const changed = Buffer.from(whole);
    changed[whole.length - 100] = (whole[whole.length - 100] ?? 0) ^ 1;
    for (const damaged of [whole.subarray(0, 4), whole.subarray(0, 40), whole.subarray(0, -1), changed]) {
      writeFileSync(kept, damaged);
      expect(load(`// one\n${body}`)).toMatchObject({ keeps: 1 });
      expect(load(`// one\n${body}`)).toMatchObject({ keeps: 0 });
    }
  });

  it('is loaded all the same where nothing can be kept', () => {
    const notAFolder = join(folder, 'file');
    writeFileSync(notAFolder, '');
    const { loaded } = load(`// one\n${body}`, join(notAFolder, 'part'));
    expect(loaded.answer()).toBe(42);
    expect(existsSync(join(folder, 'kept'))).toBe(false);
  });
});
