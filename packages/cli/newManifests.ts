import type { WorkspaceFiles } from '../graph';
import { fullName, nearest, withoutScope, type Problem, type Project } from '../model';
import { manifestsFor, survey } from '../scaffold';
import type { Change } from '../turbo';

export interface WantedManifests {
  /** Names of projects; a scope may be left out where it is clear. */
  readonly projects: readonly string[];
  /** Absent: the one that the Dockerfile exposes. */
  readonly port?: number;
}

/** Manifests that are to be written, guessed from Dockerfiles. A project that has some keeps them. */
export function manifestsOf(
  { projects: names, port }: WantedManifests = { projects: [] },
  { projects, files }: { readonly projects: readonly Project[]; readonly files: WorkspaceFiles },
): { readonly changes: readonly Change[]; readonly problems: readonly Problem[] } {
  const changes: Change[] = [];
  const problems: Problem[] = [];
  const { found } = survey({ projects, files });
  for (const name of names) {
    const project = projectCalled(name, projects);
    if (!project) {
      problems.push(notFound(name, projects));
      continue;
    }
    const has = found.find((each) => each.project === project.name);
    if ([...(has?.manifests ?? []), ...(has?.otherManifests ?? [])].length > 0) continue;
    const guessed = manifestsFor({ project: project.name, root: project.root, port }, files);
    if (!guessed.ok) problems.push(guessed.problem);
    else changes.push({ path: guessed.value.path, created: true, text: guessed.value.manifest, because: guessed.value.because });
  }
  return { changes, problems };
}

function projectCalled(name: string, projects: readonly Project[]): Project | undefined {
  const meant = fullName(
    name,
    projects.map((project) => project.name),
  );
  return projects.find((project) => project.name === meant);
}

function notFound(name: string, projects: readonly Project[]): Problem {
  const known = projects.map((project) => project.name);
  const meant = nearest(name, [...known, ...known.map(withoutScope)]);
  return {
    code: 'projectNotFound',
    message: `there is no project ${name}`,
    hint: meant === undefined ? `projects: ${known.sort().join(', ')}` : `did you mean ${meant}?`,
    retry: 'never',
    exitCode: 2,
  };
}
