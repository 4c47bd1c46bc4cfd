import { segments, type Entry, type WorkspacePath } from '../model';

interface Place<Owner> {
  readonly owners: Owner[];
  readonly below: Map<string, Place<Owner>>;
}

/**
 * Who looks where in a tree. From one tree to the next only the directories that differ are walked, so an owner costs nothing while
 * nothing changes where it looks, however many there are.
 */
export class Reach<Owner> {
  private readonly root: Place<Owner> = { owners: [], below: new Map() };

  add(owner: Owner, path: WorkspacePath): void {
    let place = this.root;
    for (const name of segments(path)) {
      let next = place.below.get(name);
      if (!next) place.below.set(name, (next = { owners: [], below: new Map() }));
      place = next;
    }
    place.owners.push(owner);
  }

  /** Adds to a set all who may see another entry in one tree than in the other. */
  collectTouched(before: Entry, after: Entry, touched: Set<Owner>): void {
    collect(this.root, before, after, touched);
  }
}

function collect<Owner>(place: Place<Owner>, before: Entry | undefined, after: Entry | undefined, touched: Set<Owner>): void {
  if (before === after) return;
  for (const owner of place.owners) touched.add(owner);
  for (const [name, below] of place.below) collect(below, childOf(before, name), childOf(after, name), touched);
}

function childOf(entry: Entry | undefined, name: string): Entry | undefined {
  return entry?.kind === 'dir' ? entry.entries.get(name) : undefined;
}
