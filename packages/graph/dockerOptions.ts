import type { SecretConfig } from '../config';
import type { BuildRecipe, BuildSecret, BuildSettings, BuildSsh, Problem } from '../model';
import { imageTextsOf, type TextsRequest } from './imageTexts';
import { placeIn } from './settings';
import { joinPath } from './workspaceFiles';

export interface DockerOptions {
  /** What changes the image, apart from its arguments. */
  readonly recipe: Pick<BuildRecipe, 'platform' | 'labels' | 'lateLabels' | 'network' | 'addHosts'>;
  readonly settings: BuildSettings | undefined;
  readonly problems: readonly Problem[];
}

const keysOf = (...rest: readonly (string | number)[]) => ['image', 'docker', ...rest];

/** What `image.platform` and `image.docker` say beside Dockerfile, target and arguments. */
export function dockerOptionsOf(request: TextsRequest, platforms: readonly string[]): DockerOptions {
  const { docker = {} } = request.config.image ?? {};
  const platform = platforms.join(',');
  const { labels: written = {}, network, addHosts = {} } = docker;
  const labels = imageTextsOf(request, { written, keys: keysOf('labels'), what: 'the label' });
  const cacheFrom = cacheImagesOf(request, 'cacheFrom', docker.cacheFrom ?? []);
  const cacheTo = cacheImagesOf(request, 'cacheTo', Array.isArray(docker.cacheTo) ? docker.cacheTo : []);
  const settings: BuildSettings = {
    cacheFrom: cacheFrom.templates,
    inlineCache: docker.cacheTo === 'inline',
    cacheTo: cacheTo.templates,
    pull: docker.pull === true,
    noCache: docker.noCache === true,
    ...(typeof docker.buildkit === 'boolean' && { buildkit: docker.buildkit ? 'needed' : 'none' }),
    secrets: (docker.secrets ?? []).map((secret, index) => secretOf(request, secret, index)),
    ssh: sshOf(request),
  };
  const isUsual = Object.values(settings).every((value) => value === false || (Array.isArray(value) && value.length === 0));
  return {
    recipe: {
      ...(platform !== '' && { platform }),
      ...(isEmpty(labels.values) ? {} : { labels: labels.values }),
      ...(isEmpty(labels.late) ? {} : { lateLabels: labels.late }),
      ...(network !== undefined && network !== 'default' && { network }),
      ...(isEmpty(addHosts) ? {} : { addHosts }),
    },
    settings: isUsual ? undefined : settings,
    problems: [...labels.problems, ...cacheFrom.problems, ...cacheTo.problems, ...buildkitProblems(request)],
  };
}

/** What only BuildKit has, told where it is asked for beside `buildkit: false`. */
function buildkitProblems(request: TextsRequest): readonly Problem[] {
  const { docker = {} } = request.config.image ?? {};
  if (docker.buildkit !== false) return [];
  const asked = (['secrets', 'ssh', 'cacheTo'] as const).filter((key) => docker[key] !== undefined);
  return asked.map((key) => {
    const location = placeIn(request, keysOf('buildkit'));
    return {
      code: 'buildkitNeeded',
      message: `${request.artifact}: ${request.imageKey}.docker.${key} needs BuildKit, and ${request.imageKey}.docker.buildkit is false`,
      hint: 'leave one of them out',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    };
  });
}

/** Whatever is known now is filled in; the rest when the image has its name. */
function cacheImagesOf(
  request: TextsRequest,
  key: 'cacheFrom' | 'cacheTo',
  written: readonly string[],
): { readonly templates: readonly string[]; readonly problems: readonly Problem[] } {
  const { values, late, problems } = imageTextsOf(request, {
    written: Object.fromEntries(written.entries()),
    keys: keysOf(key),
    what: `the image of ${key}`,
  });
  const escaped = (index: string): string | undefined => values[index]?.replaceAll('$', '$$$$');
  return { templates: written.map((_, index) => escaped(String(index)) ?? late[index] ?? ''), problems };
}

function secretOf(request: TextsRequest, { id, env, src = '' }: SecretConfig, index: number): BuildSecret {
  const key = env === undefined ? 'src' : 'env';
  const location = placeIn(request, keysOf('secrets', index, key));
  const from: BuildSecret['from'] =
    env === undefined
      ? { kind: 'file', path: /^(\/|~\/)/.test(src) ? src : joinPath(request.project.root, src) }
      : { kind: 'env', name: env };
  return { id, from, ...(location && { location }) };
}

function sshOf(request: TextsRequest): readonly BuildSsh[] {
  return (request.config.image?.docker?.ssh ?? []).map((written, index): BuildSsh => {
    const location = placeIn(request, keysOf('ssh', index));
    const agent = typeof written === 'string' ? { id: written } : written;
    return { ...agent, ...(location && { location }) };
  });
}

function isEmpty(texts: object): boolean {
  return Object.keys(texts).length === 0;
}
