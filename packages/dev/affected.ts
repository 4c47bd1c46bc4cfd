import { processes } from '../clients';
import { assemble, withFiles } from '../graph';
import { filesBelow } from '../source';
import { succeeded, type Event, type Result, type Workspace } from '../model';
import { affectedBy, type AffectedProject, type Change } from '../plan';
import { changedFiles, type ChangedFiles, type ChangesRequest } from './changedFiles';
import type { CommandOptions } from './command';
import type { ReadWorkspace } from './readWorkspace';

/** What changes are compared with, and what is compared; without a head the files on disk are. */
export interface AffectedOptions {
  readonly base?: string;
  readonly head?: string;
}

export interface Affected {
  /** Not read when nothing has changed, unless projects were named. */
  readonly workspace: Workspace | undefined;
  readonly projects: readonly AffectedProject[];
  /** For people: `since main (3f2a1b0), 4 files changed`. */
  readonly since: string;
}

/** The projects that what changed since a commit reaches, by the workspace as it is now, and for removed files as it was with them. */
export async function affectedProjects(
  { root, graph, projects: named, env, signal }: CommandOptions,
  { base, head }: AffectedOptions,
  readWorkspace: () => Promise<Result<ReadWorkspace>>,
): Promise<Result<Affected>> {
  const changed = await changedFiles({
    root,
    bases: base === undefined ? basesOf(graph, env) : [{ ref: base, asked: true }],
    ...(head !== undefined && { head }),
    processes,
    signal,
  });
  if (!changed.ok) return changed;
  const { present, removed } = changed.value;
  const since = sinceOf(changed.value);
  // Git answers in a few milliseconds; a project graph takes a second.
  if (present.length + removed.size + named.length === 0) return succeeded({ workspace: undefined, projects: [], since });
  const read = await readWorkspace();
  if (!read.ok) return read;
  const changes: Change[] = [{ workspace: read.value.workspace, paths: present }];
  if (removed.size > 0) {
    const { facts } = read.value;
    const { workspace } = assemble({ ...facts, files: withFiles(filesBelow(root), removed) });
    changes.push({ workspace, paths: [...removed.keys()] });
  }
  const { workspace } = read.value;
  // A project that is there only with its removed files can be neither built nor deployed.
  const projects = affectedBy(changes).filter(({ project }) => isDeployable(workspace, project));
  return succeeded({ workspace, projects, since });
}

function isDeployable({ artifacts, releases, problems }: Workspace, name: string): boolean {
  return [...artifacts.values(), ...releases.values(), ...problems].some(({ project }) => project === name);
}

function sinceOf({ base, commit, present, removed }: ChangedFiles): string {
  const short = commit.slice(0, 7);
  const count = present.length + removed.size;
  const where = commit.startsWith(base) ? short : `${base} (${short})`;
  return `since ${where}, ${count} ${count === 1 ? 'file' : 'files'} changed`;
}

/** What is told before the work begins. */
export function affectedEvents(affected: readonly AffectedProject[], since: string): readonly Event[] {
  if (affected.length === 0) return [{ kind: 'notice', message: `no project is affected ${since}` }];
  return [
    { kind: 'notice', message: `${affected.length} ${affected.length === 1 ? 'project is' : 'projects are'} affected ${since}` },
    ...affected.map(({ project, because: [first = '', ...more] }): Event => {
      const others = more.length === 0 ? '' : `, and ${more.length} more ${more.length === 1 ? 'reason' : 'reasons'}`;
      return { kind: 'notice', subject: project, message: `affected by ${first}${others}` };
    }),
  ];
}

/** What others write down for this: CI for Nx and Turborepo, `nx.json`, and the names that main branches have. */
function basesOf(graph: CommandOptions['graph'], env: CommandOptions['env']): ChangesRequest['bases'] {
  for (const name of ['NX_BASE', 'TURBO_SCM_BASE']) {
    const ref = env[name];
    if (ref !== undefined && ref !== '') return [{ ref, asked: true }];
  }
  const configured = graph.defaultBase?.();
  const names = [
    ...(configured === undefined ? [] : [configured, `origin/${configured}`]),
    'main',
    'origin/main',
    'master',
    'origin/master',
  ];
  return names.map((ref) => ({ ref, asked: false }));
}
