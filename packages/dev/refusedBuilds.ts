import type { ArtifactName, Problem, Step, Workspace } from '../model';

/** The images that steps would build where nothing may be built. */
export function refusedBuilds(steps: readonly Step[], workspace: Workspace | undefined): readonly Problem[] {
  return steps.flatMap((step) => {
    if (step.kind !== 'build') return [];
    const project = workspace?.artifacts.get(step.artifact)?.project ?? step.artifact;
    return [imageMissing(step.artifact, project)];
  });
}

function imageMissing(artifact: ArtifactName, project: string): Problem {
  const isOneOfSeveral = artifact !== project;
  const build = `slipway build ${project}${isOneOfSeveral ? ` --artifact ${artifact.slice(project.length + 1)}` : ''}`;
  return {
    code: 'imageMissing',
    message: `${artifact}: its image is not in the registry, and --no-build forbids to make it`,
    hint: `run ${build} first, or leave --no-build away`,
    retry: 'never',
    exitCode: 1,
    project,
    ...(isOneOfSeveral && { artifact }),
  };
}
