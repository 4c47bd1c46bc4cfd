import type { Artifact, ArtifactName, SeenContainer, Snapshot, Workspace, World } from '../model';
import { snapshotOf, viewOf } from '../plan';
import type { ReleaseSighting } from '../status';

/** One workspace as two goals read it. */
export interface Readings {
  readonly dev: Workspace;
  readonly deployed: Workspace;
}

/**
 * A workspace as containers that run already are to hold it. `dev` may build another stage than `deploy` does: whichever reading of an
 * image fits what runs says which files it takes, and where; that of `dev` when both do. A file whose process would not notice it is
 * copied all the same: nobody builds an image for that.
 */
export class AttachedWorkspace {
  private readonly deployed = new Set<ArtifactName>();
  private current: Workspace | undefined;

  private latest: Readings;
  private readonly keepsRemoved: boolean;

  constructor({ dev, deployed, deletes }: Readings & { readonly deletes: boolean }) {
    this.latest = { dev, deployed };
    this.keepsRemoved = !deletes;
  }

  get readings(): Readings {
    return this.latest;
  }

  /** The workspace was read again. */
  read(readings: Readings): void {
    this.latest = readings;
    this.current = undefined;
  }

  /** Both readings, as they were read. */
  all(): readonly Workspace[] {
    return [this.readings.dev, this.readings.deployed];
  }

  /** The same object while nothing has changed. */
  workspace(): Workspace {
    const { dev } = this.readings;
    this.current ??= { ...dev, artifacts: new Map([...dev.artifacts.keys()].flatMap((name) => this.artifactOf(name))) };
    return this.current;
  }

  /** What the cluster shows, with images as the reading that fits them has it. */
  seen(sighting: ReleaseSighting, world: World): ReleaseSighting {
    for (const name of new Set(sighting.containers.map(({ artifact }) => artifact))) this.fit(name, sighting.containers, world);
    const containers = sighting.containers.map((container) => ({
      ...container,
      snapshot: this.retold(container.artifact, container.snapshot),
    }));
    if (sighting.live.state !== 'found') return { ...sighting, containers };
    const images = Object.fromEntries(
      Object.entries(sighting.live.value.images).map(([name, image]) => [name, { ...image, snapshot: this.retold(name, image.snapshot) }]),
    );
    return { ...sighting, containers, live: { state: 'found', value: { ...sighting.live.value, images } } };
  }

  private rawOf(name: ArtifactName): Artifact | undefined {
    const { dev, deployed } = this.readings;
    return (this.deployed.has(name) ? deployed : dev).artifacts.get(name) ?? dev.artifacts.get(name);
  }

  private artifactOf(name: ArtifactName): readonly (readonly [ArtifactName, Artifact])[] {
    const raw = this.rawOf(name);
    if (!raw) return [];
    const artifact = isRetold(raw) ? copying(raw) : raw;
    return [[name, this.keepsRemoved ? { ...artifact, keepsRemoved: true } : artifact]];
  }

  private fit(name: ArtifactName, containers: readonly SeenContainer[], world: World): void {
    const [dev = 0, deployed = 0] = this.all().map((workspace) => howWell(workspace, name, { containers, world }));
    if (deployed > dev === this.deployed.has(name)) return;
    if (deployed > dev) this.deployed.add(name);
    else this.deployed.delete(name);
    this.current = undefined;
  }

  /** A snapshot was taken of an image as it was read then; its sources say what another reading makes of them. */
  private retold(name: ArtifactName, snapshot: Snapshot | undefined): Snapshot | undefined {
    const raw = this.rawOf(name);
    if (!snapshot || !raw || !isRetold(raw)) return snapshot;
    // A copy, as the artifact itself remembers the disk.
    return { ...snapshotOf({ ...copying(raw) }, snapshot.sources, {}), inputsHash: snapshot.inputsHash };
  }
}

/** What an image stands on is part of its snapshot and in no file, so such a one stays as it was read. */
function isRetold({ inputs, requires }: Artifact): boolean {
  return requires.length === 0 && inputs.some(({ onlyForProcess }) => onlyForProcess === true);
}

function copying(artifact: Artifact): Artifact {
  return {
    ...artifact,
    inputs: artifact.inputs.map((input) => (input.onlyForProcess === true ? { ...input, onChange: 'sync' as const } : input)),
  };
}

/** 3 for the very sources, 2 for all that copying cannot bring, 1 for where files land. */
function howWell(
  workspace: Workspace,
  name: ArtifactName,
  { containers, world }: { readonly containers: readonly SeenContainer[]; readonly world: World },
): number {
  const artifact = workspace.artifacts.get(name);
  if (!artifact) return 0;
  const { now } = viewOf({ ...world, workspace }, artifact);
  const scores = containers
    .filter(({ artifact: other }) => other === name)
    .map(({ inputsHash, snapshot }) => {
      if (inputsHash === now.inputsHash) return 3;
      if (snapshot?.rebuildHash === now.rebuildHash) return 2;
      return snapshot?.layoutHash === now.layoutHash ? 1 : 0;
    });
  return Math.max(0, ...scores);
}
