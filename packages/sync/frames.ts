import type { ContainerPath } from '../model';
import { intentionLine, isPlain } from './ledger';

/**
 * The language between host and agent. Lines of fields, with raw bytes after a line that gives their number; the same for every
 * agent. To the agent, on its standard input:
 *
 *     <bytes>⏎<source>                                   the agent itself, once
 *     b <number> <form> <count> <bytes>⏎<intentions>      a part begins; the intentions go to the ledger first
 *       form o:  <kind> <path bytes> <size> <mode> <a|c|->⏎[<path>.⏎][<content or link target>.⏎]   for each; `c`: set the mode; `a`: by rename
 *       form t:  <bytes> <mode|->⏎<tar archive>.⏎           the mode that files have which are there already; `-`: they have it
 *       form r:  nothing: all are removals
 *     e <bytes>⏎<records>                                 and ends; the records go to the ledger last
 *     x <id> <arguments>⏎ and for each <bytes>⏎<argument>.⏎ runs a command
 *     c <bytes>⏎<ledger>.⏎                                replaces the ledger
 *     q⏎                                                  the agent ends
 *
 * A path stands in its intention; it follows its operation's line only when it is not plain. What is counted in bytes ends with a dot and a
 * line end, or with lines that have an end of their own: nothing is done with half of it when the stream is cut. From the agent, on its standard
 * output, lines of fields with tabs between: see `Answer`. What commands print comes on its standard error.
 */
export type Operation =
  | {
      readonly kind: 'f';
      readonly path: ContainerPath;
      readonly size: number;
      readonly mode: number;
      readonly setMode: boolean;
      /** A new file is renamed over the one that is there. */
      readonly atomic: boolean;
    }
  | { readonly kind: 'l'; readonly path: ContainerPath; readonly target: string }
  | { readonly kind: 'd' | 'e' | '-'; readonly path: ContainerPath };

/** How a part's content travels: each operation by itself, one archive, or nothing but names to remove. */
export type PartForm = 'o' | 't' | 'r';

export function partHead(number: number, form: PartForm, operations: readonly Operation[]): string {
  const intentions = operations.map(({ kind, path }) => `${intentionLine(kind, path)}\n`).join('');
  return `b ${number} ${form} ${operations.length} ${Buffer.byteLength(intentions)}\n${intentions}`;
}

export function operationHead(operation: Operation): string {
  const odd = isPlain(operation.path) ? '' : operation.path;
  const pathBytes = Buffer.byteLength(odd);
  const path = odd === '' ? '' : `${odd}${contentEnd}`;
  switch (operation.kind) {
    case 'f':
      return `f ${pathBytes} ${operation.size} ${operation.mode.toString(8)} ${operation.atomic ? 'a' : operation.setMode ? 'c' : '-'}\n${path}`;
    case 'l':
      return `l ${pathBytes} ${Buffer.byteLength(operation.target)} 777 -\n${path}${operation.target}${contentEnd}`;
    case 'd':
    case 'e':
    case '-':
      return `${operation.kind} ${pathBytes} 0 0 -\n${path}`;
  }
}

/** After what is counted in bytes: without it an agent knows that the stream was cut. */
export const contentEnd = '.\n';

export function partTail(records: readonly string[]): string {
  const text = records.map((record) => `${record}\n`).join('');
  return `e ${Buffer.byteLength(text)}\n${text}`;
}

export function runFrame(id: number, command: readonly string[]): string {
  return `x ${id} ${command.length}\n${command.map((argument) => `${Buffer.byteLength(argument)}\n${argument}${contentEnd}`).join('')}`;
}

export function ledgerFrame(ledger: string): string {
  return `c ${Buffer.byteLength(ledger)}\n${ledger}${contentEnd}`;
}

export const quitFrame = 'q\n';

export function sourceFrame(source: string): string {
  return `${Buffer.byteLength(source)}\n${source}`;
}

/** What an agent says. */
export type Answer =
  /** The probe has chosen; the agent waits for its source. */
  | { readonly kind: 'chosen'; readonly agent: 'node' | 'sh' }
  | { readonly kind: 'impossible'; readonly missing: string }
  | { readonly kind: 'user'; readonly user: string }
  /** Whether the container's user can write a root, by the number of the root, or nobody can, as its file system is only read. */
  | { readonly kind: 'root'; readonly index: number; readonly writable: boolean; readonly onlyRead: boolean }
  /** The ledger's file, '' where none could be made; its lines follow, up to `ready`. */
  | { readonly kind: 'ledger'; readonly path: string }
  | { readonly kind: 'ready' }
  /** One operation of a part failed, by its number in the part, counted from 0. */
  | { readonly kind: 'refused'; readonly part: number; readonly index: number; readonly reason: string }
  /** A part is done. */
  | { readonly kind: 'done'; readonly part: number }
  | { readonly kind: 'other'; readonly line: string };

export function decodeAnswer(line: string): Answer {
  const [word = '', first = '', second = '', ...rest] = line.split('\t');
  switch (word) {
    case 'slipway':
      if (second === 'node' || second === 'sh') return { kind: 'chosen', agent: second };
      return { kind: 'impossible', missing: rest.join(' ') };
    case 'user':
      return { kind: 'user', user: first };
    case 'root':
      return { kind: 'root', index: Number(first), writable: second === 'w', onlyRead: second === 'o' };
    case 'ledger':
      return { kind: 'ledger', path: first };
    case 'ready':
      return { kind: 'ready' };
    case 'r':
      return { kind: 'refused', part: Number(first), index: Number(second), reason: rest.join(' ') };
    case 'k':
      return { kind: 'done', part: Number(first) };
    default:
      return { kind: 'other', line };
  }
}

/** Lines out of bytes that come in any pieces. */
export class LineReader {
  private rest: Buffer[] = [];

  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      lines.push(Buffer.concat([...this.rest, chunk.subarray(from, end)]).toString());
      this.rest = [];
      from = end + 1;
    }
    if (from < chunk.length) this.rest.push(chunk.subarray(from));
    return lines;
  }
}

export interface RunEnd {
  readonly id: number;
  readonly exitCode: number;
  readonly output: string;
}

const runStart = /^\x1erun\t(\d+)\t(\d+)$/;
const runEnd = '\x1eend';

/** Takes the results of commands out of an agent's standard error; keeps the end of what else is said there. */
export class StderrReader {
  private readonly lines = new LineReader();
  private running: { readonly id: number; readonly exitCode: number; readonly output: string[] } | undefined;
  private said: string[] = [];

  push(chunk: Buffer): RunEnd[] {
    const ends: RunEnd[] = [];
    for (const line of this.lines.push(chunk)) {
      const start = runStart.exec(line);
      if (start) {
        this.running = { id: Number(start[1]), exitCode: Number(start[2]), output: [] };
      } else if (this.running && line === runEnd) {
        ends.push({ id: this.running.id, exitCode: this.running.exitCode, output: this.running.output.join('\n') });
        this.running = undefined;
      } else if (this.running) {
        this.running.output.push(line);
      } else if (line !== '') {
        this.said = [...this.said.slice(-19), line];
      }
    }
    return ends;
  }

  /** The last lines that belong to no command. */
  get tail(): string {
    return this.said.join('\n');
  }
}
