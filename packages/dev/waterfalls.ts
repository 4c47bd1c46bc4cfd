import type { ContainerId, Event, Fact, ReleaseName, Step, TargetId, WorkspacePath, World } from '../model';
import { isReached, progressOf } from '../plan';
import type { Turn } from './converge';

type Decision = Extract<Event, { kind: 'decision' }>;
type RolledOut = Extract<Event, { kind: 'rolledOut' }>;

/** An edit on its way to pods of its own, with the time at which each part of the way was done. */
interface Way {
  readonly noticedAt: number;
  readonly files: readonly WorkspacePath[];
  /** The containers there were when it began. */
  readonly before: ReadonlySet<ContainerId>;
  readonly begunAt?: number;
  readonly builtAt?: number;
  readonly deliveredAt?: number;
  readonly appliedAt?: number;
  readonly scheduledAt?: number;
  /** It was told that it led nowhere: what is saved after that is the beginning of another. */
  readonly failed?: boolean;
}

/** Where the time goes between a save that needs new pods and these being ready: one part after another, so that they add up. */
export class Waterfalls {
  private readonly ways = new Map<ReleaseName, Way>();

  note(turn: Turn, decisions: readonly Decision[]): void {
    const { after, before, facts, plan } = turn;
    for (const fact of facts) if (fact.kind === 'filesSeen') this.begin(fact, decisions, { after, isNew: isReached(before) });
    if (this.ways.size === 0) return;
    // What ended made way for what began in the same turn.
    for (const fact of facts) if (fact.kind === 'stepEnded') this.ended(turn, fact);
    for (const step of plan.start)
      for (const name of this.waysOf(step, after)) this.change(name, (way) => ({ ...way, begunAt: way.begunAt ?? after.now }));
    for (const { seen, release } of after.containers.values())
      this.change(release, (way) =>
        way.appliedAt === undefined || way.scheduledAt !== undefined || way.before.has(seen.id) ? way : { ...way, scheduledAt: after.now },
      );
    // An edit that was taken back before it got that far leads nowhere, and what a person asks for later is not its doing.
    if (plan.held.length === 0 && progressOf(after, plan).state === 'reached')
      for (const [name, way] of this.ways) if (way.appliedAt === undefined) this.ways.delete(name);
  }

  /** The way of an edit whose pods are ready now. */
  arrived(release: ReleaseName, now: number): RolledOut | undefined {
    const way = this.ways.get(release);
    if (way?.appliedAt === undefined) return undefined;
    this.ways.delete(release);
    const { noticedAt, files, appliedAt } = way;
    const begun = way.begunAt ?? appliedAt;
    const built = way.builtAt ?? begun;
    const delivered = way.deliveredAt ?? built;
    const scheduled = way.scheduledAt ?? appliedAt;
    const ms = {
      detect: begun - noticedAt,
      build: built - begun,
      deliver: delivered - built,
      apply: appliedAt - delivered,
      schedule: scheduled - appliedAt,
      ready: now - scheduled,
      total: now - noticedAt,
    };
    const rounded = Object.fromEntries(Object.entries(ms).map(([part, each]) => [part, Math.round(each * 10) / 10])) as typeof ms;
    return { kind: 'rolledOut', release, files: files.slice(0, 3), fileCount: files.length, ms: rounded };
  }

  private begin(
    fact: Extract<Fact, { kind: 'filesSeen' }>,
    decisions: readonly Decision[],
    { after, isNew }: { readonly after: World; readonly isNew: boolean },
  ): void {
    for (const { artifact, action, files } of decisions) {
      if (action !== 'rebuild' && action !== 'redeploy') continue;
      for (const release of releasesOf(after, artifact)) {
        const known = this.ways.get(release);
        // One that was applied already, or has failed, is another edit's; of one that was taken back nothing is left.
        const goesOn = known && known.appliedAt === undefined && known.failed !== true && !isNew;
        this.ways.set(
          release,
          goesOn
            ? { ...known, files: [...new Set([...known.files, ...files])] }
            : { noticedAt: fact.at, files, before: new Set(after.containers.keys()) },
        );
      }
    }
  }

  private ended(turn: Turn, fact: Extract<Fact, { kind: 'stepEnded' }>): void {
    const step = (turn.before.running.get(fact.id) ?? turn.after.running.get(fact.id))?.step;
    if (!step) return;
    const { at, outcome } = fact;
    for (const name of this.waysOf(step, turn.after)) {
      if (outcome.kind === 'built' || outcome.kind === 'lookedUp' || outcome.kind === 'targetRan')
        this.change(name, (way) => ({ ...way, builtAt: at }));
      else if (outcome.kind === 'delivered') this.change(name, (way) => ({ ...way, deliveredAt: at }));
      else if (outcome.kind === 'failed') this.change(name, (way) => ({ ...way, failed: true }));
      // What is applied after the edit was is another's doing, as a manifest that was removed.
      else if (outcome.kind === 'applied' && this.ways.get(name)?.appliedAt !== undefined) this.ways.delete(name);
      else if (outcome.kind === 'applied') this.change(name, (way) => ({ ...way, appliedAt: at }));
    }
  }

  private change(release: ReleaseName, to: (way: Way) => Way): void {
    const way = this.ways.get(release);
    if (way) this.ways.set(release, to(way));
  }

  /** Of a step that is a part of the way. */
  private waysOf(step: Step, world: World): readonly ReleaseName[] {
    if (step.kind === 'apply') return [step.release];
    if (step.kind === 'lookUp' || step.kind === 'build' || step.kind === 'deliver') return releasesOf(world, step.artifact);
    if (step.kind === 'runTarget') return [...this.ways.keys()].filter((name) => usesTarget(world, name, step.target));
    return [];
  }
}

function releasesOf({ workspace }: World, artifact: string): readonly ReleaseName[] {
  const all = [...(workspace?.releases.values() ?? [])];
  return all.filter(({ name, artifacts }) => name === artifact || artifacts.includes(artifact)).map(({ name }) => name);
}

function usesTarget({ workspace }: World, release: ReleaseName, target: TargetId): boolean {
  return (workspace?.releases.get(release)?.artifacts ?? []).some((name) => workspace?.artifacts.get(name)?.targets.includes(target));
}
