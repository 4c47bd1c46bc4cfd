import type { Engine } from '../clients';
import type { ArtifactName, BuiltImage } from '../model';

/** Images that this process has made in the engine: of each artifact the newest is of use, and those before it are removed. */
export class SupersededImages {
  private readonly made = new Map<ArtifactName, Set<string>>();

  constructor(private readonly engine: Pick<Engine, 'remove'>) {}

  /** Where a new image has been delivered, nobody needs what it takes the place of. What cannot be removed, as a container runs from it, is tried again. */
  async delivered(artifact: ArtifactName, { location, ref }: BuiltImage): Promise<void> {
    if (location !== 'engine') return;
    const made = this.made.get(artifact) ?? new Set();
    const old = [...made].filter((each) => each !== ref);
    this.made.set(artifact, made.add(ref));
    for (const each of old) if ((await this.engine.remove(each)).ok) made.delete(each);
  }
}
