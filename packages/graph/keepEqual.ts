import { definitionOf, type Accepts } from '../dockerfile';
import type { Workspace } from '../model';

/**
 * The next workspace with the objects of the old one wherever nothing changed, so that what was worked out for them stays.
 * What only a mistake of its project took away stays as it was: a half-typed Dockerfile must not undo a deployment.
 */
export function keepEqual(old: Workspace, next: Workspace): Workspace {
  const broken = new Set(next.problems.flatMap((problem) => (problem.project === undefined ? [] : [problem.project])));
  const isBroken = ({ project }: { readonly project: string }) => broken.has(project);
  const artifacts = kept(old.artifacts, next.artifacts, isBroken);
  const isOfBroken = (name: string) => broken.has(old.artifacts.get(name)?.project ?? name);
  const releases = kept(old.releases, next.releases, (release) => isBroken(release) || release.artifacts.some(isOfBroken));
  const needed = new Set([...artifacts.values()].flatMap((artifact) => artifact.targets));
  const targets = kept(old.targets, next.targets, (target) => needed.has(target.id));
  const projects = kept(old.projects, next.projects, () => false);
  const back = old.forwards.filter(({ release }) => releases.has(release) && !next.releases.has(release));
  const forwards = keptList(old.forwards, [...next.forwards, ...back]);
  const problems = keptList(old.problems, next.problems);
  const notices = keptList(old.notices ?? none, next.notices ?? none);
  const unchanged =
    old.root === next.root &&
    artifacts === old.artifacts &&
    releases === old.releases &&
    targets === old.targets &&
    projects === old.projects &&
    forwards === old.forwards &&
    problems === old.problems &&
    notices === (old.notices ?? none);
  if (unchanged) return old;
  return { root: next.root, projects, artifacts, releases, targets, forwards, problems, ...(notices.length > 0 && { notices }) };
}

const none: readonly never[] = [];

function kept<T extends object>(
  old: ReadonlyMap<string, T>,
  next: ReadonlyMap<string, T>,
  stays: (value: T) => boolean,
): ReadonlyMap<string, T> {
  const result = new Map<string, T>();
  for (const [name, value] of next) {
    const before = old.get(name);
    result.set(name, before && definition(before) === definition(value) ? before : value);
  }
  for (const [name, value] of old) if (!result.has(name) && stays(value)) result.set(name, value);
  const same = result.size === old.size && [...old].every(([name, value]) => result.get(name) === value);
  return same ? old : result;
}

function keptList<T extends object>(old: readonly T[], next: readonly T[]): readonly T[] {
  return old.length === next.length && old.every((value, index) => definition(value) === JSON.stringify(next[index])) ? old : next;
}

const definitions = new WeakMap<object, string>();

/** All that a value says, its functions by what their answers depend on. */
function definition(value: object): string {
  let text = definitions.get(value);
  if (text === undefined) {
    text = JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'function' ? definitionOf(inner as Accepts) : inner));
    definitions.set(value, text);
  }
  return text;
}
