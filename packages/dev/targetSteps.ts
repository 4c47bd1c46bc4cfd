import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  countLeaves,
  entryAt,
  failed,
  leavesOf,
  succeeded,
  type Entry,
  type Fact,
  type Outcome,
  type Problem,
  type Report,
  type Result,
  type Target,
  type TargetState,
  type WorkspacePath,
  type World,
} from '../model';
import { select } from '../plan';
import { readEntry } from '../source';
import type { RunStep } from './converge';
import { placeIn } from './placeIn';
import type { Session } from './session';
import { failure, notThere, type StepOf } from './stepFailures';
import { TargetRunner } from './targetRunner';

/** Steps that run build targets, and those that keep one running. */
export class TargetSteps {
  private readonly targets: TargetRunner;

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly post: (fact: Fact) => void,
  ) {
    this.targets = new TargetRunner(session.options, report);
  }

  async run(step: StepOf<'runTarget'>, signal: AbortSignal, world: World): Promise<Outcome> {
    const target = world.workspace?.targets.get(step.target);
    if (!target) return failure(notThere(step.target));
    const { root } = this.session.options;
    const ran = await this.targets.run(target, signal);
    if (signal.aborted) return { kind: 'stopped' };
    if (!ran.ok) return failure(this.placed(ran.problem, target, world));
    const { startedAt, ms } = ran.value;
    const made = await this.outputsOf(target);
    if (!made.ok) return failure(made.problem, target.project);
    const touched = await wasTouched(root, target, world, startedAt);
    if (ms !== undefined) this.report({ kind: 'targetRan', target: step.target, ms: Math.round(ms) });
    return { kind: 'targetRan', outputs: made.value, touched };
  }

  async watch(step: StepOf<'watchTarget'>, { id: run, signal, world }: Parameters<RunStep>[1]): Promise<Outcome> {
    const target = world().workspace?.targets.get(step.target);
    if (!target) return failure(notThere(step.target));
    let build = 0;
    let told: Promise<void> = Promise.resolve();
    const problem = await this.targets.watch(target, {
      signal,
      onBuilt: ({ ms, problem: mistake }) => {
        told = told.then(async () => {
          const made = mistake ? failed(this.placed(mistake, target, world())) : await this.outputsOf(target);
          // The next build has removed them already, and will tell of itself.
          if (made.ok && made.value.every(([, entry]) => entry === undefined || countLeaves(entry) === 0)) return;
          build += 1;
          if (made.ok && ms !== undefined) this.report({ kind: 'targetRan', target: target.id, ms });
          this.post({ kind: 'targetBuilt', run, build, made });
        });
      },
    });
    return signal.aborted ? { kind: 'stopped' } : failure(this.placed(problem, target, world()));
  }

  /** What a target has written, as it is now. */
  private async outputsOf({ outputs }: Target): Promise<Result<TargetState['outputs']>> {
    const { root } = this.session.options;
    const read = await Promise.all(outputs.map(async (path) => [path, await readEntry(root, path)] as const));
    const entries: (readonly [WorkspacePath, Entry | undefined])[] = [];
    for (const [path, entry] of read) {
      if (!entry.ok) return entry;
      entries.push([path, entry.value]);
    }
    return succeeded(entries);
  }

  /** With the place that the tool names, where that is a file of the workspace. */
  private placed(problem: Problem, target: Target, world: World): Problem {
    const folders = ['', world.workspace?.projects.get(target.project)?.root ?? ''];
    const isFile = (path: string) => entryAt(world.disk, path)?.kind === 'file';
    const location = placeIn((problem.detail ?? '').split('\n'), { root: this.session.options.root, folders, isFile });
    return location ? { ...problem, location } : problem;
  }
}

/** A file that was written so long before a run has been noticed by then, even if its event was lost. */
const longNoticedMs = 60_000;

/**
 * Whether a target may have read something else than was known when it was started (milliseconds since 1970): an input was written since, or
 * just before it and nobody had noticed.
 */
async function wasTouched(root: string, target: Target, world: World, since: number): Promise<boolean> {
  const files = target.inputs.flatMap((input) => {
    const entry = select(world.disk, input);
    return entry ? [...leavesOf(entry, input.path)].filter(([, leaf]) => leaf.kind !== 'dir') : [];
  });
  const written = await Promise.all(
    files.map(async ([path, known]) => {
      const stats = await lstat(join(root, path)).catch(() => undefined);
      const writtenAt = stats ? Math.max(stats.mtimeMs, stats.ctimeMs) : since;
      if (writtenAt >= since || writtenAt < since - longNoticedMs) return writtenAt >= since;
      const now = await readEntry(root, path);
      return (
        !now.ok ||
        now.value?.kind !== known.kind ||
        (now.value.kind === 'file' && known.kind === 'file' && now.value.digest !== known.digest)
      );
    }),
  );
  return written.includes(true);
}
