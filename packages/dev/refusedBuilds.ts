import type { ArtifactName, Problem } from '../model';
import type { Turn } from './converge';

/** The images that a turn would build where nothing may be built. */
export function refusedBuilds({ plan, after }: Pick<Turn, 'plan' | 'after'>): readonly Problem[] {
  return plan.start.flatMap((step) => {
    if (step.kind !== 'build') return [];
    const project = after.workspace?.artifacts.get(step.artifact)?.project ?? step.artifact;
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
