import {
  emptyDir,
  entryAt,
  segments,
  type Artifact,
  type ArtifactName,
  type ContainerPath,
  type DirEntry,
  type Entry,
  type Input,
  type Snapshot,
  type WorkspacePath,
} from '../model';
import { hashOf, stableJson } from './hash';
import { overlay, select } from './select';

interface Remembered {
  readonly selected: readonly (Entry | undefined)[];
  readonly bases: string;
  readonly snapshot: Snapshot;
}

const lastSnapshot = new WeakMap<Artifact, Remembered>();
const fixedHashes = new WeakMap<Artifact, { readonly recipe: string; readonly layout: string }>();

function fixedHashesOf(artifact: Artifact): { readonly recipe: string; readonly layout: string } {
  let hashes = fixedHashes.get(artifact);
  if (!hashes) {
    const layout = artifact.inputs.map(
      (input) =>
        `${input.path} ${input.containerPath ?? ''} ${input.onChange} ${String(input.mode ?? '')}${input.onlySynced ? ' only' : ''}`,
    );
    hashes = { recipe: stableJson(artifact.recipe), layout: hashOf(layout) };
    fixedHashes.set(artifact, hashes);
  }
  return hashes;
}

/** Whether the same files give the same image, and land in the same places: of what one artifact was and is. */
export function isMadeAlike(one: Artifact, other: Artifact): boolean {
  const [{ recipe, layout }, is] = [fixedHashesOf(one), fixedHashesOf(other)];
  return recipe === is.recipe && layout === is.layout && one.requires.join() === other.requires.join();
}

/** The state of an artifact's sources in a tree of the workspace. The same object as last time when nothing it takes has changed. */
export function snapshotOf(artifact: Artifact, tree: DirEntry, bases: Readonly<Record<ArtifactName, string>>): Snapshot {
  const basesText = artifact.requires.length === 0 ? '' : stableJson(bases);
  const before = lastSnapshot.get(artifact);
  if (before?.bases === basesText && artifact.inputs.every((input, index) => select(tree, input) === before.selected[index]))
    return before.snapshot;

  const selected = artifact.inputs.map((input) => select(tree, input));
  const fixed = fixedHashesOf(artifact);
  let sources = emptyDir;
  let containerTree = emptyDir;
  let imageTree = emptyDir;
  const hasSyncedOnly = artifact.inputs.some((input) => input.onlySynced === true);
  const rebuildParts = [fixed.recipe, basesText];
  artifact.inputs.forEach((input, index) => {
    const entry = selected[index];
    if (input.onChange === 'rebuild') rebuildParts.push(input.path, entry?.hash ?? 'absent');
    if (!entry) return;
    if (!input.onlySynced) sources = overlay(sources, segments(input.path), entry);
    if (input.onChange !== 'sync' || input.containerPath === undefined) return;
    containerTree = overlay(containerTree, segments(input.containerPath), entry);
    if (hasSyncedOnly && !input.onlySynced) imageTree = overlay(imageTree, segments(input.containerPath), entry);
  });
  const snapshot: Snapshot = {
    inputsHash: hashOf([fixed.recipe, basesText, fixed.layout, sources.hash]),
    rebuildHash: hashOf(rebuildParts),
    layoutHash: fixed.layout,
    sources,
    tree: containerTree,
    ...(hasSyncedOnly && { imageTree }),
  };
  lastSnapshot.set(artifact, { selected, bases: basesText, snapshot });
  return snapshot;
}

/** The path below `base` that `path` is, or undefined when it is not at or below it. */
function below(base: string, path: string): string | undefined {
  const trimmed = withoutLastSlashes(base);
  if (trimmed === '' || trimmed === path) return trimmed === path ? '' : path.replace(/^\//, '');
  return path.startsWith(`${trimmed}/`) ? path.slice(trimmed.length + 1) : undefined;
}

/** Every saved file is compared with every input: most have nothing to be taken away. */
function withoutLastSlashes(path: string): string {
  return path.endsWith('/') ? path.replace(/\/+$/, '') : path;
}

function joined(base: string, rest: string): string {
  const trimmed = withoutLastSlashes(base);
  if (rest === '') return trimmed === '' && base.startsWith('/') ? '/' : trimmed;
  return base === '' ? rest : `${trimmed}/${rest}`;
}

/** The file of the workspace that a path of the container is copied from: the last input wins, as in the image. */
export function sourceOf(artifact: Artifact, tree: DirEntry, containerPath: ContainerPath): WorkspacePath | undefined {
  return sourceWithInput(artifact, tree, containerPath)?.path;
}

/** As `sourceOf`, with the input that takes it. */
export function sourceWithInput(
  artifact: Artifact,
  tree: DirEntry,
  containerPath: ContainerPath,
): { readonly path: WorkspacePath; readonly input: Input } | undefined {
  for (let index = artifact.inputs.length - 1; index >= 0; index -= 1) {
    const input = artifact.inputs[index];
    const path = input?.onChange === 'sync' ? takenFrom(input, containerPath) : undefined;
    if (!input || path === undefined) continue;
    const entry = entryAt(select(tree, input), below(input.path, path) ?? '');
    if (entry && entry.kind !== 'dir') return { path, input };
  }
  return undefined;
}

/** Where a path of the workspace lands by one input, or undefined when the input does not take it. */
export function landingOf(input: Input, path: WorkspacePath): { readonly containerPath: ContainerPath | undefined } | undefined {
  const rest = below(input.path, path);
  if (rest === undefined || (input.accepts && !input.accepts(path, 'file'))) return undefined;
  return { containerPath: input.containerPath === undefined ? undefined : joined(input.containerPath, rest) };
}

/** The path of the workspace that would land on a path of the container by one input, whether it exists or not. */
export function takenFrom(input: Input, containerPath: ContainerPath): WorkspacePath | undefined {
  const rest = input.containerPath === undefined ? undefined : below(input.containerPath, containerPath);
  return rest === undefined ? undefined : joined(input.path, rest);
}

/** The files that an image made from a snapshot brings along, by container path. */
export function imageTreeOf(snapshot: Snapshot): DirEntry {
  return snapshot.imageTree ?? snapshot.tree;
}
