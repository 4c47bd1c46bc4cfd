import {
  entryAt,
  withEntries,
  type Artifact,
  type DirEntry,
  type Target,
  type TargetId,
  type TargetState,
  type WorkspacePath,
  type World,
} from '../model';
import { hashOf } from './hash';
import { select } from './select';
import { takenFrom } from './snapshot';

const lastHash = new WeakMap<Target, { readonly hashes: readonly string[]; readonly hash: string }>();

/** The hash of what a target reads. */
export function targetInputsHash(target: Target, tree: DirEntry): string {
  const hashes = target.inputs.map((input) => select(tree, input)?.hash ?? 'absent');
  const before = lastHash.get(target);
  if (before?.hashes.every((hash, index) => hash === hashes[index])) return before.hash;
  const hash = hashOf([target.id, ...hashes]);
  lastHash.set(target, { hashes, hash });
  return hash;
}

/** Whether a target's outputs are those of its inputs as they are now. While they are not, nothing reads them. */
export function isFresh(world: World, target: Target, seen: ReadonlySet<TargetId> = new Set()): boolean {
  const state = world.targets.get(target.id);
  if (target.continuous) return state !== undefined && isUpToDate(world, target, state);
  if (state?.madeFrom === undefined || state.madeFrom !== targetInputsHash(target, world.disk)) return false;
  for (const running of world.running.values()) {
    if (running.step.kind === 'runTarget' && running.step.target === target.id) return false;
  }
  if (!state.outputs.every(([path, entry]) => entryAt(world.disk, path)?.hash === entry?.hash)) return false;
  return target.dependsOn.every((id) => {
    const lower = world.workspace?.targets.get(id);
    return !lower || seen.has(id) || isFresh(world, lower, new Set([...seen, target.id]));
  });
}

/** A target that watches and has said nothing for so long after an edit has nothing to do for it. esbuild looks at each file every two seconds. */
export const unansweredMs = 3000;

/**
 * While a continuous target has not answered an edit, its outputs are not read: a build that fails may begin by removing them. Its failure
 * stands until a build goes well.
 */
function isUpToDate(world: World, target: Target, { run, madeFrom, outputs }: TargetState): boolean {
  if (run === undefined || !world.running.has(run) || world.failures.has(`watchTarget:${target.id}`)) return false;
  const answered = madeFrom === targetInputsHash(target, world.disk) || world.now - world.noticedAt >= unansweredMs;
  return answered && outputs.every(([path, entry]) => entryAt(world.disk, path)?.hash === entry?.hash);
}

let lastVisible: { readonly disk: DirEntry; readonly targets: World['targets']; readonly tree: DirEntry } | undefined;

/** The disk with every target's outputs as its last good run left them, so that an emptied `dist/` is never looked at. */
export function visibleTree(world: World): DirEntry {
  if (world.targets.size === 0) return world.disk;
  if (lastVisible?.disk === world.disk && lastVisible.targets === world.targets) return lastVisible.tree;
  const outputs = [...world.targets.values()].flatMap((target) => target.outputs);
  const tree = outputs.length === 0 ? world.disk : withEntries(world.disk, outputs);
  lastVisible = { disk: world.disk, targets: world.targets, tree };
  return tree;
}

/** The targets of an artifact whose outputs must not be read now. */
export function staleTargets(world: World, artifact: Artifact): readonly Target[] {
  return artifact.targets.flatMap((id) => {
    const target = world.workspace?.targets.get(id);
    return target && !isFresh(world, target) ? [target] : [];
  });
}

export function isOutputOf(target: Target, path: WorkspacePath): boolean {
  return target.outputs.some((output) => path === output || path.startsWith(`${output}/`));
}

/** Whether what is taken from a path has something of a target's outputs: the path lies in one, or has one below it. */
export function hasOutputsOf(target: Target, path: WorkspacePath): boolean {
  return isOutputOf(target, path) || target.outputs.some((output) => path === '' || output.startsWith(`${path}/`));
}

/** Whether a path of the container is made, or might be, from a target's outputs. */
export function landsFrom(artifact: Artifact, target: Target, containerPath: string): boolean {
  return artifact.inputs.some((input) => {
    const path = takenFrom(input, containerPath);
    return path !== undefined && hasOutputsOf(target, path);
  });
}
