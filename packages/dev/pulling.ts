import { setTimeout as pause } from 'node:timers/promises';
import type { Kube } from '../clients';
import { landingBy } from '../graph';
import {
  entryAt,
  withEntries,
  type Artifact,
  type ContainerId,
  type ContainerPath,
  type ContainerState,
  type ContentDigest,
  type Entry,
  type Fact,
  type FileEntry,
  type Problem,
  type Report,
  type SeenContainer,
  type WorkspacePath,
  type World,
} from '../model';
import { imageTreeOf, sourceOf, visibleTree } from '../plan';
import { readWatched, watchFiles, type LedgerEntry, type WatchedFile, type WatchedFiles } from '../sync';
import { decidePull, type PullDecision } from './decidePull';
import { failedEvent } from './narrator';
import { PulledFiles } from './pulledFiles';

export interface PullingRequest {
  readonly root: string;
  readonly kube: Pick<Kube, 'exec'>;
  readonly report: Report;
  readonly post: (fact: Fact) => void;
  /** The loop's clock. */
  readonly now: () => number;
}

/** What has just been connected, before anything is brought there. */
export interface JustConnected {
  readonly seen: SeenContainer;
  readonly artifact: Artifact;
  readonly ledger: readonly LedgerEntry[];
  readonly world: World;
  readonly signal: AbortSignal;
}

/** A container whose files are pulled. */
interface Pulled {
  readonly seen: SeenContainer;
  readonly artifact: Artifact;
  readonly ending: AbortController;
  latest: WatchedFiles;
  /** Something could not be decided yet. */
  again: boolean;
  taking: Promise<unknown>;
}

/** One file that a pull names, as it was seen in a container. */
interface Candidate {
  readonly path: ContainerPath;
  readonly file: WatchedFile;
  readonly to: WorkspacePath;
  readonly within: WorkspacePath;
}

interface Decided extends Candidate {
  readonly decision: PullDecision;
  readonly here: ContentDigest | undefined;
  /** What the last sync left there, by its hash. */
  readonly synced: string | undefined;
}

interface Fetched extends Decided {
  readonly bytes: Uint8Array;
}

const largestBytes = 32 * 1024 * 1024;
const readAtOnce = 8;
const namedPaths = 5;
const reopenMs = 2000;

/**
 * Brings files that containers make into the workspace. What comes in is told to the loop in one turn, as a fact of the disk and of the container
 * alike, so nothing is sent back; where an image is made from it, it is a change like any other.
 */
export class Pulling {
  private readonly files: PulledFiles;
  private readonly pulled = new Map<ContainerId, Pulled>();
  /** What containers held when they were last looked at. */
  private readonly before = new Map<ContainerId, Map<ContainerPath, ContentDigest>>();
  private readonly told = new Set<string>();
  private world: World | undefined;

  constructor(private readonly request: PullingRequest) {
    this.files = new PulledFiles(request.root);
  }

  /** Pulls what a container has made while nobody was connected: else older files would be brought over it. Says what it holds that is here as well. */
  async first({ seen, artifact, ledger, world, signal }: JustConnected): Promise<readonly LedgerEntry[]> {
    const places = placesOf(artifact);
    if (places.length === 0) return [];
    let looked: WatchedFiles = new Map();
    const onSeen = (files: WatchedFiles): void => void (looked = files);
    const answer = await watchFiles({ kube: this.request.kube, container: seen, places, once: true, onSeen, signal });
    if (!answer.ok) {
      this.tell(answer.problem, artifact);
      return [];
    }
    const brought = new Map(ledger.map(([path, entry]) => [path, digestOf(entry ?? undefined)]));
    return this.take({ seen, artifact, signal }, looked, { world: () => world, brought, isSettled: () => true });
  }

  /** Looks at all containers that are connected now, as long as they are. */
  follow(world: World): void {
    this.world = world;
    for (const [id, pulled] of this.pulled) {
      const container = world.containers.get(id);
      if (container?.agent.state !== 'connected' || world.workspace?.artifacts.get(pulled.artifact.name)?.pulls !== pulled.artifact.pulls) {
        this.pulled.delete(id);
        pulled.ending.abort();
      } else if (pulled.again && container.inFlight.length === 0) this.takeLatest(pulled);
    }
    for (const id of this.before.keys()) if (!world.containers.has(id)) this.before.delete(id);
    for (const [id, { seen, agent }] of world.containers) {
      const artifact = world.workspace?.artifacts.get(seen.artifact);
      if (agent.state !== 'connected' || !artifact?.pulls || this.pulled.has(id)) continue;
      const pulled: Pulled = {
        seen,
        artifact,
        ending: new AbortController(),
        latest: new Map(),
        again: false,
        taking: Promise.resolve(),
      };
      this.pulled.set(id, pulled);
      void this.watch(pulled);
    }
  }

  close(): void {
    for (const { ending } of this.pulled.values()) ending.abort();
    this.pulled.clear();
  }

  private async watch(pulled: Pulled): Promise<void> {
    const { seen, artifact, ending } = pulled;
    const { signal } = ending;
    const onSeen = (files: WatchedFiles): void => {
      pulled.latest = files;
      this.takeLatest(pulled);
    };
    while (!signal.aborted) {
      const ended = await watchFiles({ kube: this.request.kube, container: seen, places: placesOf(artifact), once: false, onSeen, signal });
      if (!ended.ok && ended.problem.code !== 'aborted' && ended.problem.retry !== 'afterDelay') {
        this.tell(ended.problem, artifact);
        return;
      }
      // A pause that is ended too early throws.
      await pause(reopenMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  private takeLatest(pulled: Pulled): void {
    const { seen, artifact, ending } = pulled;
    pulled.again = false;
    pulled.taking = pulled.taking.then(async () => {
      const stateOf = (): ContainerState | undefined => this.world?.containers.get(seen.id);
      const isSettled = (path: ContainerPath, synced: string | undefined): boolean => {
        const { files, sent } = stateOf() ?? {};
        const now = entryAt(files, path)?.hash;
        return files !== undefined && now === entryAt(sent, path)?.hash && now === synced;
      };
      const world = (): World | undefined => this.world;
      const postponed = (): void => void (pulled.again = true);
      await this.take({ seen, artifact, signal: ending.signal }, pulled.latest, { world, isSettled, postponed });
    });
  }

  private async take(
    { seen, artifact, signal }: Pick<JustConnected, 'seen' | 'artifact' | 'signal'>,
    looked: WatchedFiles,
    how: {
      readonly world: () => World | undefined;
      /** By the container's ledger. */
      readonly brought?: ReadonlyMap<ContainerPath, ContentDigest | undefined>;
      /** Nothing is on its way to a path, and nothing came there since. */
      readonly isSettled: (path: ContainerPath, synced: string | undefined) => boolean;
      readonly postponed?: () => void;
    },
  ): Promise<readonly LedgerEntry[]> {
    const before = this.before.get(seen.id) ?? new Map<ContainerPath, ContentDigest>();
    this.before.set(seen.id, before);
    const decided: Decided[] = [];
    for (const candidate of candidatesIn(artifact, looked)) {
      const here = this.files.digestOf({ path: candidate.to, within: candidate.within });
      if (!here.ok) this.tell(here.problem, artifact);
      else decided.push(this.decide(candidate, { seen, here: here.value, before, how }));
    }
    const wanted = decided.filter(({ decision }) => decision !== 'keep');
    for (const { decision, path, file } of decided) if (decision === 'keep') before.set(path, file.digest);
    const { fetched, tooLarge } = await this.fetch(wanted, { seen, artifact, signal });
    if (fetched.length + tooLarge.length < wanted.length) how.postponed?.();
    if (signal.aborted) return [];
    // Read no more until it is another one.
    for (const { path, file } of tooLarge) before.set(path, file.digest);

    // From here on nothing else happens meanwhile.
    const came: (readonly [Candidate, FileEntry])[] = [];
    let bytes = 0;
    for (const each of fetched) {
      const { path, to, file, synced } = each;
      if (!how.isSettled(path, synced)) {
        how.postponed?.();
        continue;
      }
      if (each.decision === 'conflict') this.setAside(each, { seen, artifact });
      else {
        const written = this.files.write({ ...each, path: to, executable: file.executable }, each.here);
        if (!written.ok) this.tell(written.problem, artifact);
        else if (!written.value) {
          how.postponed?.();
          continue;
        } else {
          came.push([each, written.value]);
          bytes += each.bytes.length;
          this.files.remember(to, file.digest);
        }
      }
      before.set(path, file.digest);
    }
    const same = decided.filter(({ here, file }) => here === file.digest);
    for (const { to, file } of same) this.files.remember(to, file.digest);
    return this.tellLoop({ seen, artifact, world: how.world() }, came, { same, bytes });
  }

  private decide(
    candidate: Candidate,
    {
      seen,
      here,
      before,
      how,
    }: {
      readonly seen: SeenContainer;
      readonly here: ContentDigest | undefined;
      readonly before: ReadonlyMap<ContainerPath, ContentDigest>;
      readonly how: { readonly world: () => World | undefined; readonly brought?: ReadonlyMap<ContainerPath, ContentDigest | undefined> };
    },
  ): Decided {
    const { path, file, to } = candidate;
    const synced = entryAt(how.world()?.containers.get(seen.id)?.files, path);
    const { snapshot } = seen;
    const brought = [
      how.brought?.get(path),
      digestOf(snapshot && entryAt(snapshot.sources, to)),
      digestOf(snapshot && entryAt(imageTreeOf(snapshot), path)),
      digestOf(synced),
    ].flatMap((digest) => digest ?? []);
    const decision = decidePull({
      there: file.digest,
      here,
      pulled: this.files.lastOf(to),
      brought,
      before: before.get(path),
      synced: digestOf(synced),
    });
    return { ...candidate, decision, here, synced: synced?.hash };
  }

  /** Without those that are something else by now. */
  private async fetch(
    wanted: readonly Decided[],
    { seen, artifact, signal }: Pick<JustConnected, 'seen' | 'artifact' | 'signal'>,
  ): Promise<{ readonly fetched: readonly Fetched[]; readonly tooLarge: readonly Decided[] }> {
    const fetched: Fetched[] = [];
    const tooLarge: Decided[] = [];
    for (let at = 0; at < wanted.length && !signal.aborted; at += readAtOnce) {
      const some = wanted.slice(at, at + readAtOnce);
      const place = { kube: this.request.kube, container: seen, signal };
      const read = await Promise.all(some.map((each) => readWatched(place, each.path, each.file, largestBytes)));
      for (const [index, each] of some.entries()) {
        const answer = read[index];
        if (answer?.ok !== true) continue;
        if (answer.value === 'tooLarge') {
          this.tell(isTooLarge(each.path), artifact);
          tooLarge.push(each);
        } else if (answer.value) fetched.push({ ...each, bytes: answer.value });
      }
    }
    return { fetched, tooLarge };
  }

  /** In one turn: a loop that knew of one side alone would bring the older file over the newer one. */
  private tellLoop(
    { seen, artifact, world }: { readonly seen: SeenContainer; readonly artifact: Artifact; readonly world: World | undefined },
    came: readonly (readonly [Candidate, FileEntry])[],
    { same, bytes }: { readonly same: readonly Candidate[]; readonly bytes: number },
  ): readonly LedgerEntry[] {
    const { post, report, now } = this.request;
    const entries = came.map(([{ to }, entry]) => [to, entry] as const);
    const tree = world && withEntries(visibleTree(world), entries);
    // What is of no input of the image is none of the loop's: it would take it away.
    const isInput = ({ path, to }: Candidate): boolean => tree !== undefined && sourceOf(artifact, tree, path) === to;
    const holds = came.flatMap(([candidate, entry]) => (isInput(candidate) ? [[candidate.path, entry] as const] : []));
    const alike = same.flatMap((candidate): readonly (readonly [ContainerPath, Entry])[] => {
      const entry = tree && entryAt(tree, candidate.to);
      return digestOf(entry) === candidate.file.digest && entry && isInput(candidate) ? [[candidate.path, entry]] : [];
    });
    if (came.length > 0) {
      post({ kind: 'filesSeen', entries, scanned: false, at: now() });
      if (holds.length > 0) post({ kind: 'contentSeen', container: seen.id, holds });
      report({
        kind: 'pulled',
        artifact: artifact.name,
        pod: seen.pod,
        container: seen.container,
        files: came.length,
        paths: entries.slice(0, namedPaths).map(([path]) => path),
        bytes,
      });
    }
    return [...holds, ...alike];
  }

  private setAside({ to, bytes }: Fetched, { seen, artifact }: { readonly seen: SeenContainer; readonly artifact: Artifact }): void {
    const aside = this.files.setAside(to, bytes);
    this.tell(aside.ok ? bothChanged(to, seen, aside.value) : aside.problem, artifact);
  }

  /** Once for what is the same. */
  private tell(problem: Problem, { name, project }: Artifact): void {
    if (this.told.has(problem.message)) return;
    this.told.add(problem.message);
    this.request.report(failedEvent({ ...problem, project }, name));
  }
}

function placesOf({ pulls = [] }: Artifact): readonly { readonly path: ContainerPath; readonly depth: number }[] {
  return pulls.map(({ from, depth }) => ({ path: from, depth }));
}

/** Where two pulls name a file, the first one has it. */
function candidatesIn({ pulls = [] }: Artifact, looked: WatchedFiles): readonly Candidate[] {
  const landings = pulls.map((pull) => ({ within: pull.within, landing: landingBy(pull) }));
  return [...looked].flatMap(([path, file]): readonly Candidate[] => {
    for (const { within, landing } of landings) {
      const to = landing(path);
      if (to !== undefined) return [{ path, file, to, within }];
    }
    return [];
  });
}

function digestOf(entry: Entry | undefined): ContentDigest | undefined {
  return entry?.kind === 'file' ? entry.digest : undefined;
}

function isTooLarge(path: ContainerPath): Problem {
  return {
    code: 'pullRefused',
    message: `${path} is not pulled: it has more than ${String(largestBytes / 1024 / 1024)} MB`,
    hint: 'narrow sync.pull, or have the container make less of it',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

function bothChanged(to: WorkspacePath, { pod }: SeenContainer, aside: WorkspacePath): Problem {
  return {
    code: 'pullConflict',
    message: `${to} was changed here and in ${pod}: yours stays, and theirs is kept as ${aside}`,
    hint: 'copy what you want of theirs into yours; without a file of yours, theirs is pulled',
    retry: 'whenInputChanges',
    exitCode: 1,
    location: { file: to },
  };
}
