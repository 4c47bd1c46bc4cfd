import { type Problem, type Result, failed, succeeded } from '../model';
import { buildImage } from './buildImage';
import { findEngine } from './dockerHost';
import type { Engine, ImageConfig } from './engine';
import { type EngineAnswer, type EngineApi, type EngineRequest, engineApi, unreachable } from './engineApi';
import { engineRefused } from './engineRefusals';
import { execInContainer } from './execInContainer';
import { parseImageRef } from './imageRef';
import { pullImage, pushImage } from './moveImage';
import { registryLogins } from './registryLogin';
import { processes } from './runProcess';

export interface EngineOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Instead of what the environment and Docker's config say. */
  readonly socketPath?: string;
}

/**
 * An engine that does not run refuses the connection at once. One that took it and is slow to answer is busy, as it is on a machine
 * that builds several images, or is just starting: giving it up would fail a whole CI run. A login over SSH takes its time too.
 */
const patienceMs = 20_000;

/** The engine that `docker` would use. It is found and asked at the first call; what is wrong with it is that call's problem. */
export function connectEngine({ env = process.env, socketPath }: EngineOptions = {}): Engine {
  const address = findEngine(socketPath === undefined ? { env } : { env, socketPath });
  const logins = registryLogins(env, processes);
  let api: Result<EngineApi> | undefined;
  const connected = (): Result<EngineApi> => (api ??= address.ok ? engineApi(address.value) : address);

  const ask = async <T>(request: EngineRequest, read: (answer: EngineAnswer<unknown>) => Result<T>): Promise<Result<T>> => {
    const engine = connected();
    return engine.ok ? read(await engine.value.json(request)) : engine;
  };
  const inspect = (ref: string): Promise<Result<ImageConfig | undefined>> =>
    ask({ method: 'GET', path: `/images/${ref}/json` }, (answer) => {
      if (answer.kind === 'answered') return succeeded(imageConfig(answer.value as InspectedImage));
      if (answer.kind === 'refused' && answer.refusal.status === 404) return succeeded(undefined);
      return failed(engineProblem(answer, `the image ${ref}`));
    });

  return {
    async ping() {
      if (!address.ok) return address;
      const signal = AbortSignal.timeout(patienceMs);
      return ask({ method: 'GET', path: '/version', signal }, (answer) => {
        if (answer.kind === 'refused') return failed(unreachable(address.value, answer.refusal.message));
        if (answer.kind === 'failed')
          return failed(signal.aborted ? unreachable(address.value, `no answer within ${patienceMs / 1_000} s`) : answer.problem);
        const { Version, Os, Arch } = answer.value as { readonly Version: string; readonly Os: string; readonly Arch: string };
        return succeeded({ version: Version, platform: `${Os}/${Arch}` });
      });
    },
    async build(request) {
      const engine = connected();
      return engine.ok ? buildImage(engine.value, logins, request) : engine;
    },
    cacheBytes: (signal) =>
      // An engine that is older than the parameter tells of everything else too.
      ask({ method: 'GET', path: '/system/df', query: { type: 'build-cache' }, ...(signal ? { signal } : {}) }, (answer) => {
        if (answer.kind !== 'answered') return failed(engineProblem(answer, 'the size of its build cache'));
        const { BuildCache } = answer.value as { readonly BuildCache?: readonly { readonly Size?: number }[] | null };
        return succeeded((BuildCache ?? []).reduce((bytes, { Size = 0 }) => bytes + Size, 0));
      }),
    async imageId(ref) {
      const image = await inspect(ref);
      return image.ok ? succeeded(image.value?.id) : image;
    },
    inspect,
    async push(request) {
      const engine = connected();
      return engine.ok ? pushImage(engine.value, logins, request) : engine;
    },
    async pull(request) {
      const engine = connected();
      return engine.ok ? pullImage(engine.value, logins, request) : engine;
    },
    async save(ref, signal) {
      const engine = connected();
      if (!engine.ok) return engine;
      const answer = await engine.value.stream({ method: 'GET', path: `/images/${ref}/get`, ...(signal ? { signal } : {}) });
      if (answer.kind === 'answered') return succeeded(answer.value);
      if (answer.kind === 'refused' && answer.refusal.status === 404) return succeeded(undefined);
      return failed(engineProblem(answer, `to hand out the image ${ref}`));
    },
    tag(source, ref) {
      const { name, tag } = nameAndTag(ref);
      return ask({ method: 'POST', path: `/images/${source}/tag`, query: { repo: name, tag } }, (answer) =>
        doneUnless(answer, `tagging ${source} as ${ref}`),
      );
    },
    remove: (ref) =>
      ask({ method: 'DELETE', path: `/images/${ref}` }, (answer) =>
        answer.kind === 'refused' && answer.refusal.status === 404 ? succeeded(undefined) : doneUnless(answer, `removing the image ${ref}`),
      ),
    list: ({ name, value }) =>
      ask(
        {
          method: 'GET',
          path: '/images/json',
          query: { filters: JSON.stringify({ label: [value === undefined ? name : `${name}=${value}`] }) },
        },
        (answer) => {
          if (answer.kind !== 'answered') return failed(engineProblem(answer, 'the list of images'));
          const images = answer.value as readonly { readonly Id: string; readonly RepoTags: readonly string[] | null }[];
          return succeeded(
            images.map((image) => ({ id: image.Id, refs: (image.RepoTags ?? []).filter((ref) => ref !== '<none>:<none>') })),
          );
        },
      ),
    containers: (labels) => {
      const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
      return ask({ method: 'GET', path: '/containers/json', query: { filters: JSON.stringify({ label }) } }, (answer) => {
        if (answer.kind !== 'answered') return failed(engineProblem(answer, 'the list of containers'));
        const running = answer.value as readonly { readonly Id: string; readonly Names?: readonly string[] }[];
        return succeeded(running.map(({ Id, Names: [name] = [] }) => name?.replace(/^\//, '') ?? Id).sort());
      });
    },
    async exec(command) {
      const engine = connected();
      if (!engine.ok) return engine;
      const subject = `to run ${command.command.join(' ')} in the container ${command.container}`;
      return execInContainer(engine.value, command, (answer) => failed(engineProblem(answer, subject)));
    },
  };
}

/** What goes into `repo` and `tag` of the API, which names Docker Hub's images as people do. */
function nameAndTag(ref: string): { readonly name: string; readonly tag: string } {
  const { tag } = parseImageRef(ref);
  return tag === undefined ? { name: ref, tag: 'latest' } : { name: ref.slice(0, -tag.length - 1), tag };
}

function doneUnless(answer: EngineAnswer<unknown>, subject: string): Result<void> {
  return answer.kind === 'answered' ? succeeded(undefined) : failed(engineProblem(answer, subject));
}

function engineProblem(answer: EngineAnswer<unknown>, subject: string): Problem {
  if (answer.kind === 'failed') return answer.problem;
  return engineRefused(subject, answer.kind === 'refused' ? answer.refusal.message : 'it answered');
}

interface InspectedImage {
  readonly Id: string;
  readonly Config?: {
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly OnBuild?: readonly string[] | null;
  } | null;
}

function imageConfig({ Id, Config }: InspectedImage): ImageConfig {
  return {
    id: Id,
    entrypoint: Config?.Entrypoint ?? [],
    command: Config?.Cmd ?? [],
    env: Config?.Env ?? [],
    workingDir: Config?.WorkingDir ?? '',
    user: Config?.User ?? '',
    labels: Config?.Labels ?? {},
    onBuild: Config?.OnBuild ?? [],
  };
}
