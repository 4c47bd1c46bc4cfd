import { isOfUsedImage, type Artifact, type Problem, type Workspace } from '../model';

/**
 * Of the mistakes in a project, those in its manifests keep it from being applied, and the others its image from being made. That another
 * project's image cannot be made keeps it from neither: a loop that has one of before goes on with that.
 */
export function mistakeInManifests(project: string, { problems }: Workspace): Problem | undefined {
  return problems.find((problem) => problem.project === project && isOfManifests(problem));
}

/** Of the other images of its project too, unless it is about one of those. */
export function mistakeInImage({ name, project }: Pick<Artifact, 'name' | 'project'>, { problems }: Workspace): Problem | undefined {
  return problems.find((problem) => problem.project === project && (problem.artifact ?? name) === name && isOfImages(problem));
}

function isOfImages(problem: Problem): boolean {
  return !isOfManifests(problem) && !isOfUsedImage(problem);
}

function isOfManifests({ code }: Problem): boolean {
  return code.startsWith('manifest');
}
