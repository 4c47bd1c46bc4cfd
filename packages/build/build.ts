import { failed } from '../model';
import { withBaseArgs } from './bases';
import type { Builder, BuildTools } from './builder';
import { dockerBuilder } from './docker';
import { dockerAndLayersBuilder } from './dockerAndLayers';
import { layersBuilder } from './layers';
import { limitBuilds } from './limitBuilds';

/** A kind of builder is a folder and a line here. */
function kindsWith(tools: BuildTools): Readonly<Record<string, Builder>> {
  const docker = dockerBuilder(tools.engine);
  // An image that no registry is to have is made where it will be looked for. Tags are not shared all the same: one store never gets
  // images of both kinds.
  if (!tools.hasRegistry) return { docker, layers: docker, 'docker+layers': docker };
  const layers = layersBuilder(tools);
  return { docker, layers, 'docker+layers': dockerAndLayersBuilder(tools, layers) };
}

/** Builds each image with the builder that its recipe names. What builders remember they remember until the session ends. */
export function openBuilders(tools: BuildTools): Builder {
  const opened = new Map(Object.entries(kindsWith(tools)));
  return limitBuilds({
    async build(job) {
      const { recipe, project, name } = job.artifact;
      const kind = recipe.builder.replace(/\/.*/, '');
      const builder = opened.get(kind);
      if (builder) return builder.build({ ...job, artifact: withBaseArgs(job.artifact, job.bases) });
      return failed({
        code: 'builderUnknown',
        message: `${name} asks for the builder ${kind}, which does not exist`,
        hint: `choose one of: ${[...opened.keys()].join(', ')}`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project,
      });
    },
  });
}
