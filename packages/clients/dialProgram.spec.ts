import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { dialProgram } from './dialProgram';

const dial = (script: string) => dialProgram({ command: process.execPath, args: ['-e', script], env: {} });

it('is read and written through the program, and ends when it does', async () => {
  const connection = dial('process.stdin.pipe(process.stdout)');
  connection.end('there and back');
  expect(await text(connection)).toBe('there and back');
});

it('breaks with the words of a program that fails, though its output ended before', async () => {
  const connection = dial('process.stdout.end(); setTimeout(() => { console.error("no builder found"); process.exit(1) }, 50)');
  connection.resume();
  expect(await once(connection, 'error')).toMatchObject([{ message: 'no builder found' }]);
});

it('breaks when there is no such program', async () => {
  const connection = dialProgram({ command: 'no-such-program-of-slipway', args: [], env: {} });
  expect(await once(connection, 'error')).toMatchObject([{ code: 'ENOENT' }]);
});
