import type { ArtifactName, Event, Held, Plan, Problem, Step, TargetId, Workspace, World } from '../model';
import { isInStep } from './goalReached';
import { noReleaseState, takesNoFiles, viewOf } from './need';

export interface ServiceState {
  readonly state: Exclude<Extract<Event, { kind: 'service' }>['state'], 'removed'>;
  readonly because?: string;
  readonly detail?: string;
}

/**
 * How each service of the goal is, in one word, and why: a release, or an image that no release uses. What is told of one is the
 * worst that is so: a failure before work that goes on, that before what is waited for.
 */
export function serviceStates(world: World, { held }: Plan): ReadonlyMap<string, ServiceState> {
  const { workspace, goal } = world;
  const states = new Map<string, ServiceState>();
  if (!workspace) return states;
  const { services, byArtifact, byTarget } = indexOf(workspace, goal);
  const offer = (names: Iterable<string>, state: ServiceState): void => {
    for (const name of names) {
      const known = states.get(name);
      if (!known || rank[state.state] > rank[known.state]) states.set(name, state);
    }
  };
  const servicesOf = (subject: string): readonly string[] => {
    const artifact = world.containers.get(subject)?.seen.artifact ?? subject;
    return byArtifact.get(artifact) ?? byTarget.get(subject) ?? (services.has(subject) ? [subject] : []);
  };

  for (const [key, { problem, attempts, retryAt }] of world.failures) {
    // What passes by itself at the next try is not how a service is.
    if (retryAt !== undefined && attempts < 2) continue;
    if (runsItsFiles(world, key)) continue;
    offer(servicesOf(key.slice(key.indexOf(':') + 1)), failedFor(problem));
  }
  for (const { step } of world.running.values()) {
    const subject = subjectOf(step);
    if (step.kind !== 'watchTarget' && subject !== undefined) offer(servicesOf(subject), workOf(step));
  }
  // What a rollout waits for says more than that it is waited for.
  for (const service of goal.releases) {
    const { live } = world.releases.get(service) ?? noReleaseState;
    if (live.state !== 'found') continue;
    const { rollout } = live.value;
    if (rollout.state === 'failed') offer([service], failedFor(rollout.problem));
    if (rollout.state === 'progressing') offer([service], { state: 'waiting', because: 'waitingForRollout', detail: rollout.message });
  }
  for (const hold of held) offer(servicesOf(hold.subject.split(' ', 1)[0] ?? ''), waitingFor(hold));
  for (const service of services) {
    const isThere = !goal.releases.has(service) || world.releases.get(service)?.live.state === 'found';
    offer([service], { state: isThere ? 'ready' : 'waiting' });
  }
  return states;
}

/** Nothing can be copied into such a container, and nothing has to be: its image is made of the files as they are. */
function runsItsFiles(world: World, failureKey: string): boolean {
  const container = failureKey.startsWith('connect:') ? world.containers.get(failureKey.slice('connect:'.length)) : undefined;
  const artifact = container && world.workspace?.artifacts.get(container.seen.artifact);
  if (!container || !artifact) return false;
  return takesNoFiles(world, container) && isInStep(viewOf(world, artifact, [container]), container);
}

const rank: Readonly<Record<ServiceState['state'], number>> = { ready: 0, waiting: 1, syncing: 2, building: 3, failed: 4 };

/** What a step is about: an artifact, a target, a release, or a container. */
function subjectOf(step: Step): string | undefined {
  switch (step.kind) {
    case 'lookUp':
    case 'build':
    case 'deliver':
      return step.artifact;
    case 'runTarget':
    case 'watchTarget':
      return step.target;
    case 'apply':
    case 'runHooks':
      return step.release;
    case 'remove':
      return undefined;
    case 'connect':
    case 'sync':
    case 'reload':
      return step.container;
  }
}

function workOf(step: Step): ServiceState {
  switch (step.kind) {
    case 'runTarget':
      return { state: 'building', because: 'runTarget', detail: step.target };
    case 'sync':
    case 'reload':
      return { state: 'syncing', because: step.kind };
    case 'build':
    case 'deliver':
      return { state: 'building', because: step.kind };
    case 'lookUp':
    case 'watchTarget':
    case 'apply':
    case 'runHooks':
    case 'remove':
    case 'connect':
      return { state: 'waiting', because: step.kind };
  }
}

function failedFor({ code, message, sharedCause }: Problem): ServiceState {
  return { state: 'failed', because: code, detail: sharedCause ?? message };
}

function waitingFor({ reason, detail }: Held): ServiceState {
  return { state: 'waiting', because: reason, ...(detail !== undefined && { detail }) };
}

interface Index {
  readonly services: ReadonlySet<string>;
  readonly byArtifact: ReadonlyMap<ArtifactName, readonly string[]>;
  readonly byTarget: ReadonlyMap<TargetId, readonly string[]>;
}

let last: { readonly workspace: Workspace; readonly goal: World['goal']; readonly index: Index } | undefined;

/** Only a cache: the answer depends on nothing but the arguments. */
function indexOf(workspace: Workspace, goal: World['goal']): Index {
  if (last?.workspace === workspace && last.goal === goal) return last.index;
  const byArtifact = new Map<ArtifactName, string[]>();
  for (const name of goal.releases)
    for (const artifact of workspace.releases.get(name)?.artifacts ?? [])
      byArtifact.set(artifact, [...(byArtifact.get(artifact) ?? []), name]);
  for (const artifact of goal.artifacts) if (!byArtifact.has(artifact)) byArtifact.set(artifact, [artifact]);
  const byTarget = new Map<TargetId, string[]>();
  const addTarget = (id: TargetId, users: readonly string[]): void => {
    const known = byTarget.get(id) ?? [];
    const fresh = users.filter((user) => !known.includes(user));
    if (fresh.length === 0) return;
    byTarget.set(id, [...known, ...fresh]);
    for (const lower of workspace.targets.get(id)?.dependsOn ?? []) addTarget(lower, users);
  };
  for (const [artifact, users] of byArtifact) for (const id of workspace.artifacts.get(artifact)?.targets ?? []) addTarget(id, users);
  const index: Index = { services: new Set([...goal.releases, ...[...byArtifact.values()].flat()]), byArtifact, byTarget };
  last = { workspace, goal, index };
  return index;
}
