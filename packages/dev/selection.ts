import { nearest, withoutScope, type Artifact, type Event, type Goal, type GoalKind, type Problem, type Workspace } from '../model';

export interface Selection {
  /** All with an image or manifests when none is named. */
  readonly projects: readonly string[];
  /** Of their images only these, as `slipway build` has them or as `images` of their project does. Absent: all. */
  readonly artifacts?: readonly string[] | undefined;
}

export type ChosenGoal = { readonly ok: true; readonly goal: Goal } | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * The goal for what was named. Failure: `projectUnknown`, `artifactUnknown`, the mistakes that keep all of it from being anything, or
 * `nothingToDo`; exit 2.
 */
export function goalFor(workspace: Workspace, kind: GoalKind, { projects, artifacts: only = [] }: Selection): ChosenGoal {
  const unknown = unknownProjects(workspace, projects);
  if (unknown) return { ok: false, problems: [unknown] };
  const wanted = (project: string): boolean => projects.length === 0 || projects.includes(project);
  const releases = [...workspace.releases.values()].filter(({ project }) => wanted(project));
  const ofProjects = [...workspace.artifacts.values()].filter(({ project }) => wanted(project));
  const missing = only.filter((each) => !ofProjects.some((artifact) => isCalled(artifact, each)));
  if (missing.length > 0) return { ok: false, problems: [artifactUnknown(ofProjects, missing), ...problemsOf(workspace, projects)] };
  const chosen = only.length === 0 ? ofProjects : ofProjects.filter((artifact) => only.some((each) => isCalled(artifact, each)));
  const artifacts = chosen.map(({ name }) => name);
  // What a release runs comes with it, whichever project it belongs to.
  if (kind !== 'built') for (const release of releases) artifacts.push(...release.artifacts);
  if (artifacts.length === 0 && releases.length === 0) {
    const mistakes = problemsOf(workspace, projects);
    // It may have been deployed when it had manifests.
    if (kind === 'removed' && projects.length > 0 && mistakes.length === 0)
      return { ok: true, goal: { kind, artifacts: new Set(), releases: new Set() } };
    return { ok: false, problems: mistakes.length > 0 ? mistakes : [nothingToDo(projects)] };
  }
  return { ok: true, goal: { kind, artifacts: new Set(artifacts), releases: new Set(releases.map(({ name }) => name)) } };
}

/** The goal for what was named, of which something has to be deployed. Failures: as of `goalFor`, and `noManifests`. */
export function deployableGoalFor(workspace: Workspace, kind: GoalKind, selection: Selection): ChosenGoal {
  const chosen = goalFor(workspace, kind, selection);
  const missing = chosen.ok ? noManifests(workspace, chosen.goal, selection.projects) : undefined;
  return missing ? { ok: false, problems: [missing] } : chosen;
}

/** An image alone never runs. A mistake that hides manifests is told by itself. */
export function noManifests(workspace: Workspace, { artifacts, releases }: Goal, projects: readonly string[]): Problem | undefined {
  if (releases.size > 0 || problemsOf(workspace, projects).length > 0) return undefined;
  const owners = [...new Set([...artifacts].flatMap((name) => workspace.artifacts.get(name)?.project ?? []))].sort();
  const [first = ''] = owners;
  const root = workspace.projects.get(first)?.root ?? '';
  const folder = root === '' ? 'k8s' : `${root}/k8s`;
  return {
    code: 'noManifests',
    message: `${owners.join(', ')}: an image, but no manifests that say how it runs`,
    hint: `write them in ${folder}/*.yaml, or name them with manifests, kustomize or helm in slipway.yaml; slipway build makes the image alone`,
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}

/** Whether a name is that of an image: the whole one, or the one that it has in its project. */
function isCalled({ name, project }: Artifact, wanted: string): boolean {
  return wanted === name || `${project}/${wanted}` === name || (name === project && withoutScope(project) === wanted);
}

function artifactUnknown(known: readonly Artifact[], missing: readonly string[]): Problem {
  const names = known.map(({ name }) => name).sort();
  const [only] = missing;
  const meant =
    only === undefined || missing.length > 1
      ? undefined
      : nearest(
          only,
          names.flatMap((name) => [name, name.replace(/.*\//, '')]),
        );
  const choice = names.length === 0 ? 'there is none' : `images: ${names.join(', ')}`;
  return {
    code: 'artifactUnknown',
    message: `there is no image ${missing.map((name) => `"${name}"`).join(' and ')} among those of the projects`,
    hint: meant === undefined ? choice : `perhaps ${meant} was meant`,
    retry: 'never',
    exitCode: 2,
  };
}

type NoticeEvent = Extract<Event, { kind: 'notice' }>;

/** What is said once of how the workspace and the images of projects are configured. */
export function noticesOf(workspace: Workspace, projects: readonly string[]): readonly NoticeEvent[] {
  const ofImages = [...workspace.artifacts.values()]
    .filter(({ project }) => projects.length === 0 || projects.includes(project))
    .flatMap(({ name, notices = [] }) => notices.map((notice) => ({ kind: 'notice' as const, subject: name, ...notice })));
  return [...noticesOfAll(workspace), ...ofImages];
}

/** Of those what is of no single image: it concerns a command that copies nothing, too. */
export function noticesOfAll({ notices = [] }: Workspace): readonly NoticeEvent[] {
  return notices.map((notice) => ({ kind: 'notice' as const, ...notice }));
}

/** The mistakes of the workspace that concern the projects that were named, or all. */
export function problemsOf({ problems }: Workspace, projects: readonly string[]): readonly Problem[] {
  return problems.filter(({ project }) => project === undefined || projects.length === 0 || projects.includes(project));
}

/** `projectUnknown`, when any of these is none of the workspace. */
export function unknownProjects(workspace: Workspace, projects: readonly string[]): Problem | undefined {
  const unknown = projects.filter((name) => !workspace.projects.has(name));
  if (unknown.length === 0) return undefined;
  const known = [...new Set([...workspace.artifacts.values(), ...workspace.releases.values()].map(({ project }) => project))].sort();
  const [only] = unknown;
  const meant = only === undefined || unknown.length > 1 ? undefined : meantBy(only, workspace.projects.keys());
  const choice =
    known.length > 0 ? `projects with an image or manifests: ${known.join(', ')}` : 'no project has a Dockerfile or manifests yet';
  return {
    code: 'projectUnknown',
    message: `there is no project ${unknown.map((name) => `"${name}"`).join(' and ')} in this workspace`,
    hint: imageMeant(workspace, only) ?? (meant === undefined ? choice : `perhaps ${meant} was meant`),
    retry: 'never',
    exitCode: 2,
  };
}

/** One of several images of a project was named as it is told. */
function imageMeant({ artifacts }: Workspace, name: string | undefined): string | undefined {
  const artifact = name === undefined ? undefined : artifacts.get(name);
  if (!artifact) return undefined;
  const { project } = artifact;
  return `it is an image of ${project}: name ${project}; build and inputs take one of its images with --artifact ${artifact.name.slice(project.length + 1)}`;
}

/** A project of the same name with or without a scope, else one that is spelt almost alike. */
function meantBy(name: string, projects: Iterable<string>): string | undefined {
  const names = [...projects];
  const bare = names.filter((each) => withoutScope(each) === withoutScope(name));
  return bare.length === 1 ? bare[0] : nearest(name, names);
}

function nothingToDo(projects: readonly string[]): Problem {
  return {
    code: 'nothingToDo',
    message:
      projects.length === 0
        ? 'no project of this workspace has a Dockerfile or manifests'
        : `${projects.join(', ')}: no Dockerfile and no manifests`,
    hint: 'put a Dockerfile beside a project, and its manifests in k8s/*.yaml beside it',
    retry: 'never',
    exitCode: 2,
  };
}
