import type { Wish } from '../model';
import { idle, keysIn, pressed, type KeyMode } from './keys';

const names = ['@shop/api', 'web', 'web-admin', 'worker'];

/** What a person types, key by key: what it is used for then, and all that was asked for. */
function typed(text: string, services = names, attached = false): { mode: KeyMode; wishes: readonly Wish[] } {
  let mode = idle;
  const wishes: Wish[] = [];
  for (const key of keysIn(text)) {
    const next = pressed(mode, key, { names: services, attached });
    mode = next.mode;
    if (next.wish) wishes.push(next.wish);
  }
  return { mode, wishes };
}

describe('keys', () => {
  it.each<[string, string, readonly Wish[]]>([
    ['a name and Enter', 'rworker\r', [{ kind: 'rebuild', services: ['worker'] }]],
    ['as much of a name as only one has, without its scope', 'sap\r', [{ kind: 'resync', services: ['@shop/api'] }]],
    ['a whole name that others begin with', 'rweb\r', [{ kind: 'rebuild', services: ['web'] }]],
    ['several', 'sworker, web\r', [{ kind: 'resync', services: ['worker', 'web'] }]],
    ['a star for all', 's*\r', [{ kind: 'resync', services: names }]],
    ['Tab completes', 'rwo\t\r', [{ kind: 'rebuild', services: ['worker'] }]],
    ['logs of one', 'lworker\r', [{ kind: 'showLogs', services: ['worker'] }]],
    ['logs of all', 'l\r', [{ kind: 'showLogs', services: 'all' }]],
    ['no logs', 'l-\r', [{ kind: 'showLogs', services: [] }]],
    ['backspace', 'rx\u007fworker\r', [{ kind: 'rebuild', services: ['worker'] }]],
    ['Escape goes back', 'rwo\u001b', []],
    ['Enter on nothing goes back', 'r\r', []],
    [
      'd and q end it',
      'dq',
      [
        { kind: 'end', deletes: true },
        { kind: 'end', deletes: false },
      ],
    ],
    ['in a name they are letters', 'rqd\u001b', []],
    ['an arrow is no Escape', 'rwor\u001b[Aker\r', [{ kind: 'rebuild', services: ['worker'] }]],
    ['unknown keys do nothing', 'xyz\u001b[A', []],
  ])('%s', (_what, text, wishes) => {
    expect(typed(text)).toEqual({ mode: idle, wishes });
  });

  it('asks nothing where there is one service', () => {
    expect(typed('r', ['web']).wishes).toEqual([{ kind: 'rebuild', services: ['web'] }]);
  });

  it('builds and deletes nothing where it is attached to what runs', () => {
    expect(typed('rdsq', ['web'], true).wishes).toEqual([
      { kind: 'resync', services: ['web'] },
      { kind: 'end', deletes: false },
    ]);
  });

  it('says which name nobody has, or several may have', () => {
    expect(typed('rpi\r').mode).toEqual({ kind: 'asking', what: 'rebuild', typed: 'pi', complaint: 'no service is called pi' });
    expect(typed('rw\r').mode).toMatchObject({ complaint: 'several services begin with w' });
  });

  it('shows help until the next key', () => {
    expect(typed('?').mode).toEqual({ kind: 'help' });
    expect(typed('? ').mode).toEqual(idle);
  });
});
