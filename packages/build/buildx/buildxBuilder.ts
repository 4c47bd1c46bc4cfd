import { connectBuildkit, dialProgram, isLocalHost, parseImageRef } from '../../clients';
import { failed, platformsOf, succeeded, type Problem, type Result } from '../../model';
import { buildAndPush } from '../buildkit/buildAndPush';
import type { TriggersOf } from '../baseTriggers';
import type { Builder, BuildJob, BuildTools } from '../builder';

type BuildxTools = Pick<BuildTools, 'registry' | 'processes' | 'env' | 'hasRegistry' | 'insecureRegistries'> & {
  readonly inRegistry: TriggersOf;
};

/**
 * What an engine cannot make by itself (images for several platforms, caches that are kept in a registry) is made by the builder that
 * `docker buildx` uses: it is reached through that program, and spoken to as any BuildKit is. It pushes the image itself.
 */
export function buildxBuilder(tools: BuildxTools): Builder {
  const { env, insecureRegistries = [] } = tools;
  let isThere: Promise<Result<void>> | undefined;
  return {
    async build(job) {
      const what = reasonFor(job);
      if (!tools.hasRegistry) return failed(ofImage(registryNeeded(what), job));
      const there = await (isThere ??= lookForBuildx(tools, what));
      if (!there.ok) {
        isThere = undefined;
        return failed(ofImage(there.problem, job));
      }
      const host = parseImageRef(job.ref).registry;
      const isInsecure = isLocalHost(host) || insecureRegistries.includes(host);
      const args = ['buildx', 'dial-stdio', '--progress', 'quiet'];
      const buildkit = connectBuildkit({ connect: () => Promise.resolve(succeeded(dialProgram({ command: 'docker', args, env }))), env });
      const built = await buildAndPush({ ...tools, buildkit, name: 'buildx', refFor: (ref) => ref, isInsecure }, job);
      return built.ok ? built : failed(explained(built.problem, what));
    },
  };
}

/** Whether only such a builder makes what an image asks for. */
export function needsBuildx({ artifact }: Pick<BuildJob, 'artifact'>): boolean {
  return platformsOf(artifact.recipe).length > 1 || (artifact.settings?.cacheTo ?? []).length > 0;
}

function reasonFor({ artifact }: BuildJob): string {
  const platforms = platformsOf(artifact.recipe);
  return platforms.length > 1 ? `an image for ${platforms.join(' and ')}` : 'a cache in a registry';
}

function ofImage(problem: Problem, { artifact }: BuildJob): Problem {
  return { ...problem, message: `${artifact.name}: ${problem.message}`, project: artifact.project };
}

async function lookForBuildx({ processes, env }: BuildxTools, what: string): Promise<Result<void>> {
  const asked = await processes.run({ command: 'docker', args: ['buildx', 'version'], cwd: '.', env });
  if (asked.ok && asked.value.exitCode === 0) return succeeded(undefined);
  return failed({
    code: 'buildxNotFound',
    message: `${what} is made by docker buildx, which is not there`,
    hint: 'install it (the package docker-buildx-plugin, or Docker Desktop), or set image.builder to buildkit in slipway.yaml',
    retry: 'whenInputChanges',
    exitCode: 3,
    ...(asked.ok ? { detail: asked.value.stderr } : {}),
  });
}

function registryNeeded(what: string): Problem {
  return {
    code: 'registryNeeded',
    message: `${what} needs a registry, and none is known`,
    hint: 'set defaultRepo in slipway.yaml, or leave platforms and cacheTo out; dev makes images for one platform',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}

/** The builder that buildx has at first is the engine itself, which mostly knows neither. */
function explained(problem: Problem, what: string): Problem {
  if (problem.code === 'buildkitLost') {
    const reason = /: ([^]*)/.exec(problem.message)?.[1] ?? 'its builder went away';
    return { ...problem, message: `${what} was not made by docker buildx: ${reason}`, hint: 'look at docker buildx inspect --bootstrap' };
  }
  const said = `${problem.message} ${problem.detail ?? ''}`;
  if (/exporter .* could not be found|cache exporter|multiple platforms/i.test(said)) {
    return {
      ...problem,
      code: 'builderUnfit',
      message: `the builder of docker buildx cannot make ${what}: ${problem.message}`,
      hint: 'make one that can: docker buildx create --use',
      retry: 'whenInputChanges',
    };
  }
  const foreign = /exec format error/i.test(said);
  return foreign
    ? { ...problem, hint: 'the builder cannot run commands of that platform: docker run --privileged --rm tonistiigi/binfmt --install all' }
    : problem;
}
