import type { Fact, Outcome, Plan, Step, StepId, World } from '../model';
import { emptyWorld, plan, record, stopAsked } from '../plan';

/** Runs one step. Never rejects; an aborted signal asks it to stop and to say so. */
export type RunStep = (
  step: Step,
  context: { readonly id: StepId; readonly signal: AbortSignal; readonly world: () => World },
) => Promise<Outcome>;

/** What one turn of the loop did: the facts that came in, and the world before and after them. */
export interface Turn {
  readonly before: World;
  readonly after: World;
  readonly facts: readonly Fact[];
  readonly plan: Plan;
}

export interface LoopOptions {
  readonly run: RunStep;
  /** Called after every turn, to tell people. Nothing it does comes back. */
  readonly onTurn: (turn: Turn) => void;
  /** Milliseconds; any zero will do. */
  readonly now: () => number;
}

/** The inbox and the loop behind it: facts come in one after another, and whatever they ask for is started. */
export interface Loop {
  post(fact: Fact): void;
  readonly world: () => World;
  /** Resolves at the first turn (the present one included) for which the condition holds. */
  until(condition: (turn: Turn) => boolean): Promise<Turn>;
  /** Ends every running step and takes no more facts; resolves when the last step has ended. */
  close(): Promise<void>;
}

/** Starting a step changes what is to be started next; a turn goes round until there is nothing more to start. */
const roundsPerTurn = 1000;

export function openLoop(options: LoopOptions): Loop {
  return new ConvergingLoop(options);
}

class ConvergingLoop implements Loop {
  private current: World = emptyWorld;
  private inbox: Fact[] = [];
  private turnDue = false;
  private closed = false;
  private counter = 0;
  private timer: NodeJS.Timeout | undefined;
  private lastTurn: Turn = { before: emptyWorld, after: emptyWorld, facts: [], plan: { start: [], stop: [], held: [], wakeAt: undefined } };
  private readonly aborts = new Map<StepId, AbortController>();
  private readonly ends = new Map<StepId, Promise<void>>();
  private waiting: { readonly condition: (turn: Turn) => boolean; readonly resolve: (turn: Turn) => void }[] = [];

  constructor(private readonly options: LoopOptions) {}

  readonly world = (): World => this.current;

  post(fact: Fact): void {
    if (this.closed) return;
    this.inbox.push(fact);
    if (this.turnDue) return;
    this.turnDue = true;
    // What has arrived by then is one turn: of a hundred answers that come while one is thought about, each would be a turn of its own.
    setImmediate(() => this.turn());
  }

  until(condition: (turn: Turn) => boolean): Promise<Turn> {
    if (condition(this.lastTurn)) return Promise.resolve(this.lastTurn);
    return new Promise((resolve) => this.waiting.push({ condition, resolve }));
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    for (const abort of this.aborts.values()) abort.abort();
    await Promise.all(this.ends.values());
  }

  private turn(): void {
    this.turnDue = false;
    if (this.closed) return;
    const facts: Fact[] = [{ kind: 'clockTicked', now: this.options.now() }, ...this.inbox];
    this.inbox = [];
    const before = this.current;
    for (const fact of facts) this.current = record(this.current, fact);
    let decided = plan(this.current);
    const started: Step[] = [];
    for (let round = 0; round < roundsPerTurn; round += 1) {
      for (const id of decided.stop) this.stop(id);
      for (const step of decided.start) this.start(step);
      started.push(...decided.start);
      if (decided.start.length === 0) break;
      decided = plan(this.current);
    }
    this.wakeAt(decided.wakeAt);
    this.lastTurn = { before, after: this.current, facts, plan: { ...decided, start: started } };
    this.options.onTurn(this.lastTurn);
    const waiting = this.waiting;
    this.waiting = [];
    for (const one of waiting) {
      if (one.condition(this.lastTurn)) one.resolve(this.lastTurn);
      else this.waiting.push(one);
    }
  }

  private stop(id: StepId): void {
    this.current = stopAsked(this.current, id);
    this.aborts.get(id)?.abort();
  }

  private start(step: Step): void {
    this.counter += 1;
    const id = `${step.kind}#${String(this.counter)}`;
    this.current = record(this.current, { kind: 'stepStarted', id, step, at: this.options.now() });
    const abort = new AbortController();
    this.aborts.set(id, abort);
    const context = { id, signal: abort.signal, world: this.world };
    // What the turn is about is told before anything that its steps tell.
    const begun = Promise.resolve().then(() => this.options.run(step, context));
    const run = begun.then((outcome) => {
      this.aborts.delete(id);
      this.ends.delete(id);
      this.post({ kind: 'stepEnded', id, outcome, at: this.options.now() });
    });
    this.ends.set(id, run);
  }

  private wakeAt(at: number | undefined): void {
    clearTimeout(this.timer);
    if (at === undefined) return;
    this.timer = setTimeout(() => this.post({ kind: 'clockTicked', now: this.options.now() }), Math.max(1, at - this.options.now()));
  }
}
