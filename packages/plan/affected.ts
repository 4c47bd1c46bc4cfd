import { isOfUsedImage, projectOf, type ArtifactName, type Workspace, type WorkspacePath } from '../model';
import { classify, releasesReading } from './classify';

/** A project that is to be built or deployed again, and why. */
interface Reached {
  readonly project: string;
  /** Its image may become another one, not only what is applied. */
  readonly image: boolean;
  readonly because: string;
}

/** A project and all the reasons, each with the files that it holds for: `libs/greeting/src/index.js: copied to /app/… (apps/worker/Dockerfile:7)`. */
export interface AffectedProject {
  readonly project: string;
  readonly image: boolean;
  readonly because: readonly string[];
}

/** Paths that changed, and the workspace that tells what they reach: for those that were removed, the one that still had them. */
export interface Change {
  readonly workspace: Workspace;
  readonly paths: readonly WorkspacePath[];
}

const configName = 'slipway.yaml';

/** The projects whose images or releases the changes reach, by name. A pure function of what the workspace says; nothing is compared. */
export function affectedBy(changes: readonly Change[]): readonly AffectedProject[] {
  const projects = new Map<string, { image: boolean; readonly reasons: Map<string, WorkspacePath[]> }>();
  for (const { workspace, paths } of changes) {
    for (const path of paths) {
      for (const { project, image, because } of reachOf(workspace, path)) {
        const known = projects.get(project) ?? { image, reasons: new Map<string, WorkspacePath[]>() };
        known.image ||= image;
        known.reasons.set(because, [...(known.reasons.get(because) ?? []), path]);
        projects.set(project, known);
      }
    }
  }
  return [...projects]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([project, { image, reasons }]) => ({
      project,
      image,
      because: [...reasons].map(([because, paths]) => `${filesOf(paths)}: ${because}`),
    }));
}

function filesOf([first = '', ...others]: readonly WorkspacePath[]): string {
  return others.length === 0 ? first : `${first} and ${others.length} more`;
}

/** What one changed file reaches. */
function reachOf(workspace: Workspace, path: WorkspacePath): readonly Reached[] {
  const reached: Reached[] = [];
  if (path === configName)
    for (const project of concerned(workspace)) reached.push({ project, image: true, because: 'the config of the workspace' });
  for (const { release, because } of releasesReading(workspace, path)) reached.push({ project: release.project, image: false, because });
  for (const { artifact, action, because } of classify(workspace, path)) {
    // Which release a manifest belongs to was asked above; it may be another project's.
    if (action !== 'redeploy' && action !== 'none') reached.push(...reachedThrough(workspace, artifact, because));
  }
  const owner = projectOf(workspace.projects.values(), path);
  if (owner && owner.root !== '' && path === `${owner.root}/${configName}` && concerned(workspace).has(owner.name)) {
    const because = 'the config of the project';
    reached.push({ project: owner.name, image: true, because });
    // It may say how an image is made.
    for (const { name, project } of workspace.artifacts.values())
      if (project === owner.name) reached.push(...reachedThrough(workspace, name, because));
  }
  for (const problem of workspace.problems) {
    const { project, location } = problem;
    // What a project with a mistake in it takes is not known.
    if (project !== undefined && (owner?.name === project || location?.file === path))
      reached.push({ project, image: !isOfUsedImage(problem), because: 'in a project with a mistake' });
  }
  // One reason is enough for each, the one that makes an image before others.
  const first = new Map<string, Reached>();
  for (const each of [...reached].sort((one, other) => Number(other.image) - Number(one.image)))
    if (!first.has(each.project)) first.set(each.project, each);
  return [...first.values()];
}

/** An image that becomes another one makes others of those that stand on it, and of the releases that run it. */
function reachedThrough(workspace: Workspace, name: ArtifactName, because: string): readonly Reached[] {
  const artifacts = new Map<ArtifactName, Reached>();
  const follow = (artifact: ArtifactName, reason: string): void => {
    const project = workspace.artifacts.get(artifact)?.project;
    if (project === undefined || artifacts.has(artifact)) return;
    artifacts.set(artifact, { project, image: true, because: reason });
    for (const other of workspace.artifacts.values())
      if (other.requires.includes(artifact)) follow(other.name, `${because}, and its image stands on the one of ${project}`);
  };
  follow(name, because);
  const releases = [...workspace.releases.values()].flatMap(({ project, artifacts: run }): Reached[] => {
    const used = run.map((each) => artifacts.get(each)).find((each) => each !== undefined);
    return used ? [{ project, image: false, because: `${because}, and it runs the image of ${used.project}` }] : [];
  });
  return [...artifacts.values(), ...releases];
}

/** The projects that are built or deployed, those with a mistake among them. */
function concerned({ artifacts, releases, problems }: Workspace): ReadonlySet<string> {
  return new Set(
    [...artifacts.values(), ...releases.values(), ...problems].flatMap(({ project }) => (project === undefined ? [] : [project])),
  );
}
