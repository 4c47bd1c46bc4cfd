import { saidIn } from './toolLine';

/** How one build of a tool that watches ended. */
export interface BuildEnd {
  /** What it printed, when it found mistakes. */
  readonly mistakes: readonly string[] | undefined;
  /** How long it took, of a tool that says when it begins, and for the first. */
  readonly ms: number | undefined;
}

export interface BuildsOptions {
  readonly onEnd: (end: BuildEnd) => void;
  /** When the newest of its outputs was written, in milliseconds since 1970; undefined: there are none. */
  readonly lastWrite: () => Promise<number | undefined>;
}

/** A tool that only ever prints its mistakes has printed them all when it has been silent for so long. */
const silenceMs = 1000;
/** Its outputs are done when nothing was written between two looks. */
const lookEveryMs = 250;
/** A tool that neither says nor writes anything found its outputs as they should be. */
const nothingToDoMs = 15_000;
const keptLines = 200;

/**
 * The builds of a tool that watches files, by what it prints. Of one that says nothing of its builds (as esbuild with
 * `--log-level=warning`) by its outputs: they were written since, and are no longer being written.
 */
export class Builds {
  private first = true;
  private since = Date.now();
  private lines: string[] = [];
  private wrong = false;
  /** It tells when a build ends, so nothing else has to be looked at. */
  private tells = false;
  private silence: NodeJS.Timeout | undefined;
  private looking: NodeJS.Timeout | undefined;
  private seenWrite: number | undefined;

  constructor(private readonly options: BuildsOptions) {
    this.lookLater();
  }

  /** Whether nothing has been built yet. */
  get isFirst(): boolean {
    return this.first;
  }

  line(text: string): void {
    const { begins, ends, wrong } = saidIn(text);
    this.tells ||= begins || ends;
    if (begins) this.begin();
    else if (this.lines.length < keptLines && (wrong || !ends)) this.lines.push(text);
    this.wrong ||= wrong;
    if (ends) this.end(this.wrong);
    else if (this.wrong) this.endWhenSilent();
  }

  close(): void {
    clearTimeout(this.silence);
    clearTimeout(this.looking);
  }

  private begin(): void {
    this.lines = [];
    this.wrong = false;
    this.since = Date.now();
  }

  private end(wrong: boolean): void {
    clearTimeout(this.silence);
    const ms = this.tells || this.first ? Date.now() - this.since : undefined;
    const end = { mistakes: wrong ? this.lines : undefined, ms };
    this.first = false;
    this.begin();
    this.options.onEnd(end);
    this.lookLater();
  }

  private endWhenSilent(): void {
    clearTimeout(this.silence);
    if (!this.tells) this.silence = setTimeout(() => this.end(true), silenceMs);
  }

  private lookLater(): void {
    clearTimeout(this.looking);
    if (!this.tells) this.looking = setTimeout(() => void this.look(), lookEveryMs);
  }

  private async look(): Promise<void> {
    const written = await this.options.lastWrite();
    const isDone =
      written !== undefined &&
      ((written >= this.since && written === this.seenWrite) || (this.first && Date.now() - this.since > nothingToDoMs));
    this.seenWrite = written;
    if (isDone && !this.wrong && !this.tells) this.end(false);
    else this.lookLater();
  }
}
