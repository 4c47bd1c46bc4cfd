import { performance } from 'node:perf_hooks';
import { openWatcher } from '../clients';
import { namespacesOf } from '../deploy';
import type { RunInPod } from '../forward';
import {
  placesOfTaughtKinds,
  shareWatches,
  watchRelease,
  type ReleaseFollowing,
  type ReleaseSighting,
  type WatchedKube,
  type WatchReleaseRequest,
} from '../status';
import { openSource, type Scope, type Source } from '../source';
import {
  leavesOf,
  type ContainerState,
  type DirEntry,
  type Entry,
  type Goal,
  type ReleaseName,
  type Report,
  type Result,
  type SeenContainer,
  type Snapshot,
  type Workspace,
  type WorkspacePath,
  type World,
} from '../model';
import type { ArtifactView } from '../plan';
import { ClusterTrouble } from './clusterTrouble';
import { openLoop, type Loop, type Turn } from './converge';
import type { Difference } from './containerSteps';
import { Effects } from './effects';
import { fieldPlace } from './fieldPlace';
import { Narrator } from './narrator';
import type { ReleaseWatching } from './releaseSteps';
import { scopeFor } from './scope';
import { namespaceOf, type Session } from './session';

export interface RunOptions {
  readonly session: Session;
  readonly goal: Goal;
  readonly report: Report;
  /** Whether the disk is watched after it was read once. */
  readonly watch: boolean;
  /** Tells people what turns did. Absent: it is reported. */
  readonly narrate?: (turn: Turn) => void;
  readonly onTurn?: (turn: Turn) => void;
  /** Something was changed in a container, after which its process may start again. */
  readonly onWritten?: (seen: SeenContainer, run: RunInPod) => void;
  /** The workspace is not among the facts, so nothing is planned: for looking only. */
  readonly listenOnly?: boolean;
  /** The cluster is not watched before `follow` is called. */
  readonly followLater?: boolean;
  /** What the cluster shows of a release, as the loop is to see it. */
  readonly seenAs?: (sighting: ReleaseSighting, world: World) => ReleaseSighting;
  /** Finds the containers of a release in another way than by its labels; undefined where its labels will do. */
  readonly watchContainers?: (
    release: ReleaseName,
    found: { readonly kube: WatchedKube; readonly world: World; readonly onSeen: WatchReleaseRequest['onSeen'] },
  ) => { stop(): void } | undefined;
  /** How long the disk is to be quiet before what changed is looked at. */
  readonly quietMs?: number;
  /**
   * Called before facts about these files are taken, so that what the workspace says is read anew first. What it gives is called
   * together with the files' own fact, so that the loop never sees one without the other.
   */
  readonly beforeFiles?: (paths: readonly WorkspacePath[]) => Promise<() => void> | undefined;
}

/** A loop with everything that feeds it: the disk, the cluster's watches, and the effects of its steps. */
export interface Run {
  readonly loop: Loop;
  readonly source: Source;
  /** What everything of this run watches the cluster by: equal watches are one connection. */
  readonly kube: WatchedKube | undefined;
  /** What the loop's clock says, also of a loop in which nothing has happened for a while. */
  now(): number;
  /** Reads the files of a scope, and those alone from now on. Resolves when the loop knows all of them. */
  read(scope: Scope): Promise<void>;
  /** Follows the goal's releases in the cluster, as a workspace has them; those of another goal too, when it is called again. */
  follow(goal: Goal, workspace: Workspace): void;
  /** What a container holds, asked now. */
  look(seen: SeenContainer): Promise<{ readonly agent: string; readonly files: DirEntry } | undefined>;
  /** Remembers what an image was made from while this runs. */
  know(snapshot: Snapshot): void;
  /** Where a container really differs from what it should hold. */
  compare(container: ContainerState, view: ArtifactView): Promise<Result<readonly Difference[]>>;
  close(): Promise<void>;
}

export async function openRun(options: RunOptions): Promise<Run> {
  const { session, goal, report, watch, onTurn, beforeFiles, watchContainers, seenAs, listenOnly = false, followLater = false } = options;
  const startedAt = performance.now();
  const now = (): number => performance.now() - startedAt;
  const watching: ReleaseWatching = {
    isOfSession: watch,
    // Objects of kinds that a cluster was taught have a say in whether a release is ready; which kinds those are is known when they are applied.
    async onApplied(release, objects, appliedAt) {
      const places = await placesOfTaughtKinds(session.kube, objects, namespaceOf(session, release));
      const following = watches.get(release.name);
      await following?.follow?.(places);
      following?.expect?.(objects, appliedAt);
    },
    seen: (release, ref) => watches.get(release)?.seen?.(ref),
  };
  const effects = new Effects(session, report, (fact) => loop.post(fact), now, options.onWritten ?? (() => undefined), watching);
  const narrator = options.narrate ? undefined : new Narrator(0);
  const loop = openLoop({
    run: async (step, context) => {
      const outcome = await effects.run(step, context);
      // Containers may run that image already, as those of another clone do: nothing about them changes by which they would be seen again.
      if ('artifact' in step && (outcome.kind === 'lookedUp' || outcome.kind === 'built')) {
        for (const [name, following] of watches)
          if (context.world().workspace?.releases.get(name)?.artifacts.includes(step.artifact)) following.lookAgain?.();
      }
      return outcome;
    },
    now,
    onTurn: (turn) => {
      options.narrate?.(turn);
      for (const event of narrator?.tell(turn) ?? []) report(event);
      effects.containers.forget(turn.after);
      if (watch) effects.containers.pull(turn.after);
      onTurn?.(turn);
    },
  });
  const { workspace } = session.read;
  let queue: Promise<void> = Promise.resolve();
  const source = openSource({
    root: session.options.root,
    scope: scopeFor(workspace, goal, watch ? session.read : undefined),
    openWatcher: watch ? openWatcher : openNoWatcher,
    now,
    ...(options.quietMs !== undefined && { quietMs: options.quietMs }),
    onFacts: (entries, { scanned, at }) => {
      const post = (): void => loop.post({ kind: 'filesSeen', entries, scanned, at });
      // The first scan tells what the workspace was read from; a later one may find what was saved while its scope was chosen.
      const before = scannedBefore ? beforeFiles?.(entries.flatMap(([path, entry]) => pathsIn(path, entry))) : undefined;
      if (scanned) scannedBefore = true;
      if (queueIdle && !before) return post();
      queueIdle = false;
      const mine = (queue = queue.then(async () => {
        const postBefore = await before;
        postBefore?.();
        post();
      }));
      void mine.then(() => {
        if (queue === mine) queueIdle = true;
      });
    },
    onProblem: (problem) => report({ kind: 'notice', message: problem.message, ...(problem.hint !== undefined && { hint: problem.hint }) }),
  });
  let queueIdle = true;
  let scannedBefore = false;
  const watches = new Map<string, Pick<ReleaseFollowing, 'stop'> & Partial<ReleaseFollowing>>();
  const trouble = new ClusterTrouble(report);
  const kube: WatchedKube | undefined = session.kube && shareWatches(trouble.watchedOf(session.kube));
  const follow = (wanted: Goal, described: Workspace): void => {
    if (!kube || wanted.kind === 'built') return;
    for (const name of wanted.releases) {
      // The loop itself may not have been told of it before its next turn.
      const release = described.releases.get(name);
      if (!release || watches.has(name)) continue;
      const post = (sighting: ReleaseSighting): void => loop.post({ kind: 'releaseSeen', release: name, ...sighting });
      const other = watchContainers?.(name, { kube, world: loop.world(), onSeen: post });
      if (other) {
        watches.set(name, other);
        continue;
      }
      watches.set(
        name,
        watchRelease({
          kube,
          owner: { workspaceId: session.workspaceId, release: name },
          namespaces: namespacesOf(release, namespaceOf(session, release)),
          snapshotOf: effects.images.snapshotOf,
          // A dev may be joined by others.
          isOnly: !watch && wanted.releases.size === 1,
          keepsVolumes: session.options.keepVolumes === true,
          locate: async (object, fieldPath) => {
            const { workspace: now = workspace, releases } = loop.world();
            const live = releases.get(name)?.live;
            const images = live?.state === 'found' ? live.value.images : {};
            return fieldPlace({ session, workspace: now, release: now.releases.get(name) ?? release, images }, object, fieldPath);
          },
          onSeen: (sighting) => post(seenAs ? seenAs(sighting, loop.world()) : sighting),
        }),
      );
    }
  };

  loop.post({ kind: 'goalSet', goal });
  if (!listenOnly) loop.post({ kind: 'workspaceSeen', workspace });
  if (!followLater) follow(goal, workspace);
  await source.scan();
  return {
    loop,
    source,
    kube,
    now,
    async read(scope) {
      await source.setScope(scope);
      // A config among them is read anew before they are told.
      await queue;
    },
    follow,
    look: async (seen) => {
      const artifact = workspace.artifacts.get(seen.artifact);
      return artifact && effects.containers.look(seen, artifact);
    },
    know: (snapshot) => effects.images.know(snapshot),
    compare: (container, view) => effects.containers.compare(container, view),
    async close() {
      for (const one of watches.values()) one.stop();
      await source.close();
      await loop.close();
      await effects.close();
    },
  };
}

function openNoWatcher(): { add(): void; remove(): void; close(): Promise<void> } {
  return { add: () => undefined, remove: () => undefined, close: () => Promise.resolve() };
}

/** A folder that is new is told as one path, with all that is in it. */
function pathsIn(path: WorkspacePath, entry: Entry | undefined): readonly WorkspacePath[] {
  return entry?.kind === 'dir' ? [path, ...[...leavesOf(entry, path)].map(([leaf]) => leaf)] : [path];
}
