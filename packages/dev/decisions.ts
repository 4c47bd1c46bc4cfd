import type { Event, Workspace, WorkspacePath, World } from '../model';
import { classify, containersByArtifact, releasesReading, suits, viewOf, type Classified } from '../plan';
import { configDecisions } from './configDecisions';
import type { Turn } from './converge';
import { mistakeInImage, mistakeInManifests } from './mistakes';

type Notice = Extract<Event, { kind: 'notice' }>;
type Decision = Extract<Event, { kind: 'decision' }>;

/** A directory that came whole stands for its files; the first few say enough. */
const explainedFiles = 500;

/** What changed files ask for, one decision for each artifact and kind of action; of config that asks for nothing, a notice. `after` is the world that has the files already. */
export function decisionsOf(
  { before, after: world }: Pick<Turn, 'before' | 'after'>,
  paths: ReadonlySet<WorkspacePath>,
): readonly (Decision | Notice)[] {
  const { workspace } = world;
  if (!workspace) return [];
  const configured: (Decision | Notice)[] = [];
  const groups = new Map<string, { readonly first: Classified; readonly files: WorkspacePath[]; readonly containerPaths: string[] }>();
  const loneReleases: Decision[] = [];
  for (const path of [...paths].slice(0, explainedFiles)) {
    if (before.workspace) configured.push(...configDecisions(before.workspace, workspace, path));
    for (const answer of answersTo(path, { before: before.workspace, after: workspace })) {
      if (isStopped(workspace, answer)) continue;
      const key = `${answer.artifact} ${answer.action}`;
      const known = groups.get(key);
      if (known) known.files.push(path);
      else groups.set(key, { first: answer, files: [path], containerPaths: [...answer.containerPaths] });
    }
    for (const { release, because } of releasesThatRead(path, { before: before.workspace, after: workspace })) {
      const { name, artifacts } = release;
      if (artifacts.length > 0 || mistakeInManifests(name, workspace)) continue;
      loneReleases.push({ kind: 'decision', artifact: name, action: 'redeploy', files: [path], containerPaths: [], because });
    }
  }
  const told = [...groups.values()].map(({ first, files, containerPaths }): Decision => {
    const { artifact, action, because } = first;
    return { kind: 'decision', artifact, action, files, containerPaths, because };
  });
  const decided = new Set(told.map((decision) => `${decision.artifact} ${decision.action}`));
  const more = configured.filter((each) => each.kind === 'notice' || !decided.has(`${each.artifact} ${each.action}`));
  return [...told, ...more].map((each) => (each.kind === 'decision' ? unlessMade(each, world) : each)).concat(loneReleases);
}

interface Change {
  readonly before: Workspace | undefined;
  readonly after: Workspace;
}

/** Also what a manifest asks for that was removed: what is deployed now has no such file any more. */
function answersTo(path: WorkspacePath, { before, after }: Change): readonly Classified[] {
  const now = classify(after, path);
  const left = (before ? classify(before, path) : []).filter(
    ({ artifact, action }) =>
      action === 'redeploy' &&
      after.artifacts.has(artifact) &&
      !now.some((other) => other.artifact === artifact && other.action === action),
  );
  return [...now, ...left];
}

function releasesThatRead(path: WorkspacePath, { before, after }: Change): ReturnType<typeof releasesReading> {
  const now = releasesReading(after, path);
  const left = (before ? releasesReading(before, path) : []).filter(
    ({ release }) => after.releases.has(release.name) && !now.some((other) => other.release.name === release.name),
  );
  return [...now, ...left];
}

function unlessMade(decision: Decision, world: World): Decision {
  return decision.action === 'rebuild' && hasSuitingImage(world, decision.artifact)
    ? { ...decision, action: 'none', because: 'its image was made from this content already' }
    : decision;
}

/** Whether a mistake in the project keeps it from being done; the mistake was told. */
function isStopped(workspace: Workspace, { artifact, action }: Classified): boolean {
  const project = workspace.artifacts.get(artifact)?.project ?? artifact;
  if (action === 'redeploy') return mistakeInManifests(project, workspace) !== undefined;
  return action === 'rebuild' && mistakeInImage({ name: artifact, project }, workspace) !== undefined;
}

function hasSuitingImage(world: World, name: string): boolean {
  const artifact = world.workspace?.artifacts.get(name);
  const view = artifact && viewOf(world, artifact, containersByArtifact(world).get(name));
  return view?.image !== undefined && suits(view.image.snapshot, view);
}
