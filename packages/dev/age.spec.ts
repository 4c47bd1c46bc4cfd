import { ageMs } from './age';

describe('a length of time', () => {
  test.each([
    ['30s', 30_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['250ms', 250],
  ])('%s', (text, ms) => {
    expect(ageMs(text)).toEqual({ ok: true, value: ms });
  });

  test.each(['', '10', 'm', '1x', '10 m', '-1m', '1m later'])('"%s" is none', (text) => {
    expect(ageMs(text)).toMatchObject({ ok: false, problem: { code: 'durationInvalid', exitCode: 2 } });
  });
});
