import type { Door, Line } from '../clients';
import type { Wish } from '../model';
import { greeting, isOurVersion, type DevResult, type LeaderMessage, type MemberMessage } from './loopMessages';
import type { Part } from './part';

/** A `dev` that wants to join. */
export interface Visitor {
  readonly message: Extract<MemberMessage, { kind: 'join' }>;
  /** Aborted when it leaves, or is gone. */
  readonly signal: AbortSignal;
  readonly send: (message: LeaderMessage) => void;
  readonly onJoined: (part: Part) => void;
}

/** The loop that visitors join. */
export interface Host {
  /** How it ended for one that could not join; else what it gets of the loop, until it ends. */
  join(visitor: Visitor): Promise<DevResult | { readonly served: Promise<DevResult> }>;
  grant(wish: Wish, part: Part): void;
  /** Aborted when the loop ends. */
  readonly over: AbortSignal;
}

/** Those that come to the door of a loop. */
export class Visitors {
  private readonly lines = new Set<Line>();
  /** Those who came before there was a loop to join. */
  private early: (() => void)[] | undefined = [];
  private joining: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly door: Door | undefined,
    private readonly host: Host,
  ) {
    door?.onVisitor((line) => this.receive(line));
  }

  /** The loop runs. Resolves when all who waited for it have joined. */
  async admitAll(): Promise<void> {
    const waiting = this.early ?? [];
    this.early = undefined;
    for (const admit of waiting) admit();
    await this.joining;
  }

  /** To those who have joined, and to those who want to. */
  tellAll(message: LeaderMessage): void {
    for (const line of this.lines) line.send(message);
  }

  /** Who wants the loop to go on notices by its line, and one of them leads the next. */
  async close(): Promise<void> {
    await this.door?.close();
    for (const line of this.lines) line.close();
  }

  private receive(line: Line): void {
    const gone = new AbortController();
    let joined: Part | undefined;
    const send = (message: LeaderMessage): void => line.send(message);
    this.lines.add(line);
    line.onClose(() => {
      this.lines.delete(line);
      gone.abort();
    });
    send({ kind: 'hello', ...greeting() });
    line.onMessage((said) => {
      const message = Object(said) as MemberMessage;
      // One of another version ends the line by itself.
      if (message.kind === 'join' && isOurVersion(message)) {
        const visitor: Visitor = { message, signal: gone.signal, send, onJoined: (part) => (joined = part) };
        const admit = (): void => this.admit(visitor, line);
        if (this.early) this.early.push(admit);
        else admit();
      } else if (message.kind === 'wish' && joined) this.host.grant(message.wish, joined);
      else if (message.kind === 'leave') gone.abort();
    });
  }

  /** One after another, so that each finds the loop as the one before has left it. */
  private admit(visitor: Visitor, line: Line): void {
    const dismiss = (result: DevResult): void => {
      // A loop that ends has nothing to say of how it ends for others.
      if (this.host.over.aborted) return;
      visitor.send({ kind: 'ended', result });
      line.close();
    };
    this.joining = this.joining.then(async () => {
      const joined = await this.host.join(visitor);
      if ('served' in joined) void joined.served.then(dismiss);
      else dismiss(joined);
    });
  }
}
