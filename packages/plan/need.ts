import {
  emptyDir,
  entryAt,
  type Artifact,
  type ArtifactName,
  type ArtifactState,
  type ContainerId,
  type ContainerPath,
  type ContainerState,
  type DeliveredImage,
  type DirEntry,
  type Goal,
  type Release,
  type ReleaseState,
  type Snapshot,
  type World,
} from '../model';
import { digestOfRef, inputDigestTag, nameOfRef } from '../tag';
import { grouped } from './grouped';
import { united } from './select';
import { imageTreeOf, snapshotOf } from './snapshot';
import { visibleTree } from './targets';

/** How long a container may be down after an edit before it gets a new image: nothing can be copied into it meanwhile. */
export const downTooLongMs = 5000;

/**
 * How long after its start a process may not yet watch the files it has read. What is written in that time is written once more
 * afterwards: `node --watch` reads a module first and watches it a little later, and a write between the two is never noticed.
 */
export const settlingMs = 2000;

/** Whether a container's process watches what it has read, as far as its age tells. */
export function isSettled(container: ContainerState, now: number): boolean {
  return container.runningSince !== undefined && now - container.runningSince >= settlingMs;
}

export const noArtifactState: ArtifactState = {
  lookedUp: { state: 'unknown' },
  lookedUpFor: undefined,
  built: undefined,
  image: undefined,
  stoppedOnce: false,
};

/** A session knows nothing of how the one before it ended, so it applies once; what is right already does not change by that. */
export const noReleaseState: ReleaseState = { revision: 0, live: { state: 'unknown' }, applied: undefined, uncertain: true };

export interface CurrentImage {
  readonly snapshot: Snapshot;
  readonly delivered: DeliveredImage;
  readonly leftToFinish: boolean;
}

/** What the plan knows of one artifact at one moment. */
export interface ArtifactView {
  readonly artifact: Artifact;
  readonly state: ArtifactState;
  /** Its sources now. While an image it stands on is not there, no image can be made of them; they can be copied all the same. */
  readonly now: Snapshot;
  readonly image: CurrentImage | undefined;
  /** Whether only an image of exactly the current files will do. */
  readonly exact: boolean;
}

/**
 * The image of an artifact: of this session, or, while it is only to run, the one that a release of an earlier session still runs.
 * Where images are made for others to pull, only the registry can say that one is there, and it gives it the tag of this run.
 */
function imageOf(world: World, artifact: Artifact): CurrentImage | undefined {
  const own = world.artifacts.get(artifact.name)?.image;
  if (own || !followsDisk(world.goal)) return own;
  for (const { name } of releasesOf(world, artifact.name)) {
    const live = world.releases.get(name)?.live;
    const image = live?.state === 'found' ? live.value.images[artifact.name] : undefined;
    if (image?.snapshot) return { snapshot: image.snapshot, delivered: { ref: image.ref, digest: '' }, leftToFinish: false };
  }
  return undefined;
}

/** What an image is to those that stand on it: its digest, else its content. Neither its tag nor the registry's name: the same image may have others. */
function identityOf({ snapshot, delivered }: CurrentImage): string {
  return digestOfRef(delivered.ref) ?? snapshot.inputsHash;
}

/** How a builder finds an image: by its content's tag, which is also what the engine knows it by, and its digest where there is one. */
export function contentRefOf({ snapshot, delivered }: CurrentImage): string {
  const digest = digestOfRef(delivered.ref);
  return `${nameOfRef(delivered.ref)}:${inputDigestTag(snapshot.inputsHash)}${digest === undefined ? '' : `@${digest}`}`;
}

/** The wanted releases that use an artifact. */
export function releasesOf(world: World, artifact: ArtifactName): readonly Release[] {
  return indexOf(world).releasesByArtifact.get(artifact) ?? [];
}

interface Index {
  readonly releasesByArtifact: ReadonlyMap<ArtifactName, readonly Release[]>;
  readonly required: ReadonlySet<ArtifactName>;
  readonly wanted: ReadonlySet<Artifact>;
}

let lastIndex: { readonly workspace: World['workspace']; readonly goal: World['goal']; readonly index: Index } | undefined;

function indexOf(world: World): Index {
  if (lastIndex?.workspace === world.workspace && lastIndex?.goal === world.goal) return lastIndex.index;
  const artifacts = [...(world.workspace?.artifacts.values() ?? [])];
  const releases = [...(world.workspace?.releases.values() ?? [])].filter(({ name }) => world.goal.releases.has(name));
  const index = {
    releasesByArtifact: grouped(releases, (release) => release.artifacts),
    required: new Set(artifacts.flatMap(({ requires }) => requires)),
    wanted: wantedIn(world),
  };
  lastIndex = { workspace: world.workspace, goal: world.goal, index };
  return index;
}

/** The goal's artifacts and, before them, those they stand on. */
export function wantedArtifacts(world: World): ReadonlySet<Artifact> {
  return indexOf(world).wanted;
}

function wantedIn({ workspace, goal }: World): ReadonlySet<Artifact> {
  const wanted = new Set<Artifact>();
  const add = (name: string): void => {
    const artifact = workspace?.artifacts.get(name);
    if (!artifact || wanted.has(artifact)) return;
    for (const base of artifact.requires) if (base !== name) add(base);
    wanted.add(artifact);
  };
  for (const name of goal.artifacts) add(name);
  return wanted;
}

type ContainersByArtifact = ReadonlyMap<ArtifactName, readonly ContainerState[]>;

let lastContainers: { readonly containers: World['containers']; readonly byArtifact: ContainersByArtifact } | undefined;

/** Containers by artifact. */
export function containersByArtifact({ containers }: World): ContainersByArtifact {
  if (lastContainers?.containers === containers) return lastContainers.byArtifact;
  const byArtifact = grouped(containers.values(), ({ seen }) => [seen.artifact]);
  lastContainers = { containers, byArtifact };
  return byArtifact;
}

/** Whether containers are kept in step with the disk. */
export function followsDisk({ kind }: Goal): boolean {
  return kind === 'live' || kind === 'attached';
}

/** Tries after which a path that a container does not take is left to a new image. */
const refusalAttempts = 3;

/** Where it is remembered that a container did not take some of its files, and when they are tried again. */
export function refusalKey(container: ContainerId): string {
  return `refused:${container}`;
}

/** Whether files can no longer be copied into a container although it would need some: only a new image helps. */
function needsNewImage(world: World, container: ContainerState, now: Snapshot): boolean {
  const holds = container.files ?? baseTree(container);
  if (holds.hash === now.tree.hash) return false;
  if (container.stoppedAt !== undefined && world.now - container.stoppedAt >= downTooLongMs) return true;
  const refusal = world.failures.get(refusalKey(container.seen.id));
  // What only a change here can mend, as a command that is to be run before files are copied, no image mends.
  if (refusal && refusal.attempts >= refusalAttempts && refusal.problem.retry !== 'whenInputChanges') return true;
  return takesNoFiles(world, container);
}

/** Whether nothing can be copied into a container, as it is made: every change of its files makes a new image. */
export function takesNoFiles(world: World, container: ContainerState): boolean {
  const retry = world.failures.get(`connect:${container.seen.id}`)?.problem.retry;
  return retry === 'whenInputChanges' || retry === 'never';
}

/** The containers that run the artifact's current image; those of an older one are about to be replaced. */
function runsCurrent(container: ContainerState, image: CurrentImage | undefined): boolean {
  return image !== undefined && container.seen.inputsHash === image.snapshot.inputsHash;
}

export function viewOf(world: World, artifact: Artifact, containers: readonly ContainerState[] = []): ArtifactView {
  const state = world.artifacts.get(artifact.name) ?? noArtifactState;
  const image = imageOf(world, artifact);
  const bases: Record<ArtifactName, string> = {};
  for (const base of artifact.requires) {
    const lower = world.workspace?.artifacts.get(base);
    const lowerImage = lower && imageOf(world, lower);
    bases[base] = lowerImage ? identityOf(lowerImage) : '';
  }
  const now = snapshotOf(artifact, visibleTree(world), bases);
  const isRequired = indexOf(world).required.has(artifact.name);
  const exact =
    !followsDisk(world.goal) ||
    isRequired ||
    releasesOf(world, artifact.name).length === 0 ||
    // Where nobody builds one, waiting for the container is all there is.
    (world.goal.kind === 'live' && containers.some((container) => runsCurrent(container, image) && needsNewImage(world, container, now)));
  return { artifact, state, now, image, exact };
}

/** Whether an image made from one snapshot serves the current one: equal where an image must be, and the rest can be copied in. */
export function suits(made: Snapshot, view: ArtifactView): boolean {
  if (view.exact) return made.inputsHash === view.now.inputsHash;
  return made.rebuildHash === view.now.rebuildHash && made.layoutHash === view.now.layoutHash;
}

/** Whether the images that an artifact stands on are those of its bases' current sources. */
export function basesSuit(world: World, view: ArtifactView): boolean {
  return view.artifact.requires.every((base) => {
    const lower = world.workspace?.artifacts.get(base);
    if (!lower) return true;
    const lowerView = viewOf(world, lower);
    return lowerView.image !== undefined && suits(lowerView.image.snapshot, lowerView) && basesSuit(world, lowerView);
  });
}

/** The tree that a container starts from: its image's syncable files. */
export function baseTree(container: ContainerState): ReturnType<typeof snapshotOf>['tree'] {
  return container.seen.snapshot ? imageTreeOf(container.seen.snapshot) : emptyDir;
}

/** What a container is to hold that holds a tree now: what is here, and with `keepsRemoved` also what is there already. */
export function wantedTree({ artifact, now }: ArtifactView, holds: DirEntry): DirEntry {
  return artifact.keepsRemoved === true ? united(holds, now.tree) : now.tree;
}

/** The files that a reloader may have missed; those that are gone again cannot be written once more. */
export function unsettledPaths(view: ArtifactView, container: ContainerState): readonly ContainerPath[] {
  if (container.unsettled.size === 0) return [];
  return [...container.unsettled].filter((path) => {
    const entry = entryAt(view.now.tree, path);
    return entry !== undefined && entry.kind !== 'dir';
  });
}
