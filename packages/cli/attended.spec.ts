import { isAttended, type Surroundings } from './attended';

const terminal = { isTTY: true };

it.each<[what: string, surroundings: Partial<Surroundings>, attended: boolean]>([
  ['is at a terminal', {}, true],
  ['is not where nothing can be typed', { stdin: {} }, false],
  ['is not where its words go elsewhere', { stdout: {} }, false],
  ['is not in CI', { env: { CI: 'true' } }, false],
  [
    'is not in a task of turbo, which gives it a terminal',
    { env: { TURBO_HASH: '98d23254b66da6db', TURBO_INVOCATION_DIR: '/shop' } },
    false,
  ],
])('somebody %s', (_, surroundings, attended) => {
  expect(isAttended({ stdin: terminal, stdout: terminal, env: {}, ...surroundings })).toBe(attended);
});
