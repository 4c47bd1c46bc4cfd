import type { ArtifactName, Location, Problem, WorkspacePath } from '../model';
import { fullName, nearest } from '../model';
import { isImage, isOfficialImage } from '../tag';
import type { ImageSettings } from './imageSettings';
import { placeIn } from './settings';

/** An image of the workspace that another one stands on, and who says so. */
export interface Required {
  readonly name: ArtifactName;
  readonly location: Location | undefined;
}

export interface ConfiguredRequest extends ImageSettings {
  /** What the images of all projects are called, or would be. */
  readonly allImages: readonly ImageSettings[];
}

export interface ConfiguredRequires {
  readonly required: readonly Required[];
  /** See `BuildRecipe.baseArgs`. */
  readonly baseArgs: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** What `image.requires` of the config says. */
export function configuredRequires(request: ConfiguredRequest): ConfiguredRequires {
  const required: Required[] = [];
  const baseArgs: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [index, written] of (request.config.image?.requires ?? []).entries()) {
    const wanted = typeof written === 'string' ? { project: written } : written;
    const at = (key: string) => placeIn(request, ['image', 'requires', index, ...(typeof written === 'string' ? [] : [key])]);
    const { images, problem } = imagesMeant(request, wanted);
    if (problem) {
      const { key, ...rest } = problem;
      const location = at(key);
      problems.push({
        code: 'requiredUnknown',
        retry: 'whenInputChanges',
        exitCode: 2,
        project: request.project.name,
        ...(location && { location }),
        ...rest,
      });
      continue;
    }
    const location = at('project');
    for (const { artifact } of images) required.push({ name: artifact, location });
    const [only] = images;
    if (wanted.arg !== undefined && only) baseArgs[wanted.arg] = only.image;
  }
  return { required, baseArgs, problems };
}

type Wanted = Exclude<NonNullable<NonNullable<ImageSettings['config']['image']>['requires']>[number], string>;

interface Meant {
  readonly images: readonly ImageSettings[];
  readonly problem?: { readonly key: 'project' | 'artifact' | 'arg'; readonly message: string; readonly hint: string };
}

/** The images that one entry stands for; of the project's own, the others. */
function imagesMeant({ artifact, imageKey, allImages }: ConfiguredRequest, { project: written, artifact: one, arg }: Wanted): Meant {
  const says = `${artifact}: ${imageKey}.requires names ${written}`;
  const project = fullName(written, [...new Set(allImages.map((image) => image.project.name))]);
  const ofProject = allImages.filter((image) => image.project.name === project && image.artifact !== artifact);
  if (!allImages.some((image) => image.project.name === project)) {
    const meant = nearest(project, new Set(allImages.map((image) => image.project.name)));
    const hint = meant === undefined ? 'write the name of a project with a Dockerfile' : `perhaps ${meant} was meant`;
    return { images: [], problem: { key: 'project', message: `${says}, which is no project of this workspace`, hint } };
  }
  const named = ofProject.flatMap(({ nameInProject }) => (nameInProject === undefined ? [] : [nameInProject]));
  if (one !== undefined) {
    const images = ofProject.filter(({ nameInProject }) => nameInProject === one);
    if (images.length > 0) return { images };
    const hint = named.length === 0 ? 'it has one image, so leave artifact out' : `its images: ${named.join(', ')}`;
    return { images, problem: { key: 'artifact', message: `${says}, which has no image ${one}`, hint } };
  }
  if (arg === undefined || ofProject.length <= 1) return { images: ofProject };
  const hint = `say which one goes into ${arg}: artifact: ${named.join(', or ')}`;
  return { images: [], problem: { key: 'arg', message: `${says}, which has ${ofProject.length} images`, hint } };
}

export interface FoundRequest extends ConfiguredRequest {
  readonly dockerfile: WorkspacePath;
  readonly text: string;
  /** Images that it stands on or copies from. */
  readonly bases: readonly string[];
  readonly defaultRepo: string | undefined;
}

/** The images of the workspace that a reference in the Dockerfile of another one means. */
export function imagesNamed(
  reference: string,
  { artifact, allImages, defaultRepo }: Pick<FoundRequest, 'artifact' | 'allImages' | 'defaultRepo'>,
): readonly ImageSettings[] {
  if (isOfficialImage(reference)) return [];
  return allImages.filter((other) => other.artifact !== artifact && isImage(reference, { image: other.image, repo: defaultRepo }));
}

/** Images of the workspace that a Dockerfile names in `FROM` and `COPY --from`. */
export function foundRequires({ artifact, dockerfile, text, bases, allImages, defaultRepo }: FoundRequest): readonly Required[] {
  return bases.flatMap((base) =>
    imagesNamed(base, { artifact, allImages, defaultRepo }).map((other) => ({
      name: other.artifact,
      location: { file: dockerfile, ...placeOf(base, text) },
    })),
  );
}

/** Where a Dockerfile names an image; nowhere when a variable stands for it. */
function placeOf(base: string, text: string): { readonly line?: number; readonly column?: number } {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => /^\s*(FROM|COPY)\s/i.test(line) && line.split(/[\s=]+/).includes(base));
  return index < 0 ? {} : { line: index + 1, column: (lines[index] ?? '').indexOf(base) + 1 };
}

/** Something that may stand on others: an image, or what a project deploys. */
export interface Standing {
  readonly name: string;
  readonly project: string;
  readonly required: readonly { readonly name: string; readonly location: Location | undefined }[];
}

/** What is wrong with things that require themselves. */
export interface CircleWords {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Images that stand on each other in a circle can never be made. */
export const circularImages: CircleWords = {
  code: 'requiresCircular',
  message: 'its image stands on itself',
  hint: 'take one of them out of image.requires, or out of FROM',
};

/** What is wrong with those that require each other in a circle, by their names: one problem for each, at what closes the circle. */
export function circles(all: readonly Standing[], { code, message, hint }: CircleWords): ReadonlyMap<string, Problem> {
  const requiredBy = new Map(all.map(({ name, required }) => [name, required] as const));
  const problems = new Map<string, Problem>();
  for (const { name, project, required } of all) {
    const closing = required.map((first) => ({ first, way: wayBack(first.name, name, requiredBy) })).find(({ way }) => way !== undefined);
    if (!closing?.way) continue;
    const { location } = closing.first;
    problems.set(name, {
      code,
      message: `${name}: ${message}: ${[name, ...closing.way].join(' → ')}`,
      hint,
      retry: 'whenInputChanges',
      exitCode: 2,
      project,
      ...(location && { location }),
    });
  }
  return problems;
}

/** The shortest way from one to another along what they require, both included. */
function wayBack(from: string, to: string, requiredBy: ReadonlyMap<string, Standing['required']>): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  for (const at of cameFrom.keys()) {
    if (at === to) {
      const way: string[] = [];
      for (let step: string | undefined = to; step !== undefined; step = cameFrom.get(step)) way.unshift(step);
      return way;
    }
    for (const { name } of requiredBy.get(at) ?? []) if (!cameFrom.has(name)) cameFrom.set(name, at);
  }
  return undefined;
}
