import { EventEmitter } from 'node:events';
import { Interruption } from './interruption';

describe('a second Ctrl+C', () => {
  const opened = () => {
    let now = 0;
    const said: string[] = [];
    const left: number[] = [];
    const interruption = new Interruption({
      now: () => now,
      sameInterruptMs: 300,
      breakLine: () => said.push(''),
      say: (text) => said.push(text),
      leave: (exitCode) => left.push(exitCode),
    });
    return { interruption, said, left, later: (ms: number) => (now += ms) };
  };

  it('is what comes later than the first one on its second way', () => {
    const { interruption, left, later } = opened();
    interruption.interrupt();
    later(100);
    interruption.interrupt();
    expect(left).toEqual([]);
    later(1000);
    interruption.interrupt();
    expect(left).toEqual([130]);
  });

  it('says what is left and how to remove it', () => {
    const { interruption, said, later } = opened();
    interruption.report({ kind: 'applied', release: 'worker', namespace: 'shop', objects: [], changed: [], ms: 1 });
    interruption.report({ kind: 'applied', release: 'web', namespace: 'shop', objects: [], changed: [], ms: 1 });
    interruption.report({ kind: 'removed', release: 'web', objects: [] });
    interruption.interrupt();
    expect(interruption.signal.aborted).toBe(true);
    later(1000);
    interruption.interrupt();
    expect(said).toEqual(['', '', 'left at once; still deployed: worker (remove with: slipway delete worker)']);
  });

  it('says that what dev removes goes on being removed', () => {
    const { interruption, said, later } = opened();
    interruption.report({ kind: 'applied', release: 'web', namespace: 'shop', objects: [], changed: [], ms: 1 });
    interruption.interrupt();
    interruption.report({ kind: 'stopping', removes: true });
    later(1000);
    interruption.interrupt();
    expect(said.at(-1)).toBe('left at once; the rest goes on being removed: web');
  });

  it('says nothing of what was never deployed', () => {
    const { interruption, said, later } = opened();
    interruption.interrupt();
    later(1000);
    interruption.interrupt();
    expect(said.at(-1)).toBe('left at once');
  });

  it('is no other output that nobody reads', () => {
    const { interruption, left, later } = opened();
    interruption.abandon();
    later(1000);
    interruption.abandon();
    expect(interruption.signal.aborted).toBe(true);
    expect(left).toEqual([]);
  });

  it('is a SIGINT: what a package manager sends after the first one, to end what it started, is none', () => {
    const { interruption, left, later } = opened();
    const signals = new EventEmitter();
    const stop = interruption.listenTo(signals);
    signals.emit('SIGINT');
    later(1000);
    signals.emit('SIGTERM');
    signals.emit('SIGHUP');
    expect(left).toEqual([]);
    signals.emit('SIGINT');
    expect(left).toEqual([130]);
    stop();
    expect(signals.eventNames()).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'])('is not the first %s, which asks the command to end', (name) => {
    const { interruption, left } = opened();
    const signals = new EventEmitter();
    interruption.listenTo(signals);
    signals.emit(name);
    expect(interruption.signal.aborted).toBe(true);
    expect(left).toEqual([]);
  });
});
