import { type ContainerState, type Plan, type Problem, type ReleaseState, type World } from '../model';
import { pendingCommands } from './after';
import {
  baseTree,
  basesSuit,
  containersByArtifact,
  followsDisk,
  noReleaseState,
  suits,
  unsettledPaths,
  viewOf,
  wantedTree,
  type ArtifactView,
} from './need';
import { newImageBecause } from './newImageBecause';
import { givenUp } from './patience';
import { Settled } from './settled';

/** How far a world is from its goal: reached, on its way, or as far as it gets without a change from outside. */
export type Progress =
  { readonly state: 'reached' } | { readonly state: 'working' } | { readonly state: 'stuck'; readonly problems: readonly Problem[] };

/** Retries after which a one-shot command gives up on what the world does not mend. */
const oneShotAttempts = 3;

/** Whether a container's files, and what its process runs, are those of the disk. */
export function isInStep(view: ArtifactView, container: ContainerState): boolean {
  if (!container.seen.running) return false;
  if (!container.files) return baseTree(container).hash === view.now.tree.hash && container.seen.inputsHash === view.now.inputsHash;
  if (container.files.hash !== wantedTree(view, container.files).hash || container.inFlight.length > 0) return false;
  if (pendingCommands(view.artifact, container).commands.length > 0) return false;
  return view.artifact.reload.kind !== 'hot' || unsettledPaths(view, container).length === 0;
}

export function progressOf(world: World, plan: Plan): Progress {
  const busy = world.running.size > 0 || plan.start.length > 0;
  if (!busy && (isReached(world) || isAllCopied(world))) return { state: 'reached' };
  const given = [...world.failures.values()].filter((failure) => failure.retryAt === undefined || failure.attempts >= oneShotAttempts);
  const rollouts = [...world.goal.releases].flatMap((name) => rolloutGivenUp(world, name) ?? []);
  const problems = [...given.map((failure) => failure.problem), ...rollouts, ...newImagesNeeded(world)];
  return !busy && problems.length > 0 && !othersGoOn(world, plan) ? { state: 'stuck', problems } : { state: 'working' };
}

/** Why the rollout of a release is waited for no longer. Undefined while it is. */
export function rolloutGivenUp(world: World, name: string): Problem | undefined {
  const state = world.releases.get(name) ?? noReleaseState;
  const { live } = state;
  const release = world.workspace?.releases.get(name);
  if (!release || live.state !== 'found' || !showsLastApply(world, state)) return undefined;
  const { rollout } = live.value;
  if (world.goal.kind === 'deployed') return givenUp(release, state, rollout, world.now);
  return rollout.state === 'failed' ? rollout.problem : undefined;
}

/**
 * Whether what the cluster shows of a release counts: until it shows what was applied last, that is something older. Nobody applies anything
 * to what is only attached to, so there it is how it is.
 */
export function showsLastApply(
  { goal }: Pick<World, 'goal'>,
  { applied, uncertain }: Pick<ReleaseState, 'applied' | 'uncertain'>,
): boolean {
  return goal.kind === 'attached' || (applied === undefined && !uncertain);
}

/** One that fails ends none of the others: what is still rolling out, or will be tried again, is waited for. */
function othersGoOn(world: World, { held }: Plan): boolean {
  if (world.goal.kind !== 'deployed' && world.goal.kind !== 'built') return false;
  if ([...world.failures.values()].some(({ retryAt, attempts }) => retryAt !== undefined && attempts < oneShotAttempts)) return true;
  return held.some(({ subject, reason }) => reason === 'waitingForRollout' && rolloutGivenUp(world, subject) === undefined);
}

/** What keeps containers that are only attached to from being in step: nobody builds the image that they would need. */
function newImagesNeeded(world: World): readonly Problem[] {
  const { workspace, goal } = world;
  if (!workspace || !world.scanned || goal.kind !== 'attached') return [];
  const containers = containersByArtifact(world);
  return [...goal.artifacts].flatMap((name): readonly Problem[] => {
    const artifact = workspace.artifacts.get(name);
    const because = artifact && newImageBecause(world, viewOf(world, artifact, containers.get(name)));
    if (!artifact || because === undefined) return [];
    return [
      {
        code: 'needsNewImage',
        message: `${name} needs a new image: ${because}`,
        hint: `slipway deploy ${artifact.project} builds and deploys it; what can be copied has been copied`,
        retry: 'whenInputChanges',
        exitCode: 1,
        project: artifact.project,
      },
    ];
  });
}

/** What had reached the goal in the world that was asked about last. */
const lastReached = new Settled();

/** Whether everything the goal asks for is so, as far as is known. `reached` only saves looking again at what nothing has happened to. */
export function isReached(world: World, reached = lastReached): boolean {
  const { goal } = world;
  if (goal.kind === 'removed') return [...goal.releases, ...(goal.leaving ?? [])].every((name) => isRemoved(world, name));
  if (!hasArtifacts(world, reached)) return false;
  if (goal.kind === 'built') return true;
  return [...goal.releases].every((name) => {
    const state = world.releases.get(name);
    if (state?.live.state !== 'found' || state.live.value.rollout.state !== 'ready') return false;
    return showsLastApply(world, state) && state.hooksDueFor === undefined;
  });
}

/**
 * Files reach a container that runs, whatever its probes say: where it is only attached to, nobody waits for it to be ready, which it may
 * not have been for days.
 */
function isAllCopied(world: World): boolean {
  const { goal } = world;
  if (goal.kind !== 'attached' || !hasArtifacts(world, lastReached)) return false;
  return [...goal.releases].every((name) => {
    const live = world.releases.get(name)?.live;
    if (live?.state !== 'found') return false;
    const { rollout } = live.value;
    const code = rollout.state === 'progressing' ? rollout.reason?.code : undefined;
    return rollout.state === 'ready' || code === 'probeFailed' || code === 'containerNotReady';
  });
}

/** Whether the images that the goal asks for are there, and the containers that follow the disk in step with it. */
function hasArtifacts(world: World, reached: Settled): boolean {
  const { workspace, goal } = world;
  if (!workspace || !world.scanned) return false;
  reached.follow(world);
  const containers = containersByArtifact(world);
  for (const name of goal.artifacts) {
    if (reached.hasArtifact(name)) continue;
    const artifact = workspace.artifacts.get(name);
    if (!artifact) continue;
    const mine = containers.get(name) ?? [];
    const view = viewOf(world, artifact, mine);
    if (!view.image || !suits(view.image.snapshot, view) || view.state.anew === true) return false;
    // Nobody makes another one for what is only attached to.
    if (goal.kind !== 'attached' && !basesSuit(world, view)) return false;
    if (followsDisk(goal) && !mine.every((container) => isInStep(view, container))) return false;
    reached.addArtifact(name);
  }
  return true;
}

/** The cluster shows a release by its workloads: that something else of it is still there, only the step that removed it knows. */
function isRemoved({ releases, failures }: World, name: string): boolean {
  const failure = failures.get(`remove:${name}`);
  return releases.get(name)?.live.state === 'absent' && (failure === undefined || failure.retryAt !== undefined);
}
