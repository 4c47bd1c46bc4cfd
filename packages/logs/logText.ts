import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { StampedLine } from './logCursor';

/** The kubelet answers with a sentence of its own where a log is gone or not there yet; every line of a container carries a time. */
export function isKubelets({ at, line }: StampedLine): boolean {
  return at === '' && /^(unable to retrieve container logs for|failed to try resolving symlinks|failed to open log file) /.test(line);
}

/** Calls back with every line that is whole; answers what came after the last line break. Invalid UTF-8 becomes replacement characters. */
export function eachWholeLine(stream: Readable, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
    });
    const end = (): void => resolve(rest + decoder.end());
    stream.once('error', end);
    stream.once('close', end);
    stream.once('end', end);
  });
}
