import { emptyDir, fileEntry, linkEntry } from '../model';
import { compactedLedger, intentionLine, isPlain, ledgerHeader, recordLine, replayLedger } from './ledger';

const digest = 'ab'.repeat(32);
const file = fileEntry({ digest, size: 5, mode: 0o755 });

describe('a ledger', () => {
  it('tells what each path was left with, parents first', () => {
    const lines = [
      ledgerHeader('containerd://1'),
      recordLine('f', '/app/b/x.js', file),
      recordLine('l', '/app/b/link', linkEntry('../a b\n')),
      recordLine('d', '/app/a', emptyDir),
      recordLine('-', '/app/gone', undefined),
    ];
    expect(replayLedger(lines).entries).toEqual([
      ['/app/a', emptyDir],
      ['/app/b/link', linkEntry('../a b\n')],
      ['/app/b/x.js', file],
      ['/app/gone', undefined],
    ]);
  });

  it('says of a path whose write was never acknowledged that it is not known', () => {
    const lines = [recordLine('f', '/app/x', file), intentionLine('f', '/app/x'), intentionLine('-', '/app/y')];
    const ledger = replayLedger(lines);
    expect(ledger.entries).toEqual([
      ['/app/x', null],
      ['/app/y', null],
    ]);
    expect(ledger.halfDone).toEqual(new Set(['/app/x', '/app/y']));
  });

  it.each([
    ['removed', recordLine('-', '/app/d', undefined), [['/app/d', undefined]]],
    ['replaced by a file', recordLine('f', '/app/d', file), [['/app/d', file]]],
    ['emptied', recordLine('e', '/app/d', emptyDir), [['/app/d', emptyDir]]],
    ['about to be removed', intentionLine('-', '/app/d'), [['/app/d', null]]],
  ])('forgets what was in a directory that is %s', (_, line, expected) => {
    expect(replayLedger([recordLine('f', '/app/d/x', file), line]).entries).toEqual(expected);
  });

  it('knows nothing of what is below a path that is not known, but that something may be there', () => {
    const made = replayLedger([intentionLine('d', '/app/d'), intentionLine('f', '/app/d/x'), recordLine('f', '/app/d/y', file)]);
    expect(made).toEqual({ entries: [['/app/d', null]], halfDone: new Set(['/app/d']), perhaps: ['/app/d/x', '/app/d/y'] });
    expect(replayLedger([intentionLine('d', '/app/d')])).toEqual({ entries: [['/app/d', null]], halfDone: new Set(), perhaps: [] });
  });

  it('says what may still be in a directory whose removal was never acknowledged, also when it was compacted', () => {
    const lines = [recordLine('f', '/app/d/x', file), recordLine('-', '/app/d/y', undefined), intentionLine('-', '/app/d')];
    expect(replayLedger(lines)).toEqual({ entries: [['/app/d', null]], halfDone: new Set(['/app/d']), perhaps: ['/app/d/x'] });
    expect(replayLedger(compactedLedger(ledgerHeader('1'), replayLedger(lines)).split('\n'))).toEqual(replayLedger(lines));
    expect(replayLedger([...lines, recordLine('-', '/app/d', undefined)]).perhaps).toEqual([]);
  });

  it('still knows of that when the directory is made again', () => {
    const lines = [recordLine('f', '/app/d/x', file), recordLine('-', '/app/d', undefined), recordLine('d', '/app/d', emptyDir)];
    expect(replayLedger(lines).entries).toEqual([['/app/d', emptyDir]]);
  });

  it('keeps what is in a directory that was made where one was already, and what came after a removal', () => {
    const x = recordLine('f', '/app/d/x', file);
    expect(replayLedger([x, intentionLine('d', '/app/d'), recordLine('d', '/app/d', emptyDir)]).entries.map(([path]) => path)).toEqual([
      '/app/d',
      '/app/d/x',
    ]);
    expect(replayLedger([recordLine('-', '/app/d', undefined), x]).entries).toEqual([
      ['/app/d', undefined],
      ['/app/d/x', file],
    ]);
  });

  it('means the same wherever its last line was cut off', () => {
    const lines = [recordLine('f', '/app/src/a', file), intentionLine('f', '/app/src/a .'), recordLine('f', '/app/src/a .', file)];
    const whole = `${lines.join('\n')}\n`;
    for (let cut = 0; cut <= whole.length; cut++) {
      // What is appended after a kill starts on a line of its own.
      const text = `${whole.slice(0, cut)}\n${recordLine('-', '/app/other', undefined)}\n`;
      const complete = lines.filter((_, index) => lines.slice(0, index + 1).join('\n').length <= cut);
      expect(replayLedger(text.split('\n'))).toEqual(replayLedger([...complete, recordLine('-', '/app/other', undefined)]));
    }
  });

  it('means the same when it was compacted', () => {
    const lines = [
      ...Array.from({ length: 10 }, () => recordLine('f', '/app/x', file)),
      recordLine('-', '/app/d', undefined),
      intentionLine('f', '/app/z'),
      intentionLine('d', '/app/e'),
      recordLine('l', '/app/%41\t', linkEntry('t')),
    ];
    const compacted = compactedLedger(ledgerHeader('1'), replayLedger(lines)).split('\n');
    expect(compacted).toHaveLength(7);
    expect(replayLedger(compacted)).toEqual(replayLedger(lines));
  });

  it('knows which paths stand in it as they are', () => {
    expect(['/a b', '/ü', "/-'*"].every(isPlain)).toBe(true);
    expect(['/a\nb', '/a\tb', '/50%'].some(isPlain)).toBe(false);
  });
});
