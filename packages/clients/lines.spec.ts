import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { eachLine } from './lines';

async function linesOf(...chunks: readonly (string | Buffer)[]): Promise<readonly string[]> {
  const stream = new PassThrough();
  const lines: string[] = [];
  eachLine(stream, (line) => lines.push(line));
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await once(stream, 'close');
  return lines;
}

describe('eachLine', () => {
  const euro = Buffer.from('€');
  it.each<[string, readonly (string | Buffer)[], readonly string[]]>([
    ['gives lines that come together', ['a\nb\n'], ['a', 'b']],
    ['puts a line together that comes in parts', ['a', 'b', 'c\nd\n'], ['abc', 'd']],
    ['gives a last line that has no end', ['a\nb'], ['a', 'b']],
    ['gives empty lines', ['\n\na\n'], ['', '', 'a']],
    ['takes Windows line ends', ['a\r', '\nb\r\n'], ['a', 'b']],
    ['puts a letter together that was cut', [euro.subarray(0, 1), euro.subarray(1), '\n'], ['€']],
  ])('%s', async (_name, chunks, lines) => {
    expect(await linesOf(...chunks)).toEqual(lines);
  });
});
