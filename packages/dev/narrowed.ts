import type { ArtifactName, Event, Goal, Step, TargetId, Workspace, World } from '../model';
import type { Turn } from './converge';

/** The part of a loop that one goal is about. */
export interface Narrowing {
  readonly turn: (turn: Turn) => Turn;
  /** Whether an event is about something of the goal. One that is about nothing in particular is for everybody. */
  readonly concerns: (event: Event) => boolean;
}

/** A loop as it is for one of several goals: what is asked of it, how far that is and what is wrong with it. */
export function narrowingTo(workspace: Workspace, goal: Goal, projects: readonly string[]): Narrowing {
  const artifacts = withBases(workspace, goal.artifacts);
  const targets = targetsOf(workspace, artifacts);
  const subjects = new Set([...goal.releases, ...artifacts, ...targets, ...projects]);
  const part: Workspace = {
    ...workspace,
    artifacts: only(workspace.artifacts, artifacts),
    releases: only(workspace.releases, goal.releases),
    targets: only(workspace.targets, targets),
  };
  const world = (whole: World): World => {
    const containers = new Map(
      [...whole.containers].filter(([, { seen, release }]) => goal.releases.has(release) && artifacts.has(seen.artifact)),
    );
    const isOurs = (subject: string): boolean => subjects.has(subject) || containers.has(subject);
    return {
      ...whole,
      goal,
      ...(whole.workspace && { workspace: part }),
      releases: only(whole.releases, goal.releases),
      containers,
      running: new Map([...whole.running].filter(([, { step }]) => isOurs(subjectOf(step)))),
      failures: new Map([...whole.failures].filter(([key]) => isOurs(key.slice(key.indexOf(':') + 1)))),
    };
  };
  return {
    turn: ({ before, after, facts, plan }) => {
      const narrow = { before: world(before), after: world(after) };
      const isOurs = (subject: string): boolean => subjects.has(subject) || narrow.after.containers.has(subject);
      return {
        ...narrow,
        facts,
        plan: {
          ...plan,
          start: plan.start.filter((step) => isOurs(subjectOf(step))),
          held: plan.held.filter(({ subject }) => isOurs(subject) || isOurs(subject.split(' ', 1)[0] ?? '') || subject === 'workspace'),
        },
      };
    },
    concerns: (event) => {
      const subject = subjectOfEvent(event);
      return subject === undefined || subjects.has(subject);
    },
  };
}

function withBases({ artifacts }: Workspace, names: Iterable<ArtifactName>): ReadonlySet<ArtifactName> {
  const all = new Set(names);
  for (const name of all) for (const base of artifacts.get(name)?.requires ?? []) all.add(base);
  return all;
}

function targetsOf({ artifacts, targets }: Workspace, names: ReadonlySet<ArtifactName>): ReadonlySet<TargetId> {
  const all = new Set([...names].flatMap((name) => artifacts.get(name)?.targets ?? []));
  for (const id of all) for (const lower of targets.get(id)?.dependsOn ?? []) all.add(lower);
  return all;
}

function only<T>(map: ReadonlyMap<string, T>, keys: ReadonlySet<string>): ReadonlyMap<string, T> {
  return new Map([...map].filter(([key]) => keys.has(key)));
}

/** The artifact, target, release or container that a step is about. */
function subjectOf(step: Step): string {
  if ('artifact' in step) return step.artifact;
  if ('target' in step) return step.target;
  return 'release' in step ? step.release : step.container;
}

/** Undefined: everything. */
function subjectOfEvent(event: Event): string | undefined {
  if ('artifact' in event && event.kind !== 'log') return event.artifact;
  if ('release' in event) return event.release;
  if ('target' in event) return event.target;
  if ('service' in event) return event.service;
  return 'subject' in event && event.subject !== 'workspace' ? event.subject : undefined;
}
