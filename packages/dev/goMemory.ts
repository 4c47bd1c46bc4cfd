import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isGoSource, joinPath, type Listing } from '../graph';
import type { WorkspacePath } from '../model';

type GoListing = Extract<Listing, { readonly kind: 'go' }>;

interface KnownListing {
  readonly signature: string;
  readonly listing: GoListing;
}

/** Beside the sources: what leads Go to packages. */
const deciding = ['go.mod', 'go.work', 'vendor/modules.txt'];

/** A file that is as young as this when it is looked at may be written once more without a sign of it. */
const settledMs = 1_000;

/**
 * What Go said of packages, for as long as the files that it said it from are the same: a hundred services are not asked for at every
 * command, nor at every save. What cannot be kept is asked again.
 */
export class GoMemory {
  private readonly known: Map<string, KnownListing>;
  private readonly file: string;
  private isChanged = false;

  constructor(private readonly root: string) {
    this.file = join(root, '.slipway', 'go.json');
    this.known = new Map(read(this.file));
  }

  /** `key` says what is asked; `folder` where. */
  recall(key: string, folder: WorkspacePath): GoListing | undefined {
    const known = this.known.get(key);
    return known && known.signature === this.signature(folder, known.listing, Infinity) ? known.listing : undefined;
  }

  /** Of files that were written after that time Go may have read something else. */
  keep(key: string, folder: WorkspacePath, { listing, askedAt }: { readonly listing: GoListing; readonly askedAt: number }): void {
    const signature = this.signature(folder, listing, askedAt - settledMs);
    if (signature === undefined) this.known.delete(key);
    else this.known.set(key, { signature, listing });
    this.isChanged = true;
  }

  write(): void {
    if (!this.isChanged) return;
    const unfinished = `${this.file}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(this.file), { recursive: true });
      writeFileSync(unfinished, JSON.stringify([...this.known]));
      renameSync(unfinished, this.file);
    } catch {
      // A workspace that cannot be written to.
    }
  }

  /** Undefined: one of the files is younger than it may be. */
  private signature(folder: WorkspacePath, { packages, modules }: GoListing, before: number): string | undefined {
    const sources = packages.flatMap((each) =>
      namesIn(join(this.root, each.folder))
        .filter(isGoSource)
        .map((name) => joinPath(each.folder, name)),
    );
    const above = foldersFrom(folder).flatMap((each) => deciding.map((name) => joinPath(each, name)));
    const paths = [
      ...new Set([...sources, ...above, ...modules.flatMap((module) => deciding.map((name) => joinPath(module, name)))]),
    ].sort();
    const seen = paths.map((path) => {
      const stats = statSync(join(this.root, path), { throwIfNoEntry: false });
      return [path, stats && [stats.size, stats.mtimeMs, stats.ino]] as const;
    });
    if (seen.some(([, stats]) => stats && (stats[1] ?? 0) > before)) return undefined;
    return JSON.stringify(seen);
  }
}

function read(file: string): readonly (readonly [string, KnownListing])[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as readonly (readonly [string, KnownListing])[];
  } catch {
    // The first time here.
    return [];
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A package that is not there yet.
    return [];
  }
}

/** A folder and those that it is in. */
function foldersFrom(folder: WorkspacePath): readonly WorkspacePath[] {
  const names = folder === '' ? [] : folder.split('/');
  return [...names.map((_, index) => names.slice(0, index + 1).join('/')), ''];
}
