import type { Exec } from '../clients';
import type { Problem } from '../model';
import { decodeAnswer, LineReader, quitFrame, StderrReader, type Answer, type RunEnd } from './frames';
import type { Ending } from './problems';

/** How a part ended: what was refused, by the number of the operation in the part. */
export type PartEnd = { readonly kind: 'done'; readonly refused: ReadonlyMap<number, string> } | { readonly kind: 'lost' };

const closeTimeoutMs = 1000;
/**
 * How long an agent may say nothing of what it has been sent, in milliseconds. A part is small, so an agent that works answers often; one that does not is stopped, or its node is gone and nobody has
 * noticed. Giving up one that was only slow loses nothing: the next goes on with what its ledger says.
 */
const usualUnansweredMs = 30_000;

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
  /** Parts that were sent whole and are not answered yet. */
  private readonly owed = new Set<number>();
  private patience: NodeJS.Timeout | undefined;
  private wasSilent = false;
  private readonly onOver = new Set<() => void>();

  constructor(
    private readonly exec: Exec,
    private readonly unansweredMs = usualUnansweredMs,
  ) {
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
  get ending(): Ending {
    const silentMs = this.wasSilent ? this.unansweredMs : undefined;
    return { exitCode: this.over?.exitCode, problem: this.over?.problem, said: this.stderr.tail, silentMs };
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
    await new Promise<void>((resolve) => {
      this.unblock = resolve;
      this.wait();
    });
    this.unblock = undefined;
    this.wait();
  }

  /** The end of a part that is about to be sent. */
  partEnd(part: number): Promise<PartEnd> {
    if (this.over) return Promise.resolve({ kind: 'lost' });
    return new Promise((end) => this.parts.set(part, { refused: new Map(), end }));
  }

  /** All of a part has been written: from now on its answer is waited for. */
  allSent(part: number): void {
    if (this.parts.has(part)) this.owed.add(part);
    this.wait();
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

  /** Gives the agent its time anew, as long as it is its turn: to answer, or to read what is sent. */
  private wait(): void {
    clearTimeout(this.patience);
    if (this.over || (this.owed.size === 0 && !this.unblock)) return;
    this.patience = setTimeout(() => {
      this.wasSilent = true;
      this.exec.close();
    }, this.unansweredMs);
  }

  private take(answer: Answer): void {
    switch (answer.kind) {
      case 'refused':
        this.parts.get(answer.part)?.refused.set(answer.index, answer.reason);
        this.wait();
        return;
      case 'done': {
        const part = this.parts.get(answer.part);
        this.parts.delete(answer.part);
        this.owed.delete(answer.part);
        this.wait();
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
    clearTimeout(this.patience);
    this.helloWaiting?.(undefined);
    for (const { end } of this.parts.values()) end({ kind: 'lost' });
    this.parts.clear();
    for (const end of this.runs.values()) end(undefined);
    this.runs.clear();
    this.unblock?.();
    for (const callback of this.onOver) callback();
  }
}
