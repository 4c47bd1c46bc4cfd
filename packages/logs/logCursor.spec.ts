import { LogCursor, readStamp } from './logCursor';

test.each([
  ['2026-01-01T12:00:00.100000000Z text', '2026-01-01T12:00:00.1Z', 'text'],
  ['2026-01-01T14:00:00.1+02:00 two words', '2026-01-01T14:00:00.1+02:00', 'two words'],
  ['2026-01-01T12:00:00.1Z ', '2026-01-01T12:00:00.1Z', ''],
])('the time and the text of %s', (text, _stamp, line) => {
  expect(readStamp(text)).toMatchObject({ at: '001767268800.100000000', line });
});

test('a line without a time is kept as it is', () => {
  expect(readStamp('failed to open log file')).toEqual({ at: '', stamp: '', line: 'failed to open log file' });
});

test('a node whose clock is set back loses no lines', () => {
  const cursor = new LogCursor();
  const accepted = (second: number) => cursor.accepts(readStamp(`2026-01-01T12:00:0${second}Z x`));
  expect([accepted(5), accepted(3), accepted(4)]).toEqual([true, true, true]);
});
