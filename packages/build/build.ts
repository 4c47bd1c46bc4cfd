import { failed } from '../model';
import type { Builder, BuildTools } from './builder';
import { dockerBuilder } from './docker';
import { layersBuilder } from './layers';
import { limitBuilds } from './limitBuilds';

/** A kind of builder is a folder and a line here. */
const kinds = {
  docker: ({ engine }) => limitBuilds(dockerBuilder(engine)),
  // An image that no registry is to have is made where it will be looked for. Tags are not shared all the same: one store never gets
  // images of both kinds.
  layers: (tools) => limitBuilds(tools.hasRegistry ? layersBuilder(tools) : dockerBuilder(tools.engine)),
} as const satisfies Readonly<Record<string, (tools: BuildTools) => Builder>>;

/** Builds each image with the builder that its recipe names. What builders remember they remember until the session ends. */
export function openBuilders(tools: BuildTools): Builder {
  const opened = new Map(Object.entries(kinds).map(([kind, open]) => [kind, open(tools)]));
  return {
    async build(job) {
      const { recipe, project, name } = job.artifact;
      const kind = recipe.builder.replace(/\/.*/, '');
      const builder = opened.get(kind);
      if (builder) return builder.build(job);
      return failed({
        code: 'builderUnknown',
        message: `${name} asks for the builder ${kind}, which does not exist`,
        hint: `choose one of: ${[...opened.keys()].join(', ')}`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project,
      });
    },
  };
}
