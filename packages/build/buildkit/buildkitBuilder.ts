import { connectBuildkit } from '../../clients';
import { failed, succeeded, type Problem, type Result } from '../../model';
import { nameOfRef, tagOfRef, takesNestedNames, underRepo } from '../../tag';
import { labelsOf, type BuildJob, type BuildTools, type Built, type OpenBuilder } from '../builder';
import { contextOf } from '../docker/context';
import { engineOptionsOf } from '../docker/engineOptions';
import { namedBases } from '../docker/namedBases';
import { packContext } from '../docker/packContext';
import { located, sourcesChanged } from '../docker/problems';
import { builderPod, type BuilderPod } from './builderPod';

type ClusterTools = Pick<BuildTools, 'registry' | 'env' | 'hasRegistry' | 'cluster'>;

/**
 * In a buildkitd that runs in the cluster. It pushes the image without a name, from where it runs; the image gets its name from here when
 * exactly the snapshot was sent.
 */
export function buildkitBuilder(tools: ClusterTools): OpenBuilder {
  let pod: BuilderPod | undefined;
  return {
    async build(job) {
      const { cluster, env } = tools;
      if (!cluster || !tools.hasRegistry) return failed(registryNeeded(job));
      const mine = (pod ??= builderPod(cluster));
      const buildkit = connectBuildkit({ connect: (signal) => mine.connect(signal), env });
      return buildWith({ ...tools, cluster, buildkit }, job);
    },
    close: async () => pod?.close(),
  };
}

interface OpenTools extends ClusterTools {
  readonly cluster: NonNullable<ClusterTools['cluster']>;
  readonly buildkit: ReturnType<typeof connectBuildkit>;
}

async function buildWith({ registry, env, cluster, buildkit }: OpenTools, job: BuildJob): Promise<Result<Built>> {
  const { artifact, root, ref, signal, onLine, snapshot } = job;
  const { recipe, project, image } = artifact;
  const options = await engineOptionsOf(job, env);
  if (!options.ok) return options;
  const { entries, dockerfile } = contextOf(artifact, snapshot);
  const bases = Object.fromEntries(Object.entries(job.bases).map(([name, base]) => [name, cluster.fromPods(base)]));
  const rewrite = Object.keys(bases).length === 0 ? [] : [[recipe.dockerfile, (text: string) => namedBases(text, bases)] as const];
  const context = packContext({ root, entries, rewrite: new Map(rewrite) });
  const { cacheRepo } = cluster.settings;
  const known = new Map(Object.entries(job.bases).map(([name, base]) => [base, bases[name] ?? base]));
  const made = await buildkit.build({
    context: context.stream,
    dockerfile,
    ...(recipe.target !== undefined && { target: recipe.target }),
    ...options.value,
    args: Object.fromEntries(Object.entries(recipe.args).map(([name, value]) => [name, known.get(value) ?? value])),
    labels: labelsOf(job),
    repository: cluster.fromPods(nameOfRef(ref)),
    ...(cacheRepo !== undefined && {
      cache: cluster.fromPods(`${underRepo(image, { repo: cacheRepo, multiLevel: takesNestedNames(cacheRepo) })}:buildcache`),
    }),
    signal,
    onLine,
  });
  // Whatever came of it, nothing more is read.
  context.stream.destroy();
  const [changed] = await context.changed;
  if (!made.ok) return failed(changed ? sourcesChanged(job, changed[0]) : await located(made.problem, job, dockerfile));
  const { digest } = made.value;
  const pushed = `${nameOfRef(ref)}@${digest}`;
  if (changed) {
    await registry.remove(pushed);
    return succeeded<Built>({
      image: { location: 'registry', ref: pushed, id: digest },
      sentHash: `changed:${changed[1]}`,
      builder: 'buildkit',
    });
  }
  const tagged = await registry.tag(pushed, tagOfRef(ref) ?? '', signal);
  if (!tagged.ok) return failed({ ...tagged.problem, project });
  return succeeded<Built>({ image: { location: 'registry', ref, id: digest }, sentHash: snapshot.inputsHash, builder: 'buildkit' });
}

function registryNeeded({ artifact }: BuildJob): Problem {
  return {
    code: 'registryNeeded',
    message: `${artifact.name}: image.builder is buildkit, which pushes images from the cluster, and no registry is known`,
    hint: 'set defaultRepo in slipway.yaml to a registry that the cluster reaches, or choose another builder',
    retry: 'whenInputChanges',
    exitCode: 2,
    project: artifact.project,
  };
}
