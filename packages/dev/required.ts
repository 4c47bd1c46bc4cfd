import type { Goal, GoalKind, Problem, Project, ReleaseName, Workspace } from '../model';
import { goalFor } from './selection';

/** A project that comes along because another one requires it. */
export interface Required {
  readonly project: string;
  readonly by: string;
  /** See `RequiredService`. */
  readonly image?: string;
}

/** What projects require, directly or not, the nearest first; they themselves are left out. */
export function requiredBy({ projects }: Pick<Workspace, 'projects'>, named: readonly string[]): readonly Required[] {
  const found = new Map<string, Required>();
  const visit = ({ name, requires = [] }: Project): void => {
    for (const { project, image } of requires) {
      if (named.includes(project) || found.has(project)) continue;
      found.set(project, { project, by: name, ...(image !== undefined && { image }) });
    }
  };
  for (const name of named) visitNamed(projects, name, visit);
  // What is found is visited too, and adds to what is found.
  for (const name of found.keys()) visitNamed(projects, name, visit);
  return [...found.values()];
}

function visitNamed(projects: Workspace['projects'], name: string, visit: (project: Project) => void): void {
  const project = projects.get(name);
  if (project) visit(project);
}

/** The images that are named for them, by project. */
export function namedImages(required: readonly Required[]): ReadonlyMap<string, string> {
  return new Map(required.flatMap(({ project, image }) => (image === undefined ? [] : [[project, image] as const])));
}

/** What comes along and why, as one sentence; undefined when nothing does. `used` are releases that run, and are left as they are. */
export function comesAlong(required: readonly Required[], used: ReadonlySet<ReleaseName>): string | undefined {
  const sentence = (list: readonly Required[], what: string): readonly string[] => {
    if (list.length === 0) return [];
    const items = list.map(({ project, by, image }) => `${project} (${by} requires it${image === undefined ? '' : `, with ${image}`})`);
    return [`${what}: ${items.join(', ')}`];
  };
  const there = required.filter(({ project }) => used.has(project)).map(({ project, by }) => ({ project, by }));
  const parts = [
    ...sentence(
      required.filter(({ project }) => !used.has(project)),
      'comes along',
    ),
    ...sentence(there, 'runs already and is used as it is'),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

export type Chosen =
  | { readonly ok: true; readonly goal: Goal; readonly required: readonly Required[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** The goal for projects and what they require, without the releases that are used as they run. Failures: as of `goalFor`. */
export function chosenWithRequired(
  workspace: Workspace,
  kind: GoalKind,
  projects: readonly string[],
  used: ReadonlySet<ReleaseName> = new Set(),
): Chosen {
  const named = goalFor(workspace, kind, { projects });
  const required = requiredBy(workspace, projects);
  if (!named.ok || required.length === 0) return named.ok ? { ...named, required } : named;
  const along = required.map(({ project }) => project).filter((project) => !used.has(project));
  const all = goalFor(workspace, kind, { projects: [...projects, ...along] });
  return all.ok ? { ...all, required } : all;
}
