import type { Event, Release, ReleaseName, Workspace } from '../model';

/**
 * Releases that a loop has deployed and that its workspace describes no more: a project was removed, or a branch without it checked out.
 * They run on, as both may be taken back, and are removed at the end all the same.
 */
export class Vanished {
  private readonly releases = new Map<ReleaseName, Release>();

  /** The workspace was read again. Gives those that it has no more, and had before. */
  follow(before: Workspace | undefined, now: Workspace, had: Iterable<ReleaseName>): readonly ReleaseName[] {
    for (const name of this.releases.keys()) if (now.releases.has(name)) this.releases.delete(name);
    const gone = [...had].flatMap((name) => (now.releases.has(name) || this.releases.has(name) ? [] : (before?.releases.get(name) ?? [])));
    // Nothing that changes here makes anything of them any more.
    for (const release of gone) this.releases.set(release.name, { ...release, inputs: [], artifacts: [] });
    // What a mistake hides is told by the mistake.
    return gone.filter(({ project }) => !now.problems.some((problem) => problem.project === project)).map(({ name }) => name);
  }

  has(name: ReleaseName): boolean {
    return this.releases.has(name);
  }

  /** A workspace with them, so that they can be removed. The same object where there are none. */
  in(workspace: Workspace): Workspace {
    return this.releases.size === 0 ? workspace : { ...workspace, releases: new Map([...this.releases, ...workspace.releases]) };
  }
}

export function vanishedNotice(name: ReleaseName): Event {
  return {
    kind: 'notice',
    subject: name,
    message: 'it is no longer described in this workspace: what was deployed of it runs on, and is removed when this dev ends',
    hint: 'slipway prune removes it now',
  };
}
