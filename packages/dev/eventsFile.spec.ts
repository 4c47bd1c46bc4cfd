import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Event } from '../model';
import type { Verbosity } from '../report';
import { openEventsFile, type EventsFile } from './eventsFile';

describe('the file of --events', () => {
  let folder: string;
  let file: string;
  const open: EventsFile[] = [];
  const told: Event[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-events-'));
    file = join(folder, 'out', 'events.jsonl');
    told.length = 0;
  });
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    rmSync(folder, { recursive: true });
  });

  const opened = async (part: readonly string[], at = file, verbosity: Verbosity = 'normal'): Promise<EventsFile> => {
    const result = await openEventsFile({
      file: at,
      folder,
      env: { XDG_RUNTIME_DIR: folder },
      part,
      verbosity,
      report: (event) => void told.push(event),
    });
    if (!result.ok) throw new Error(result.problem.message);
    open.push(result.value);
    return result.value;
  };
  const say = ({ report }: EventsFile, message: string): void => report({ kind: 'notice', message });
  const written = (): readonly (readonly [readonly string[], string])[] =>
    readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly part: readonly string[]; readonly message: string })
      .map(({ part, message }) => [part, message] as const);
  const settled = async (): Promise<void> => {
    for (const each of open.splice(0)) await each.close();
  };
  const until = async (isIt: () => boolean): Promise<void> => {
    while (!isIt()) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('is begun anew, and each line names what it is of', async () => {
    say(await opened(['api']), 'before');
    await settled();
    say(await opened([]), 'now');
    await settled();
    expect(written()).toEqual([[[], 'now']]);
  });

  it.each([
    ['normal', []],
    ['debug', ['step 1']],
  ] as const)('has what tools print as the verbosity of its dev is: %s', async (verbosity, lines) => {
    const { report } = await opened(['api'], file, verbosity);
    report({ kind: 'output', subject: 'api', line: 'step 1' });
    report({ kind: 'mended', subject: 'api' });
    await settled();
    const kinds = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(kinds.flatMap((text) => (JSON.parse(text) as { readonly line?: string }).line ?? [])).toEqual(lines);
  });

  it('has whole lines of all that write it at the same time', async () => {
    const all = await Promise.all(['api', 'web', 'worker'].map((name) => opened([name])));
    for (let count = 0; count < 200; count += 1) for (const each of all) say(each, String(count).repeat(50));
    await settled();
    expect(written()).toHaveLength(600);
    for (const name of ['api', 'web', 'worker'])
      expect(written().flatMap(([[part], message]) => (part === name ? [message.length] : []))).toHaveLength(200);
  });

  it('goes on when who began it has ended, and who comes then adds to it', async () => {
    const first = await opened(['api']);
    say(first, 'one');
    const second = await opened(['web']);
    await first.close();
    open.shift();
    // The seat of the first is another's now.
    await until(() => readdirSync(folder).some((name) => name.endsWith('.sock')));
    say(second, 'two');
    say(await opened(['worker']), 'three');
    await settled();
    expect(written().map(([, message]) => message)).toEqual(['one', 'two', 'three']);
  });

  const onLinux = process.platform === 'linux' ? it : it.skip;
  onLinux('that cannot be written is told once, and keeps nobody from going on or ending', async () => {
    const full = await opened(['api'], '/dev/full');
    say(full, 'one');
    await until(() => told.length > 0);
    say(full, 'two');
    await settled();
    expect(told).toMatchObject([{ kind: 'notice', message: expect.stringContaining('ENOSPC') as string }]);
  });

  it('that cannot be opened is a mistake that says which flag', async () => {
    writeFileSync(join(folder, 'out'), 'a file in the way');
    const result = await openEventsFile({ file, folder, env: {}, part: [], verbosity: 'normal', report: () => undefined });
    expect(result).toMatchObject({
      ok: false,
      problem: { code: 'outputNotWritten', hint: 'name another file with --events', exitCode: 2 },
    });
  });
});
