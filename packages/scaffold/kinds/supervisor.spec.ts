import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { supervisor } from './supervisor';

const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('the script that runs a program again on HUP', () => {
  let folder: string;
  let running: ChildProcessWithoutNullStreams;
  let told = '';
  const program = (text: string) => writeFileSync(join(folder, 'program.sh'), text);
  /** Resolves when what was told so far matches. */
  const saying = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!pattern.test(told)) return;
        running.off('told', look);
        resolve();
      };
      running.on('told', look);
      look();
    });
  const start = (text: string) => {
    program(text);
    writeFileSync(join(folder, 'dev.sh'), supervisor);
    told = '';
    running = spawn('sh', ['dev.sh', 'sh', 'program.sh'], { cwd: folder });
    for (const stream of [running.stdout, running.stderr])
      stream.on('data', (chunk: Buffer) => {
        told += chunk.toString();
        running.emit('told');
      });
  };
  const ended = () => new Promise((resolve) => running.once('close', resolve));
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'slipway-supervisor-'))));
  afterEach(() => {
    running.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const stays = (word: string) => `echo ${word}; exec sleep 1000`;

  it('ends the old one first, and ends with it on TERM', async () => {
    start(stays('one'));
    await saying(/one/);
    program(stays('two'));
    running.kill('SIGHUP');
    await saying(/two/);
    const end = ended();
    running.kill('SIGTERM');
    expect(await end).toBe(0);
    expect(told).toBe('one\ntwo\n');
  });

  it('waits for the next edit when the program ends by itself', async () => {
    start('echo broken; exit 1');
    await saying(/has ended/);
    program(stays('mended'));
    running.kill('SIGHUP');
    await saying(/mended/);
    expect(told.match(/broken/g)).toHaveLength(1);
    running.kill('SIGTERM');
    await ended();
  });

  it('loses no HUP of many in a row', async () => {
    start(stays('first'));
    await saying(/first/);
    for (let count = 0; count < 20; count += 1) {
      program(stays(`edit-${count}`));
      running.kill('SIGHUP');
    }
    await saying(/edit-19/);
    running.kill('SIGTERM');
    await ended();
  });
});
