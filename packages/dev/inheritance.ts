import type { Event, ReleaseName, Workspace } from '../model';

/** What a `dev` has of a loop whose leader has ended. */
export interface Heritage {
  /** The ports that it had there: they stay where they were. */
  readonly forwarded: readonly Extract<Event, { kind: 'forwarded' }>[];
  /** What the one that led would have removed at its end, had it come to that. */
  readonly unclaimed: readonly ReleaseName[];
}

/** What was deployed for a `dev` that was killed. It stays until another asks for it; the last to leave the loop removes what is left. */
export class Inheritance {
  private readonly left: Set<ReleaseName>;

  constructor(heritage: Heritage | undefined) {
    this.left = new Set(heritage?.unclaimed);
  }

  get releases(): ReadonlySet<ReleaseName> {
    return this.left;
  }

  /** A part wants them: they are its own from now on. */
  claim(releases: Iterable<ReleaseName>): void {
    for (const name of releases) this.left.delete(name);
  }

  /** Those that the workspace still has. */
  in(workspace: Workspace): readonly ReleaseName[] {
    return [...this.left].filter((name) => workspace.releases.has(name)).sort();
  }

  notice(workspace: Workspace): Extract<Event, { kind: 'notice' }> | undefined {
    const names = this.in(workspace);
    if (names.length === 0) return undefined;
    const [was, goes, it, them] = names.length === 1 ? ['was', 'goes', 'it is', 'it'] : ['were', 'go', 'they are', 'them'];
    return {
      kind: 'notice',
      message: `${names.join(', ')} ${was} deployed for the dev that has ended without removing ${them}, and ${goes} on running: ${it} removed when this one ends`,
      hint: `slipway dev ${names.join(' ')} works on with ${them}, slipway delete ${names.join(' ')} removes ${them} now`,
    };
  }
}
