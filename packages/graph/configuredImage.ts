import type { Problem } from '../model';
import { parseReference } from '../tag';
import type { ArtifactRequest } from './artifact';
import { buildCommandOf } from './customImage';
import { dockerOptionsOf } from './dockerOptions';
import { imageTextsOf } from './imageTexts';
import { configuredRequires } from './requires';
import { placeIn } from './settings';
import { taggerOf } from './tagger';
import { leadsOut } from './workspaceFiles';

/** What the config says of an image, whatever its Dockerfile does. */
export function configuredImage(request: ArtifactRequest) {
  const { docker, custom } = request.config.image ?? {};
  const args = imageTextsOf(request, { written: docker?.args ?? {}, keys: ['image', 'docker', 'args'], what: 'the build argument' });
  const platforms = platformsFor(request);
  const options = dockerOptionsOf(request, platforms);
  const configured = configuredRequires(request);
  const command = custom && buildCommandOf(request, custom);
  const tag = taggerOf(request);
  const problems = [
    ...customMissing(request),
    ...nameProblems(request),
    ...platformProblems(request),
    ...(command?.problems ?? []),
    ...args.problems,
    ...options.problems,
    ...configured.problems,
    ...tag.problems,
  ];
  return { args, platforms, options, configured, required: configured.required, command, tag, problems };
}

/** What runs while somebody works on it runs on one machine. */
function platformsFor({ config, mode, machine }: ArtifactRequest): readonly string[] {
  const { platform, platforms } = config.image ?? {};
  if (!platforms) return platform === undefined ? [] : [platform];
  const [first = ''] = platforms;
  if (mode === 'dev') return [machine !== undefined && platforms.includes(machine) ? machine : first];
  // The same image, however they are listed.
  return [...platforms].sort();
}

/** What lies above the workspace is no part of it: nobody watches it, and another machine has something else there. */
export function pathsLeadingOut(request: ArtifactRequest): readonly Problem[] {
  const { project, artifact, config, imageKey } = request;
  const { context, docker } = config.image ?? {};
  const paths = [
    { keys: ['context'], path: context, what: 'the context' },
    { keys: ['docker', 'file'], path: docker?.file, what: 'the Dockerfile' },
  ];
  return paths.flatMap(({ keys, path, what }): Problem[] => {
    if (path === undefined || !leadsOut(project.root, path)) return [];
    const location = placeIn(request, ['image', ...keys]);
    return [
      {
        code: 'outsideWorkspace',
        message: `${artifact}: ${what} ${path} lies above the workspace`,
        hint: `${imageKey}.${keys.join('.')} is relative to ${project.root === '' ? 'the workspace' : project.root}, and may lead up to the root of the workspace`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project: project.name,
        ...(location && { location }),
      },
    ];
  });
}

/** `builder: custom` is nothing without a command. */
function customMissing(request: ArtifactRequest): readonly Problem[] {
  const { builder, custom } = request.config.image ?? {};
  if (builder !== 'custom' || custom) return [];
  const location = placeIn(request, ['image', 'builder']);
  return [
    {
      code: 'commandMissing',
      message: `${request.artifact}: ${request.imageKey}.builder is custom, and ${request.imageKey}.custom.command does not say how the image is made`,
      hint: 'write the command, or leave image.builder out',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    },
  ];
}

/** A name that no registry takes, or that says what Slipway decides. */
function nameProblems({ project, own, image, imageKey, artifact }: ArtifactRequest): readonly Problem[] {
  const name = parseReference(image);
  if (name.ok && name.value.tag === undefined && name.value.digest === undefined) return [];
  const place = { project: project.name, ...(own && { location: own.locate(['image', 'name']) }) };
  if (!name.ok) return [{ ...name.problem, ...place, hint: `set ${imageKey}.name in slipway.yaml` }];
  return [
    {
      code: 'imageNameInvalid',
      message: `${artifact}: the image name ${image} has a tag or a digest, which Slipway sets itself`,
      hint: `leave it out of ${imageKey}.name in slipway.yaml`,
      retry: 'whenInputChanges',
      exitCode: 2,
      ...place,
    },
  ];
}

/** One platform, and several: whoever wrote both thinks of one of them. */
function platformProblems(request: ArtifactRequest): readonly Problem[] {
  const { platform, platforms } = request.config.image ?? {};
  if (platform === undefined || platforms === undefined) return [];
  const location = placeIn(request, ['image', 'platform']);
  return [
    {
      code: 'platformsTwice',
      message: `${request.artifact}: ${request.imageKey} says platform and platforms, and one of them is enough`,
      hint: 'leave platform out; platforms takes one as well',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    },
  ];
}
