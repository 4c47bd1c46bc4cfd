import { engineHead, needsEngine, sentDockerfile, type PathKind } from '../dockerfile';
import { failed, succeeded, type Result, type WorkspacePath } from '../model';
import type { DockerfileRequest } from './artifact';
import { custom, placeOfCommand } from './customImage';
import { joinPath } from './workspaceFiles';

export interface ChosenBuilder {
  /** As recipes have it: the kind, and the version of what it makes. */
  readonly builder: string;
  readonly because: string;
  /** See `Artifact.builderAsked`. */
  readonly asked?: true;
}

interface Choice {
  readonly context: WorkspacePath;
  readonly target: string | undefined;
  readonly kindOf: (path: WorkspacePath) => PathKind | undefined;
  readonly triggersOf: (image: string) => readonly string[];
}

/** Versions change when a builder makes something else of the same inputs. */
const docker = 'docker/1';
const layers = 'layers/1';
const both = 'docker+layers/1';
const buildkit = 'buildkit/1';

/**
 * What makes the image. It enters the tag, so it is decided from the Dockerfile and the config alone: every machine decides alike,
 * whatever engine or registry it has. Failure: `engineNeeded` (exit 2), when the config asks for `layers` and the Dockerfile for more.
 */
export function chooseBuilder(request: DockerfileRequest, { context, target, kindOf, triggersOf }: Choice): Result<ChosenBuilder> {
  const { config, own, project, text, args, dockerfile, imageKey: key } = request;
  const wanted = config.image?.builder ?? 'auto';
  const place = own?.config?.image?.builder === undefined ? 'slipway.yaml of the workspace' : own.path;
  if (config.image?.custom) {
    return succeeded({ builder: custom, because: `${key}.custom has a command (${placeOfCommand(request)})` });
  }
  if (wanted === 'buildkit') return succeeded({ builder: buildkit, because: `${key}.builder is buildkit in ${place}` });
  if (wanted === 'docker') return succeeded({ builder: docker, because: `${key}.builder is docker in ${place}` });
  const { platforms } = request;
  const [platform] = platforms;
  const options = {
    args,
    ...(platform !== undefined && { platform }),
    ...(target !== undefined && { target }),
    kindOf: (path: string) => kindOf(joinPath(context, path)),
    triggersOf,
  };
  const needs = platforms.slice(1).map((other) => needsEngine(text, { ...options, platform: other }));
  const need = needsEngine(text, options) ?? needs.find((other) => other !== undefined);
  if (!need) {
    const because = wanted === 'layers' ? `${key}.builder is layers in ${place}` : `nothing in ${dockerfile} needs an engine`;
    return succeeded({ builder: layers, because, ...(wanted === 'layers' && { asked: true }) });
  }
  const { noCache, cacheTo } = config.image?.docker ?? {};
  // What the engine made of the first part is used again, and says nothing of its steps.
  const ownWay = noCache === true ? `${key}.docker.noCache` : cacheTo === undefined ? undefined : `${key}.docker.cacheTo`;
  if (wanted === 'auto' && ownWay !== undefined) return succeeded({ builder: docker, because: `${ownWay} is for the whole image` });
  // What an engine has made is for the platform of its machine.
  const head =
    wanted === 'auto' && platforms.length <= 1
      ? engineHead(text, { ...options, dockerfile: sentDockerfile({ context, dockerfile }) })
      : undefined;
  if (head) return succeeded({ builder: both, because: `${head.because} (${dockerfile}:${head.line}) is the last that needs an engine` });
  if (wanted === 'auto') return succeeded({ builder: docker, because: `${need.because} (${dockerfile}:${need.line}) needs an engine` });
  return failed({
    code: 'engineNeeded',
    message: `${key}.builder is layers, but ${need.because} needs an engine`,
    hint: `set ${key}.builder to auto or docker in slipway.yaml, or change the instruction`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project: project.name,
    location: { file: dockerfile, line: need.line },
  });
}
