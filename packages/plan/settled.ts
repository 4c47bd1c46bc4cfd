import type { Artifact, ArtifactName, Release, ReleaseName, RunningStep, Workspace, World } from '../model';
import { grouped } from './grouped';
import { Reach } from './reach';
import { visibleTree } from './targets';

/**
 * The artifacts and releases of which something was found to be so, in a world, and to which nothing has happened since: it is so still,
 * and need not be looked at again. Only a cache, kept from one call to the next: what is asked of a world never depends on it.
 */
export class Settled {
  private last: World | undefined;
  private readonly artifacts = new Set<ArtifactName>();
  private readonly releases = new Set<ReleaseName>();

  /** Forgets what another world may say otherwise of. To be called before each use. */
  follow(world: World): void {
    const { last } = this;
    this.last = world;
    if (!last || last === world) return;
    const touched = touchedBetween(last, world);
    if (!touched) {
      this.artifacts.clear();
      this.releases.clear();
      return;
    }
    for (const name of touched.artifacts) this.artifacts.delete(name);
    for (const name of touched.releases) this.releases.delete(name);
  }

  hasArtifact(name: ArtifactName): boolean {
    return this.artifacts.has(name);
  }

  hasRelease(name: ReleaseName): boolean {
    return this.releases.has(name);
  }

  addArtifact(name: ArtifactName): void {
    this.artifacts.add(name);
  }

  addRelease(name: ReleaseName): void {
    this.releases.add(name);
  }
}

interface Touched {
  readonly artifacts: Set<ArtifactName>;
  readonly releases: Set<ReleaseName>;
}

/** What is not in both of two worlds alike; undefined when that may be anything. */
function touchedBetween(before: World, after: World): Touched | undefined {
  const { workspace } = after;
  if (!workspace || before.workspace !== workspace || before.goal !== after.goal || before.scanned !== after.scanned) return undefined;
  if (before.failures !== after.failures || before.targets !== after.targets) return undefined;

  const artifacts = new Set<ArtifactName>();
  const releases = new Set<ReleaseName>();
  const places = placesOf(workspace);
  places.artifacts.collectTouched(visibleTree(before), visibleTree(after), artifacts);
  places.releases.collectTouched(before.disk, after.disk, releases);
  collectDifferent(before.artifacts, after.artifacts, (name) => artifacts.add(name));
  collectDifferent(before.containers, after.containers, (id) => {
    for (const { containers } of [before, after]) {
      const artifact = containers.get(id)?.seen.artifact;
      if (artifact !== undefined) artifacts.add(artifact);
    }
  });
  collectDifferent(before.releases, after.releases, (name) => {
    releases.add(name);
    // An artifact's image may be the one that its release runs.
    for (const artifact of workspace.releases.get(name)?.artifacts ?? []) artifacts.add(artifact);
  });
  // What runs keeps other steps from being started, so both its beginning and its end count, and all between.
  for (const world of [before, after])
    for (const running of world.running.values()) collectSubject(running, world, { artifacts, releases });
  for (const name of artifacts) for (const user of places.usersOf.get(name) ?? []) artifacts.add(user.name);
  for (const name of artifacts) for (const release of places.releasesOf.get(name) ?? []) releases.add(release.name);
  return { artifacts, releases };
}

/** The keys of what two maps do not hold alike. They nearly always have the same keys in the same order, as one was made from the other. */
function collectDifferent<V>(before: ReadonlyMap<string, V>, after: ReadonlyMap<string, V>, collect: (key: string) => void): void {
  if (before === after) return;
  const others = before.entries();
  let haveSameKeys = before.size === after.size;
  for (const [key, value] of after) {
    const other = others.next();
    const isSameKey = other.done !== true && other.value[0] === key;
    haveSameKeys &&= isSameKey;
    if ((isSameKey ? other.value[1] : before.get(key)) !== value) collect(key);
  }
  if (!haveSameKeys) for (const key of before.keys()) if (!after.has(key)) collect(key);
}

function collectSubject({ step }: RunningStep, world: World, { artifacts, releases }: Touched): void {
  switch (step.kind) {
    case 'lookUp':
    case 'build':
    case 'deliver':
      artifacts.add(step.artifact);
      return;
    case 'apply':
    case 'runHooks':
    case 'remove':
      releases.add(step.release);
      return;
    case 'connect':
    case 'sync':
    case 'reload': {
      const container = world.containers.get(step.container);
      if (container) artifacts.add(container.seen.artifact);
      return;
    }
    case 'runTarget':
    case 'watchTarget':
      // What is made of it is asked for at every turn.
      return;
  }
}

interface Places {
  readonly artifacts: Reach<ArtifactName>;
  readonly releases: Reach<ReleaseName>;
  readonly releasesOf: ReadonlyMap<ArtifactName, readonly Release[]>;
  /** The artifacts that stand on one. */
  readonly usersOf: ReadonlyMap<ArtifactName, readonly Artifact[]>;
}

const knownPlaces = new WeakMap<Workspace, Places>();

function placesOf(workspace: Workspace): Places {
  let places = knownPlaces.get(workspace);
  if (!places) {
    places = {
      artifacts: reachOf(workspace.artifacts.values()),
      releases: reachOf(workspace.releases.values()),
      releasesOf: grouped(workspace.releases.values(), ({ artifacts }) => artifacts),
      usersOf: grouped(workspace.artifacts.values(), ({ requires }) => requires),
    };
    knownPlaces.set(workspace, places);
  }
  return places;
}

function reachOf(owners: Iterable<Artifact | Release>): Reach<string> {
  const reach = new Reach<string>();
  for (const { name, inputs } of owners) for (const { path } of inputs) reach.add(name, path);
  return reach;
}
