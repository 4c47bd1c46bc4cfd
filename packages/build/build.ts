import { failed, type Result } from '../model';
import type { Builder, BuildJob, Built } from './builder';
import { dockerBuilder } from './docker';
import { limitBuilds } from './limitBuilds';

/** A kind of builder is a folder and a line here. */
const builders: Readonly<Record<string, Builder>> = { docker: limitBuilds(dockerBuilder) };

/** Builds an image with the builder that its recipe names. */
export async function build(job: BuildJob): Promise<Result<Built>> {
  const { recipe, project } = job.artifact;
  const kind = recipe.builder.replace(/\/.*/, '');
  const builder = Object.hasOwn(builders, kind) ? builders[kind] : undefined;
  if (builder) return builder.build(job);
  return failed({
    code: 'builderUnknown',
    message: `${job.artifact.name} asks for the builder ${kind}, which does not exist`,
    hint: `choose one of: ${Object.keys(builders).join(', ')}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project,
  });
}
