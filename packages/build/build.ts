import { availableParallelism } from 'node:os';
import { failed, succeeded, type Artifact, type BuildSettings } from '../model';
import { withBaseArgs } from './bases';
import { triggersInRegistry, type TriggersOf } from './baseTriggers';
import type { Builder, BuildJob, BuildTools, OpenBuilder } from './builder';
import { buildkitBuilder } from './buildkit';
import { buildxBuilder, needsBuildx } from './buildx';
import { customBuilder } from './custom';
import { dockerBuilder } from './docker';
import { dockerAndLayersBuilder } from './dockerAndLayers';
import { layersBuilder } from './layers';
import { limitBuilds } from './limitBuilds';

/** A kind of builder is a folder and a line here. */
function kindsWith(tools: BuildTools & { readonly inRegistry: TriggersOf }, buildkit: Builder): Readonly<Record<string, Builder>> {
  const [inEngine, buildx] = [dockerBuilder(tools), buildxBuilder(tools)];
  const docker: Builder = { build: (job) => (needsBuildx(job) ? buildx : inEngine).build(job) };
  // An image that no registry is to have is made where it will be looked for. Tags are not shared all the same: one store never gets
  // images of both kinds.
  const custom = customBuilder(tools);
  if (!tools.hasRegistry) return { docker, layers: docker, 'docker+layers': docker, buildkit, custom };
  const layers = layersBuilder(tools);
  const both = dockerAndLayersBuilder(tools, layers);
  return { docker, layers: orInEngine(layers, docker), 'docker+layers': orInEngine(both, docker), buildkit, custom };
}

/** What a base image leaves to be run is found when that is read, and every machine finds the same. Who asked for no engine gets none. */
function orInEngine(builder: Builder, docker: Builder): Builder {
  return {
    async build(job) {
      const built = await builder.build(job);
      if (built.ok || built.problem.code !== 'baseNeedsEngine' || job.artifact.builderAsked === true) return built;
      const made = await docker.build(job);
      return made.ok ? succeeded({ ...made.value, because: built.problem.message }) : made;
    },
  };
}

/** What an image is made with that asks for nothing in particular. */
const usual: BuildSettings = { cacheFrom: [], inlineCache: false, cacheTo: [], pull: false, noCache: false, secrets: [], ssh: [] };

/** Putting layers together is mostly waiting for the registry; the engine has work for every core. */
const layersAtATime = 8;

/** Builds each image with the builder that its recipe names. What builders remember they remember until the session ends. */
export function openBuilders(tools: BuildTools): OpenBuilder {
  const withBases = { ...tools, inRegistry: triggersInRegistry(tools.registry) };
  const inCluster = buildkitBuilder(withBases);
  const opened = new Map(Object.entries(kindsWith(withBases, inCluster)));
  const told = (artifact: Artifact, fromScratch = tools.noCache === true): Artifact =>
    fromScratch ? { ...artifact, settings: { ...usual, ...artifact.settings, noCache: true } } : artifact;
  const chosen: Builder = {
    async build(job) {
      const { project, name } = job.artifact;
      const kind = kindOf(job);
      const builder = opened.get(kind);
      if (builder) return builder.build({ ...job, artifact: told(withBaseArgs(job.artifact, job.bases), job.fromScratch) });
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
  const { concurrency } = tools;
  const close = (): Promise<void> => inCluster.close();
  if (concurrency !== undefined) return { ...limitBuilds(chosen, concurrency === 0 ? availableParallelism() : concurrency), close };
  const withEngine = limitBuilds(chosen);
  const withoutEngine = limitBuilds(chosen, layersAtATime);
  return { build: (job) => (tools.hasRegistry && kindOf(job) === 'layers' ? withoutEngine : withEngine).build(job), close };
}

function kindOf({ artifact }: BuildJob): string {
  return artifact.recipe.builder.replace(/\/.*/, '');
}
