import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** Calls back with every line of a byte stream, without its line break; a last line without one when the stream closes. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  stream.on('data', (chunk: Buffer) => {
    const text = decoder.write(chunk);
    let from = 0;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', from)) {
      const last = text.slice(from, at);
      const line = parts.length === 0 ? last : parts.join('') + last;
      parts = [];
      from = at + 1;
      onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    }
    if (from < text.length) parts.push(text.slice(from));
  });
  stream.once('close', () => {
    const rest = parts.join('') + decoder.end();
    parts = [];
    if (rest !== '') onLine(rest);
  });
}
