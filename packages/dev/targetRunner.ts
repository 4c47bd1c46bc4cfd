import { stripVTControlCharacters } from 'node:util';
import { processes } from '../clients';
import type { RunnerCommand, TargetEnd } from '../graph';
import { failed, succeeded, type Problem, type Report, type Result, type Target, type TargetId } from '../model';
import { Builds, type BuildEnd } from './builds';
import type { CommandOptions } from './command';
import { lastWriteIn } from './lastWrite';

export interface TargetRun {
  /** When the process that ran the target was started, in milliseconds since 1970; of one that had run before, when this one was. */
  readonly startedAt: number;
  /** How long it took. Absent: it had run before. */
  readonly ms?: number;
}

interface Request {
  readonly target: Target;
  readonly signal: AbortSignal;
  readonly resolve: (run: Result<TargetRun>) => void;
}

/**
 * Runs targets through the workspace's own runner. Those that are asked for at one moment are one process where the runner can do that: it
 * starts once, puts them in order, and runs what they share once.
 */
export class TargetRunner {
  private waiting: Request[] = [];
  private readonly hasRun: Set<TargetId>;

  constructor(
    private readonly options: Pick<CommandOptions, 'root' | 'graph'>,
    private readonly report: Report,
  ) {
    this.hasRun = new Set(options.graph.hasRun);
  }

  /** Failures: `targetFailed`, with what the tool printed, and those of a process. */
  run(target: Target, signal: AbortSignal): Promise<Result<TargetRun>> {
    if (this.hasRun.delete(target.id)) return Promise.resolve(succeeded({ startedAt: performance.timeOrigin }));
    return new Promise((resolve) => {
      this.waiting.push({ target, signal, resolve });
      if (this.waiting.length === 1) setImmediate(() => this.begin());
    });
  }

  /**
   * Runs a target that goes on until it is stopped, and tells how each of its builds ended. Gives why it went on no more: `targetEnded`, or a
   * problem of its process.
   */
  async watch(target: Target, { signal, onBuilt }: { readonly signal: AbortSignal; readonly onBuilt: OnBuilt }): Promise<Problem> {
    this.report({ kind: 'started', what: 'watchTarget', subject: target.id });
    const { root, graph } = this.options;
    const lines: string[] = [];
    const builds = new Builds({
      onEnd: ({ mistakes, ms }) => onBuilt({ ms, problem: mistakes && buildFailed(target, mistakes) }),
      lastWrite: () => lastWriteIn(root, target.outputs),
    });
    const { command, args } = graph.runTarget(target.project, nameOf(target));
    const ran = await processes.run({
      command,
      args,
      cwd: root,
      signal,
      holdsInput: true,
      onLine: (line) => {
        if (graph.isOwnLine?.(line) === true) return;
        lines.push(line);
        if (lines.length > shownLines) lines.shift();
        if (builds.isFirst && !isBlank(line)) this.report({ kind: 'output', subject: target.id, line });
        builds.line(line);
      },
    });
    builds.close();
    return ran.ok ? targetEnded(target, ran.value.exitCode, lines) : ran.problem;
  }

  private begin(): void {
    const requests = this.waiting;
    this.waiting = [];
    const groups = new Map<string, Request[]>();
    for (const request of requests) {
      const { target } = request;
      const key = this.options.graph.runTargets && target.runsDependencies ? nameOf(target) : target.id;
      const group = groups.get(key);
      if (group) group.push(request);
      else groups.set(key, [request]);
    }
    void this.inTurn([...groups.values()]);
  }

  /** Two processes of one runner would run what their targets share twice; one that runs nothing else may run beside another. */
  private async inTurn(groups: readonly (readonly Request[])[]): Promise<void> {
    const alone = groups.filter(([first]) => first?.target.runsDependencies !== true);
    const ordered = groups.filter(([first]) => first?.target.runsDependencies === true);
    await Promise.all([
      ...alone.map((group) => this.runEach(group)),
      (async () => {
        for (const group of ordered) await (group.length === 1 ? this.runEach(group) : this.runTogether(group));
      })(),
    ]);
  }

  private async runEach(requests: readonly Request[]): Promise<void> {
    for (const { target, signal, resolve } of requests) {
      resolve(await this.runOne(target, signal));
    }
  }

  private async runOne(target: Target, signal: AbortSignal): Promise<Result<TargetRun>> {
    this.report({ kind: 'started', what: 'runTarget', subject: target.id });
    const startedAt = Date.now();
    const ran = await this.start(this.options.graph.runTarget(target.project, nameOf(target)), { signal, subjects: [target.id] });
    if (!ran.ok) return ran;
    const { exitCode, lines } = ran.value;
    return exitCode === 0 ? succeeded({ startedAt, ms: Date.now() - startedAt }) : failed(targetFailed(target, exitCode, lines));
  }

  /** One process for all. Of which it does not say how they ended, those are run once more by themselves: what was done is in the cache. */
  private async runTogether(requests: readonly Request[]): Promise<void> {
    const [first] = requests;
    const { graph } = this.options;
    if (!first || !graph.runTargets) return;
    for (const { target } of requests) this.report({ kind: 'started', what: 'runTarget', subject: target.id });
    const startedAt = Date.now();
    const command = graph.runTargets(
      requests.map(({ target }) => target.project),
      nameOf(first.target),
    );
    const ran = await this.start(command, { signal: AbortSignal.any(requests.map(({ signal }) => signal)), subjects: [] });
    if (!ran.ok) {
      for (const { resolve } of requests) resolve(ran);
      return;
    }
    const run = { startedAt, ms: Date.now() - startedAt };
    const { exitCode, lines } = ran.value;
    const ends: ReadonlyMap<string, TargetEnd> = exitCode === 0 ? new Map() : (graph.outcomesIn?.(lines) ?? new Map<string, TargetEnd>());
    const untold: Request[] = [];
    for (const request of requests) {
      const end: TargetEnd | undefined = exitCode === 0 ? { ok: true } : ends.get(request.target.id);
      if (!end) untold.push(request);
      else request.resolve(end.ok ? succeeded(run) : failed(targetFailed(request.target, 1, end.lines)));
    }
    await this.runEach(untold);
  }

  private async start(
    { command, args }: RunnerCommand,
    { signal, subjects }: { readonly signal: AbortSignal; readonly subjects: readonly string[] },
  ): Promise<Result<{ readonly exitCode: number; readonly lines: readonly string[] }>> {
    const { root, graph } = this.options;
    const lines: string[] = [];
    const isOwn = graph.isOwnLine ?? (() => false);
    const ran = await processes.run({
      command,
      args,
      cwd: root,
      signal,
      onLine: (line) => {
        if (subjects.length === 0) lines.push(line);
        else if (!isOwn(line)) {
          lines.push(line);
          if (!isBlank(line)) for (const subject of subjects) this.report({ kind: 'output', subject, line });
        }
      },
    });
    return ran.ok ? succeeded({ exitCode: ran.value.exitCode, lines }) : ran;
  }
}

/** A build of a continuous target, in milliseconds as far as they are known. */
export type OnBuilt = (build: Pick<BuildEnd, 'ms'> & { readonly problem: Problem | undefined }) => void;

function nameOf(target: Target): string {
  return target.id.slice(target.project.length + 1);
}

/** Of what a tool prints when it fails, the end is kept. */
const shownLines = 40;

function targetFailed(target: Target, exitCode: number, lines: readonly string[]): Problem {
  return {
    code: 'targetFailed',
    message: `${target.id} ended with exit code ${exitCode}`,
    hint: 'the version that runs is kept until it succeeds',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: trimmed(lines).slice(-shownLines).join('\n'),
  };
}

function buildFailed(target: Target, lines: readonly string[]): Problem {
  return {
    code: 'targetFailed',
    message: `${target.id} found a mistake`,
    hint: 'what it wrote last is kept until that is mended',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: trimmed(lines).slice(0, shownLines).join('\n'),
  };
}

function targetEnded(target: Target, exitCode: number, lines: readonly string[]): Problem {
  return {
    code: 'targetEnded',
    message: `${target.id} is continuous, and ended with exit code ${exitCode}`,
    hint: 'it is started again when a file changes that it reads; one that ends by itself must not be declared continuous or persistent',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail: trimmed(lines).join('\n'),
  };
}

/** Colours alone are nothing to read, and tools end what they print with them. */
function isBlank(line: string): boolean {
  return stripVTControlCharacters(line).trim() === '';
}

/** Without empty lines around it, and with no more than one between. */
function trimmed(lines: readonly string[]): readonly string[] {
  const isEmpty = (line: string | undefined) => line !== undefined && isBlank(line);
  return lines.filter(
    (line, index) => !isEmpty(line) || (index > 0 && !isEmpty(lines[index - 1]) && lines.slice(index).some((later) => !isEmpty(later))),
  );
}
