import { visibleWidth } from './visible';

const escape = '\u001b[';

/** A terminal with lines that stand below all that is written: they are taken away before a line comes, and written again after it. */
export class Screen {
  private footer: readonly string[] = [];

  constructor(private readonly stream: { write(text: string): unknown }) {}

  /** Writes lines above a footer, at once, so that nothing flickers. */
  write(lines: readonly string[], footer: readonly string[]): void {
    if (lines.length === 0 && footer.join('\n') === this.footer.join('\n')) return;
    const above = lines.length === 0 ? '' : `${lines.join('\n')}\n`;
    this.stream.write(`${this.erased()}${above}${footer.join('\n')}`);
    this.footer = footer;
  }

  /** The terminal has another width now, and has broken lines anew that no longer fit. */
  resized(columns: number): void {
    const rows = this.footer.reduce((sum, line) => sum + Math.max(1, Math.ceil(visibleWidth(line) / columns)), 0);
    this.footer = Array.from({ length: rows }, () => '');
  }

  private erased(): string {
    if (this.footer.length === 0) return '';
    const up = this.footer.length - 1;
    return `${up === 0 ? '' : `${escape}${up}A`}\r${escape}J`;
  }
}
