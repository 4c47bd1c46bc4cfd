import type { Event, Goal, LogChoice, Problem, ReleaseName, Report, Workspace } from '../model';
import type { Turn } from './converge';
import { Narrator } from './narrator';
import { narrowingTo, type Narrowing } from './narrowed';
import { chosenWithRequired, type Chosen, type Required } from './required';
import { shownLogs } from './shownLogs';
import { noManifests, noticesOf, problemsOf } from './selection';

export interface PartOptions {
  /** Names of projects; empty means all. */
  readonly projects: readonly string[];
  /** Leaves what was deployed. */
  readonly keep: boolean;
  /** The services whose logs are shown. */
  readonly logs: LogChoice;
  readonly forward: boolean;
  readonly report: Report;
  /** Of the loop's clock. */
  readonly startedAt: number;
}

/** What is left to others: releases that are only used as they run, and those that others took over. */
interface Limits {
  readonly used: ReadonlySet<ReleaseName>;
  readonly lost: ReadonlySet<ReleaseName>;
}

const nothing: Goal = { kind: 'live', artifacts: new Set(), releases: new Set() };

/** What one `dev` wants of a loop, and what it is told: of a loop that several share only what concerns it. */
export class Part {
  /** What it wants; without what is used as it runs, and what was lost to others. */
  goal = nothing;
  required: readonly Required[] = [];
  /** Whether what was deployed is deleted at the end, when a person said so. */
  deletes: boolean | undefined;
  /** It wants nothing more, and only hears what becomes of what it had. */
  leaves = false;
  logs: LogChoice;
  /** Aborted when a person asks for the end. */
  readonly ending = new AbortController();
  /** All that it ever wanted. */
  readonly had = new Set<ReleaseName>();
  private readonly narrator: Narrator;
  private narrowing: { readonly of: Workspace; readonly value: Narrowing } | undefined;
  private readonly toldNotices = new Set<string>();

  constructor(readonly options: PartOptions) {
    this.narrator = new Narrator(options.startedAt);
    this.logs = options.logs;
  }

  /** Says for the first time what it wants of a workspace. The problems when that is nothing, or nothing that ever runs. */
  begin(workspace: Workspace, limits: Limits): readonly Problem[] {
    const { projects } = this.options;
    const chosen = chosenWithRequired(workspace, 'live', projects, limits.used);
    if (!chosen.ok) return chosen.problems;
    const shown = shownLogs(this.logs, workspace);
    if (!shown.ok) return [shown.problem];
    this.logs = shown.value;
    const missing = noManifests(workspace, chosen.goal, projects);
    return missing ? [missing] : this.take(chosen, workspace, limits.lost);
  }

  /** Says what it wants of a workspace. The problems when that is nothing; then it goes on with what it wanted before. */
  choose(workspace: Workspace, { used, lost }: Limits): readonly Problem[] {
    const chosen = chosenWithRequired(workspace, 'live', this.options.projects, used);
    return chosen.ok ? this.take(chosen, workspace, lost) : chosen.problems;
  }

  private take(
    { goal, required }: Extract<Chosen, { ok: true }>,
    workspace: Workspace,
    lost: ReadonlySet<ReleaseName>,
  ): readonly Problem[] {
    this.required = required;
    this.goal = withoutLost(goal, workspace, lost);
    for (const name of this.goal.releases) this.had.add(name);
    this.narrowing = undefined;
    return [];
  }

  /** The workspace has lost releases to another. */
  lose(lost: ReadonlySet<ReleaseName>, workspace: Workspace): void {
    this.goal = withoutLost(this.goal, workspace, lost);
    this.narrowing = undefined;
  }

  /** Names of all projects that it is about; empty means all. */
  projects(): readonly string[] {
    const { projects } = this.options;
    return projects.length === 0 ? [] : [...projects, ...this.required.map(({ project }) => project)];
  }

  /** The loop from its point of view. */
  view(turn: Turn, isShared: boolean): Turn {
    const { workspace } = turn.after;
    if (!isShared || !workspace) return turn;
    return this.narrowed(workspace).turn(turn);
  }

  narrate(turn: Turn, isShared: boolean): void {
    for (const event of this.narrator.tell(this.view(turn, isShared))) this.tell(event);
  }

  /** Tells it what happened, when that concerns it. */
  hear(event: Event, workspace: Workspace | undefined, isShared: boolean): void {
    if (event.kind === 'log' && this.logs !== 'all' && !this.logs.includes(event.service)) return;
    if (isShared && workspace && !(this.narrowing?.value ?? this.narrowed(workspace)).concerns(event)) return;
    this.tell(event);
  }

  tell(event: Event): void {
    // Of an end before anything was deployed there is nothing to tell.
    if (event.kind !== 'removed' || event.objects.length > 0) this.options.report(event);
  }

  /** Tells what is wrong with its projects once, and when it is right again. */
  tellProblems(workspace: Workspace): void {
    this.tellMistakes(problemsOf(workspace, this.projects()));
    for (const notice of noticesOf(workspace, this.projects())) {
      if (this.toldNotices.has(notice.message)) continue;
      this.toldNotices.add(notice.message);
      this.tell(notice);
    }
  }

  tellMistakes(problems: readonly Problem[]): void {
    for (const event of this.narrator.tellMistakes(problems)) this.tell(event);
  }

  private narrowed(workspace: Workspace): Narrowing {
    if (this.narrowing?.of === workspace) return this.narrowing.value;
    const goal: Goal = this.leaves ? { ...this.goal, kind: 'removed' } : this.goal;
    const value = narrowingTo(workspace, goal, this.projects());
    this.narrowing = { of: workspace, value };
    return value;
  }

  /** What was deployed for another, which is gone, is its own to remove. */
  inherit(releases: Iterable<ReleaseName>): void {
    this.goal = { ...this.goal, releases: new Set([...this.goal.releases, ...releases]) };
    this.narrowing = undefined;
  }

  /** From now on it wants nothing. */
  leave(): void {
    this.leaves = true;
    this.narrowing = undefined;
  }
}

/** A goal without what others have taken over. */
function withoutLost(goal: Goal, workspace: Workspace, lost: ReadonlySet<ReleaseName>): Goal {
  if (lost.size === 0) return goal;
  const releases = new Set([...goal.releases].filter((name) => !lost.has(name)));
  const used = (names: Iterable<ReleaseName>): Set<string> =>
    new Set([...names].flatMap((name) => workspace.releases.get(name)?.artifacts ?? []));
  const [stay, went] = [used(releases), used(lost)];
  return { ...goal, releases, artifacts: new Set([...goal.artifacts].filter((name) => stay.has(name) || !went.has(name))) };
}
