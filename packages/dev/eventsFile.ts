import { createHash } from 'node:crypto';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { takeSeat, type Line } from '../clients';
import { failed, messageOf, succeeded, type Report, type Result } from '../model';
import { jsonLines, type Verbosity } from '../report';
import { outputNotWritten } from './outputFile';

export interface EventsFileOptions {
  /** Absolute. */
  readonly file: string;
  /** Of the workspace: those that write the same file meet in it. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The projects that each line is of; empty means all. */
  readonly part: readonly string[];
  /** With `debug`, lines of what tools print are among them. */
  readonly verbosity: Verbosity;
  /** Told that lines have to wait, and that they were written after all. */
  readonly report: Report;
}

export interface EventsFile {
  readonly report: Report;
  /** What can be written is written. */
  close(): Promise<void>;
}

/** A disk that is full may have room again. */
const retryMs = 1_000;
/** So many lines wait for that; later ones are counted. */
const longestQueue = 20_000;

/**
 * The file of `--events`. The first that opens it begins it anew; who opens it while it is written, as under `nx run-many`, adds to it,
 * whole lines each time. Failures: `outputNotWritten`.
 */
export async function openEventsFile({ file, folder, env, part, verbosity, report }: EventsFileOptions): Promise<Result<EventsFile>> {
  try {
    await mkdir(dirname(file), { recursive: true });
    const handle = await open(file, 'a');
    const seat = new Seat({ folder, name: `events-${createHash('sha256').update(file).digest('hex').slice(0, 16)}`, env });
    // A pipe or a device has nothing to take away.
    if (await seat.take()) await handle.truncate().catch(() => undefined);
    const writer = new LineWriter(handle, { file, report });
    return succeeded({
      report: jsonLines({ stream: writer, now: Date.now, verbosity, part }),
      async close() {
        await writer.close();
        await seat.leave();
      },
    });
  } catch (error) {
    return failed(outputNotWritten(file, '--events', error));
  }
}

/** Of those that write one file at the same time, one is the first; when it has ended, another one is. */
class Seat {
  private readonly lines = new Set<Line>();
  private closeDoor: (() => Promise<void>) | undefined;
  private left = false;

  constructor(private readonly where: Parameters<typeof takeSeat>[0]) {}

  /** Whether nobody was there before. */
  async take(): Promise<boolean> {
    const seat = await takeSeat(this.where);
    if (seat.kind === 'alone') return true;
    if (seat.kind === 'later') {
      this.lines.add(seat.line);
      seat.line.onClose(() => {
        this.lines.delete(seat.line);
        if (!this.left) void this.take();
      });
      return false;
    }
    this.closeDoor = () => seat.door.close();
    seat.door.onVisitor((line) => {
      this.lines.add(line);
      line.onClose(() => this.lines.delete(line));
    });
    if (this.left) await this.leave();
    return true;
  }

  async leave(): Promise<void> {
    this.left = true;
    await this.closeDoor?.();
    for (const line of this.lines) line.close();
  }
}

/** Adds lines to a file one after another. What cannot be written waits for better times. */
class LineWriter {
  private queue: string[] = [];
  private dropped = 0;
  /** What is left of lines of which a part is in the file. */
  private rest = Buffer.alloc(0);
  private inTrouble = false;
  private busy = false;
  private closed = false;
  private writing: Promise<void> = Promise.resolve();
  private retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly handle: FileHandle,
    private readonly to: { readonly file: string; readonly report: Report },
  ) {}

  write(line: string): void {
    if (this.queue.length < longestQueue) this.queue.push(line);
    else this.dropped += 1;
    if (!this.retry) this.start();
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    this.start();
    await this.writing;
    await this.handle.close();
  }

  private start(): void {
    if (this.busy) return;
    this.busy = true;
    this.writing = this.writeAll();
  }

  private async writeAll(): Promise<void> {
    try {
      while (this.rest.length > 0 || this.queue.length > 0) {
        if (this.rest.length === 0) this.rest = Buffer.from(this.queue.splice(0).join(''));
        const { bytesWritten } = await this.handle.write(this.rest);
        this.rest = this.rest.subarray(bytesWritten);
      }
      this.busy = false;
      this.recover();
    } catch (error) {
      this.busy = false;
      this.wait(messageOf(error));
    }
  }

  private wait(because: string): void {
    const { file, report } = this.to;
    if (!this.closed)
      this.retry = setTimeout(() => {
        this.retry = undefined;
        this.start();
      }, retryMs);
    if (this.inTrouble) return;
    this.inTrouble = true;
    report({
      kind: 'notice',
      message: `events cannot be written to ${file}: ${because}`,
      hint: 'everything else goes on; they are kept, and written when that is possible',
    });
  }

  private recover(): void {
    if (!this.inTrouble) return;
    const { file, report } = this.to;
    const lost = this.dropped === 0 ? '' : `, but for ${String(this.dropped)} that were too many to keep`;
    this.inTrouble = false;
    this.dropped = 0;
    report({ kind: 'notice', message: `events are written to ${file} again, with those that had to wait${lost}` });
  }
}
