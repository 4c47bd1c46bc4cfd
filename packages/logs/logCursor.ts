/** A log line as the API server writes it with `timestamps=true`. */
export interface StampedLine {
  /** Sortable text; empty when the line carries no time. */
  readonly at: string;
  /** As the server wrote it. */
  readonly stamp: string;
  readonly line: string;
}

/** `2026-01-01T12:00:00.000000001+02:00 text` → its time, sortable whatever its zone and number of digits, and its text. */
export function readStamp(text: string): StampedLine {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)(?: |$)/.exec(text);
  const [whole, date, fraction = '', zone] = match ?? [];
  if (whole === undefined || date === undefined || zone === undefined) return { at: '', stamp: '', line: text };
  const seconds = Date.parse(`${date}${zone}`) / 1000;
  return {
    at: `${String(seconds).padStart(12, '0')}.${fraction.padEnd(9, '0').slice(0, 9)}`,
    stamp: whole.trim(),
    line: text.slice(whole.length),
  };
}

/**
 * How far a container's log was read, so that a stream opened again neither loses nor doubles lines. The server starts again at the
 * beginning of a second, and several lines may share one time: what is skipped is everything before the last line's time, and as
 * many lines of that time as were read. Nothing else is skipped, even when the node's clock is set back.
 */
export class LogCursor {
  private last = { at: '', stamp: '', lines: 0 };
  private toSkip: { readonly at: string; lines: number } | undefined;

  /** From when on to ask the server, if anything was read before. */
  get sinceTime(): string | undefined {
    return this.last.stamp === '' ? undefined : this.last.stamp;
  }

  /** The stream is opened again. */
  reopened(): void {
    this.toSkip = this.last.at === '' ? undefined : { at: this.last.at, lines: this.last.lines };
  }

  /** Whether a line is a new one. */
  accepts({ at, stamp }: StampedLine): boolean {
    if (this.toSkip && at !== '') {
      if (at < this.toSkip.at) return false;
      if (at === this.toSkip.at && this.toSkip.lines > 0) {
        this.toSkip.lines -= 1;
        return false;
      }
      this.toSkip = undefined;
    }
    if (at !== '') this.last = at === this.last.at ? { at, stamp, lines: this.last.lines + 1 } : { at, stamp, lines: 1 };
    return true;
  }
}
