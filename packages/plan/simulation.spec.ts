import { isDeepStrictEqual } from 'node:util';
import { deliberateFaults, simulate, trueRules } from '../testkit/simulator';
import { isReached } from './goalReached';
import { plan } from './plan';
import { record } from './record';
import { Settled } from './settled';

const histories = Number(process.env['SLIPWAY_HISTORIES'] ?? 2000);
/** A fault that shows in fewer than one history in this many is not really looked for. */
const historiesToShowAFault = 600;

describe('the core, in seeded histories of edits, failures, restarts and lost facts', () => {
  it(`ends right in all of ${String(histories)}`, () => {
    const wrong = [];
    for (let seed = 1; seed <= histories; seed += 1) {
      const end = simulate(seed, trueRules);
      if (end.wrong.length > 0) wrong.push(end);
    }
    expect(wrong).toEqual([]);
  });

  it('decides the same when it looks only at what something has happened to', () => {
    const idle = new Settled();
    const reached = new Settled();
    const different: unknown[] = [];
    for (let seed = 1; seed <= histories / 5; seed += 1) {
      simulate(seed, {
        record,
        plan: (world) => {
          const decided = plan(world, idle);
          const whole = plan(world, new Settled());
          if (!isDeepStrictEqual(decided, whole)) different.push({ seed, decided, whole });
          if (isReached(world, reached) !== isReached(world, new Settled()))
            different.push({ seed, reached: !isReached(world, new Settled()) });
          return decided;
        },
      });
    }
    expect(different).toEqual([]);
  });

  it.each(deliberateFaults)('notices when $name', ({ rules }) => {
    let shown = 0;
    for (let seed = 1; seed <= historiesToShowAFault && shown === 0; seed += 1) {
      if (simulate(seed, rules()).wrong.length > 0) shown = seed;
    }
    expect(shown).toBeGreaterThan(0);
  });
});
