import type { Event, Problem } from '../model';
import { combine } from './combine';
import { jsonLines } from './jsonLines';
import { openTerminal } from './openTerminal';
import { count, duration, shortRef, size, someOf } from './units';
import { watchProblems } from './unsaid';

class Written {
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

const log: Event = { kind: 'log', service: 'web', artifact: 'web', pod: 'web-x-y', container: 'web', line: 'secret=1', replicas: 1 };
const output: Event = { kind: 'output', subject: 'web', line: 'step 1' };
const mended: Event = { kind: 'mended', subject: 'web' };

describe('events for programs', () => {
  const lines = (verbosity: 'normal' | 'debug') => {
    const stream = new Written();
    const report = jsonLines({ stream, now: () => 1700000000000, verbosity });
    for (const event of [log, output, mended]) report(event);
    return stream.text;
  };

  it('are one versioned JSON object a line, with the time, without logs', () => {
    expect(lines('normal')).toBe('{"v":1,"at":1700000000000,"kind":"mended","subject":"web"}\n');
  });

  it('hold what tools print only with verbosity debug', () => {
    expect(lines('debug').split('\n')).toHaveLength(3);
    expect(lines('debug')).toContain('"kind":"output","subject":"web","line":"step 1"');
    expect(lines('debug')).not.toContain('secret');
  });
});

describe('a terminal', () => {
  it('writes a line with its end, and colours only where they are wanted', () => {
    const text = (isTTY: boolean, env: Record<string, string>) => {
      const stream = new Written();
      openTerminal({ stream, verbosity: 'normal', isTTY, env })(log);
      return stream.text;
    };
    expect(text(false, {})).toBe('web      │ secret=1\n');
    expect(text(true, {})).not.toBe(text(false, {}));
    expect(text(true, { NO_COLOR: '1' })).toBe(text(false, {}));
    expect(text(true, { TERM: 'dumb' })).toBe(text(false, {}));
    expect(text(true, { FORCE_COLOR: '0' })).toBe(text(false, {}));
    expect(text(false, { FORCE_COLOR: '1' })).toBe(text(true, {}));
    expect(text(false, { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(text(false, {}));
  });

  it('comes back by itself to tell what lasts', async () => {
    let now = 0;
    const first = await new Promise<string>((resolve) => {
      const report = openTerminal({ stream: { write: resolve }, verbosity: 'normal', isTTY: false, env: {}, now: () => (now += 1500) });
      report({ kind: 'held', subject: 'web', reason: 'waitingForCluster' });
    });
    expect(first).toBe('web      waiting for the cluster to answer\n');
  });
});

describe('reports', () => {
  it('are combined in order', () => {
    const said: string[] = [];
    combine([(event) => said.push(`a ${event.kind}`), (event) => said.push(`b ${event.kind}`)])(mended);
    expect(said).toEqual(['a mended', 'b mended']);
  });

  it('know which problems of a command no event has told', () => {
    const problem = (code: string): Problem => ({ code, message: 'm', retry: 'never', exitCode: 1 });
    const { report, unsaid } = watchProblems(() => undefined);
    report({ kind: 'failed', subject: 'web', code: 'a', message: 'm', problem: problem('a') });
    expect(unsaid([problem('a'), problem('b')])).toEqual([problem('b')]);
  });
});

describe('amounts', () => {
  it.each([
    [0, '<1 ms'],
    [6.4, '6 ms'],
    [999.4, '999 ms'],
    [999.6, '1.0 s'],
    [9940, '9.9 s'],
    [9960, '10 s'],
    [59_900, '1 min'],
    [65_000, '1 min 5 s'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [1_234_567, '1.2 MB'],
    [999_700, '1.0 MB'],
    [13_000_000_000, '13 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(size(bytes)).toBe(text));

  it.each([
    ['localhost:5000/shop/worker:0123456789abcdef0123@sha256:00ff', 'localhost:5000/shop/worker:0123456789ab'],
    ['worker:v1', 'worker:v1'],
    ['localhost:5000/worker', 'localhost:5000/worker'],
  ])('the reference %s is shown as %s', (ref, text) => expect(shortRef(ref)).toBe(text));

  it('are counted in words', () => {
    expect([count(1, 'file'), count(2, 'file')]).toEqual(['1 file', '2 files']);
    expect([someOf(['a', 'b'], 2), someOf(['a', 'b', 'c', 'd'], 2)]).toEqual(['a, b', 'a, b and 2 more']);
  });
});
