import { connectBuildkit } from '../../clients';
import { failed, type Problem } from '../../model';
import { takesNestedNames, underRepo } from '../../tag';
import type { TriggersOf } from '../baseTriggers';
import type { BuildJob, BuildTools, OpenBuilder } from '../builder';
import { buildAndPush } from './buildAndPush';
import { builderPod, type BuilderPod } from './builderPod';

type ClusterTools = Pick<BuildTools, 'registry' | 'env' | 'hasRegistry' | 'cluster'> & { readonly inRegistry: TriggersOf };

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
      const { fromPods, settings } = cluster;
      const { cacheRepo } = settings;
      const cache =
        cacheRepo && `${underRepo(job.artifact.image, { repo: cacheRepo, multiLevel: takesNestedNames(cacheRepo) })}:buildcache`;
      const kept = cache === undefined ? {} : { cache: fromPods(cache) };
      return buildAndPush({ ...tools, buildkit, name: 'buildkit', refFor: fromPods, ...kept }, job);
    },
    close: async () => pod?.close(),
  };
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
