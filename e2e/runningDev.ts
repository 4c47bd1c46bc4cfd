import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import type { Event } from '../model';
import { until } from './until';

type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>;

export interface DevRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file that its events are written to, not there yet. */
  readonly eventsFile: string;
  /** It writes them to its standard output, which goes to that file. */
  readonly printsEvents?: boolean;
  /** Keys can be typed. */
  readonly takesKeys?: boolean;
}

/** As a terminal sends it. */
const ctrlC = '\x03';

/** A `dev`, or another command that goes on, while it runs: what it does is read from its events file, as any other program could. */
export class RunningDev {
  private readonly child: ChildProcess;
  private readonly ended: Promise<number | string>;
  private ending: number | string | undefined;
  private output = '';

  constructor(private readonly request: DevRequest) {
    const { command, args, cwd, env, eventsFile, printsEvents = false, takesKeys = false } = request;
    const stdout = printsEvents ? openSync(eventsFile, 'a') : undefined;
    // A process group of its own, so that it can be interrupted as a terminal does it.
    this.child = spawn(command, args, { cwd, env, stdio: [takesKeys ? 'pipe' : 'ignore', stdout ?? 'pipe', 'pipe'], detached: true });
    if (stdout !== undefined) closeSync(stdout);
    for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => {
      this.child.on('error', (error) => resolve((this.ending = error.message)));
      this.child.on('close', (code, signal) => resolve((this.ending = code ?? signal ?? 'unknown')));
    });
  }

  get events(): readonly Event[] {
    if (!existsSync(this.request.eventsFile)) return [];
    const lines = readFileSync(this.request.eventsFile, 'utf8').split('\n');
    // The last one is empty, or still being written.
    return lines.slice(0, -1).map((line) => JSON.parse(line) as Event);
  }

  /** How many events there have been: what comes after now is `since` it. */
  mark(): number {
    return this.events.length;
  }

  since<Kind extends Event['kind']>(mark: number, kind: Kind): readonly EventOf<Kind>[] {
    return this.events.slice(mark).filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  /** Waits for an event, of those after the mark. */
  until<Kind extends Event['kind']>(kind: Kind, isIt: (event: EventOf<Kind>) => boolean = () => true, mark = 0): Promise<EventOf<Kind>> {
    return this.wait(`the event ${kind} that ${isIt.toString()}`, () => this.since(mark, kind).find(isIt));
  }

  /** All that it has printed. */
  get printed(): string {
    return this.output;
  }

  type(keys: string): void {
    this.child.stdin?.write(keys);
  }

  /** Waits for what it prints. */
  async prints(what: string, isIt: (printed: string) => boolean): Promise<void> {
    await this.wait(`it prints ${what}`, () => (isIt(this.output) ? true : undefined));
  }

  /** Waits for the path of a release's forwarded port to answer with a text in it; gives the whole answer. */
  async answer(release: string, path: string, wanted: string): Promise<string> {
    const { url } = await this.until('forwarded', (event) => event.release === release);
    let last: string | undefined;
    return this.wait(
      `${release} answers ${path} with ${wanted}`,
      async () => {
        last = await get(`${url}${path}`);
        return last?.includes(wanted) ? last : undefined;
      },
      () => `the last answer: ${last ?? 'none'}`,
    );
  }

  /** Waits until a path of a release's forwarded port answers no more. */
  async silence(release: string, path: string): Promise<void> {
    const { url } = await this.until('forwarded', (event) => event.release === release);
    await this.wait(`${release} does not answer ${path}`, async () => ((await get(`${url}${path}`)) === undefined ? true : undefined));
  }

  /** Ctrl+C: the terminal sends it to the whole process group. Gives the exit code. */
  interrupt(): Promise<number | string> {
    this.signalGroup('SIGINT');
    return this.end();
  }

  /** Somebody else ends it. Gives the exit code. */
  ends(): Promise<number | string> {
    return this.end();
  }

  /** SIGTERM, to the process alone. */
  terminate(): Promise<number | string> {
    this.child.kill('SIGTERM');
    return this.end();
  }

  kill9(): Promise<number | string> {
    this.child.kill('SIGKILL');
    return this.end();
  }

  /** A terminal whose window is closed: what runs in it is told so by the system, and can print no more. */
  async closeTerminal(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  /** Ctrl+C at a terminal, and again and again until it ends. Gives the exit code. */
  async interruptImpatiently(): Promise<number | string> {
    this.type(ctrlC);
    await this.until('stopping');
    return until(
      'dev ends',
      () => {
        if (this.ending === undefined) this.type(ctrlC);
        return this.ending;
      },
      () => this.told(),
    );
  }

  /** A laptop that is closed: it stands still until the promise has settled. */
  async asleepWhile(something: Promise<unknown>): Promise<void> {
    this.signalGroup('SIGSTOP');
    try {
      await something;
    } finally {
      this.signalGroup('SIGCONT');
    }
  }

  /** Ctrl+C at a runner that leaves no time: everything in the process group is killed as soon as the stop begins. */
  async killWhileStopping(): Promise<void> {
    this.signalGroup('SIGINT');
    await this.until('stopping');
    this.signalGroup('SIGKILL');
    await this.ended;
  }

  /** What a test that failed leaves running must not disturb the next. */
  async abandon(): Promise<void> {
    if (this.ending !== undefined) return;
    this.signalGroup('SIGKILL');
    await this.ended;
  }

  private end(): Promise<number | string> {
    return until(
      'dev ends',
      () => this.ending,
      () => this.told(),
    );
  }

  private wait<T>(what: string, ask: () => T | undefined | Promise<T | undefined>, also: () => string = () => ''): Promise<T> {
    const askWhileItRuns = async (): Promise<T | undefined> => {
      const ending = this.ending;
      const answer = await ask();
      if (answer === undefined && ending !== undefined) throw new Error(`dev ended (${ending}) before: ${what}\n${this.told()}`);
      return answer;
    };
    return until(what, askWhileItRuns, () => `${also()}\n${this.told()}`);
  }

  /** What it printed and wrote, for the message of a test that fails. */
  told(): string {
    const { command, args } = this.request;
    const lastEvents = this.events.slice(-20).map((event) => JSON.stringify(event));
    return [`--- ${command} ${args.join(' ')}`, this.output, '--- its last events', ...lastEvents].join('\n');
  }

  private signalGroup(signal: NodeJS.Signals): void {
    if (this.child.pid !== undefined && this.ending === undefined) process.kill(-this.child.pid, signal);
  }
}

/** The answer's text; undefined while there is none, or one that tells of a failure. */
async function get(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) });
    return answer.ok ? await answer.text() : undefined;
  } catch {
    return undefined;
  }
}
