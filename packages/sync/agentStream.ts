import type { Exec } from '../clients';
import type { Problem } from '../model';
import { decodeAnswer, LineReader, quitFrame, StderrReader, type Answer, type RunEnd } from './frames';

/** How a part ended: what was refused, by the number of the operation in the part. */
export type PartEnd = { readonly kind: 'done'; readonly refused: ReadonlyMap<number, string> } | { readonly kind: 'lost' };

const closeTimeoutMs = 1000;

/** The two directions of one agent's stream, from the start of the process to its end. */
export class AgentStream {
  /** Resolves when the stream is over for whatever reason. */
  readonly ended: Promise<void>;
  private readonly lines = new LineReader();
  private readonly stderr = new StderrReader();
  private readonly parts = new Map<number, { readonly refused: Map<number, string>; readonly end: (end: PartEnd) => void }>();
  private readonly runs = new Map<number, (end: RunEnd | undefined) => void>();
  private readonly hello: Answer[] = [];
  private helloWaiting: ((answer: Answer | undefined) => void) | undefined;
  private over: { readonly exitCode: number | undefined; readonly problem: Problem | undefined } | undefined;
  private closing = false;
  private unblock: (() => void) | undefined;
  private readonly onOver = new Set<() => void>();

  constructor(private readonly exec: Exec) {
    exec.stdout.on('data', (chunk: Buffer) => {
      for (const line of this.lines.push(chunk)) this.take(decodeAnswer(line));
    });
    exec.stderr.on('data', (chunk: Buffer) => {
      for (const end of this.stderr.push(chunk)) this.endRun(end);
    });
    // How the stream ended is told by `ended`; a write that comes too late says nothing more.
    for (const stream of [exec.stdin, exec.stdout, exec.stderr]) stream.on('error', () => undefined);
    exec.stdin.on('drain', () => this.unblock?.());
    this.ended = this.endOf(exec);
  }

  /** Whether it was asked to end. */
  get isClosing(): boolean {
    return this.closing;
  }

  get isOver(): boolean {
    return this.over !== undefined;
  }

  /** Calls back when the stream is over, which it may be already; returns what takes that back. */
  whenOver(callback: () => void): () => void {
    if (this.over) callback();
    this.onOver.add(callback);
    return () => this.onOver.delete(callback);
  }

  /** How it ended, for a problem's text. */
  get ending(): { readonly exitCode: number | undefined; readonly problem: Problem | undefined; readonly said: string } {
    return { exitCode: this.over?.exitCode, problem: this.over?.problem, said: this.stderr.tail };
  }

  /** The next thing said before parts are sent; undefined when the stream is over. */
  nextAnswer(): Promise<Answer | undefined> {
    const answer = this.hello.shift();
    if (answer || this.over) return Promise.resolve(answer);
    return new Promise((resolve) => (this.helloWaiting = resolve));
  }

  /** Resolves when more may be written: at once, or when a full pipe or socket has drained. Only one may write at a time. */
  async write(bytes: Uint8Array | string): Promise<void> {
    if (this.over || this.exec.stdin.write(bytes)) return;
    await new Promise<void>((resolve) => (this.unblock = resolve));
    this.unblock = undefined;
  }

  /** The end of a part that is about to be sent. */
  partEnd(part: number): Promise<PartEnd> {
    if (this.over) return Promise.resolve({ kind: 'lost' });
    return new Promise((end) => this.parts.set(part, { refused: new Map(), end }));
  }

  /** The end of a command that is about to be sent; undefined when the stream was lost. */
  runEnd(id: number): Promise<RunEnd | undefined> {
    if (this.over) return Promise.resolve(undefined);
    return new Promise((resolve) => this.runs.set(id, resolve));
  }

  /** Asks the agent to end, and ends the stream when it has, or does not. */
  async close(): Promise<void> {
    this.closing = true;
    if (!this.over) {
      this.exec.stdin.end(quitFrame);
      let timer: NodeJS.Timeout | undefined;
      await Promise.race([this.ended, new Promise((resolve) => (timer = setTimeout(resolve, closeTimeoutMs)))]);
      clearTimeout(timer);
    }
    this.exec.close();
  }

  /** What was said last may still be on its way when the process has ended. */
  private async endOf({ ended, stdout, stderr }: Exec): Promise<void> {
    const said = [stdout, stderr].map((stream) => new Promise((resolve) => stream.once('close', resolve).once('end', resolve)));
    const over = await ended;
    await Promise.all(said);
    this.end(over);
  }

  private take(answer: Answer): void {
    switch (answer.kind) {
      case 'refused':
        this.parts.get(answer.part)?.refused.set(answer.index, answer.reason);
        return;
      case 'done': {
        const part = this.parts.get(answer.part);
        this.parts.delete(answer.part);
        part?.end({ kind: 'done', refused: part.refused });
        return;
      }
      case 'chosen':
      case 'impossible':
      case 'user':
      case 'root':
      case 'ledger':
      case 'ready':
      case 'other':
        if (!this.helloWaiting) this.hello.push(answer);
        else {
          this.helloWaiting(answer);
          this.helloWaiting = undefined;
        }
    }
  }

  private endRun(end: RunEnd): void {
    this.runs.get(end.id)?.(end);
    this.runs.delete(end.id);
  }

  private end(over: { readonly exitCode: number | undefined; readonly problem: Problem | undefined }): void {
    this.over = over;
    this.helloWaiting?.(undefined);
    for (const { end } of this.parts.values()) end({ kind: 'lost' });
    this.parts.clear();
    for (const end of this.runs.values()) end(undefined);
    this.runs.clear();
    this.unblock?.();
    for (const callback of this.onOver) callback();
  }
}
