import type { Location, Problem, WorkspacePath } from '../model';
import { nearest } from '../model';
import { isImage } from '../tag';
import { placeIn, type ProjectSettings } from './settings';

/** An image of the workspace that another one stands on, and who says so. */
export interface Required {
  readonly project: string;
  readonly location: Location | undefined;
}

export interface ConfiguredRequest extends ProjectSettings {
  /** Project → the name that its image has, or would have. */
  readonly imageNames: ReadonlyMap<string, string>;
}

export interface ConfiguredRequires {
  readonly required: readonly Required[];
  /** See `BuildRecipe.baseArgs`. */
  readonly baseArgs: Readonly<Record<string, string>>;
  readonly problems: readonly Problem[];
}

/** What `image.requires` of the config says. */
export function configuredRequires(request: ConfiguredRequest): ConfiguredRequires {
  const { project, config, imageNames } = request;
  const required: Required[] = [];
  const baseArgs: Record<string, string> = {};
  const problems: Problem[] = [];
  for (const [index, written] of (config.image?.requires ?? []).entries()) {
    const { project: name, arg } = typeof written === 'string' ? { project: written, arg: undefined } : written;
    const keys = ['image', 'requires', index];
    const location = placeIn(request, typeof written === 'string' ? keys : [...keys, 'project']);
    const image = imageNames.get(name);
    if (image === undefined) {
      const meant = nearest(name, imageNames.keys());
      problems.push({
        code: 'requiredUnknown',
        message: `${project.name}: image.requires names ${name}, which is no project of this workspace`,
        hint: meant === undefined ? 'write the name of a project with a Dockerfile' : `perhaps ${meant} was meant`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project: project.name,
        ...(location && { location }),
      });
      continue;
    }
    required.push({ project: name, location });
    if (arg !== undefined) baseArgs[arg] = image;
  }
  return { required, baseArgs, problems };
}

export interface FoundRequest {
  /** The project whose Dockerfile it is. */
  readonly project: string;
  readonly dockerfile: WorkspacePath;
  readonly text: string;
  /** Images that it stands on or copies from. */
  readonly bases: readonly string[];
  readonly images: readonly { readonly project: string; readonly image: string }[];
  readonly defaultRepo: string | undefined;
}

/** Images of the workspace that a Dockerfile names in `FROM` and `COPY --from`. */
export function foundRequires({ project, dockerfile, text, bases, images, defaultRepo }: FoundRequest): readonly Required[] {
  return bases.flatMap((base) =>
    images
      .filter((other) => other.project !== project && isImage(base, { image: other.image, repo: defaultRepo }))
      .map((other) => ({ project: other.project, location: { file: dockerfile, ...placeOf(base, text) } })),
  );
}

/** Where a Dockerfile names an image; nowhere when a variable stands for it. */
function placeOf(base: string, text: string): { readonly line?: number; readonly column?: number } {
  const lines = text.split('\n');
  const index = lines.findIndex((line) => /^\s*(FROM|COPY)\s/i.test(line) && line.split(/[\s=]+/).includes(base));
  return index < 0 ? {} : { line: index + 1, column: (lines[index] ?? '').indexOf(base) + 1 };
}

export interface Standing {
  readonly project: string;
  readonly required: readonly Required[];
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

/** Projects that require each other in a circle. One problem for each, at what closes the circle. */
export function circles(all: readonly Standing[], { code, message, hint }: CircleWords): readonly Problem[] {
  const requiredBy = new Map(all.map(({ project, required }) => [project, required] as const));
  return all.flatMap(({ project, required }): Problem[] => {
    for (const first of required) {
      const way = wayBack(first.project, project, requiredBy);
      if (!way) continue;
      return [
        {
          code,
          message: `${project}: ${message}: ${[project, ...way].join(' → ')}`,
          hint,
          retry: 'whenInputChanges',
          exitCode: 2,
          project,
          ...(first.location && { location: first.location }),
        },
      ];
    }
    return [];
  });
}

/** The shortest way from one project to another along what they require, both included. */
function wayBack(from: string, to: string, requiredBy: ReadonlyMap<string, readonly Required[]>): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]]);
  for (const at of cameFrom.keys()) {
    if (at === to) {
      const way: string[] = [];
      for (let step: string | undefined = to; step !== undefined; step = cameFrom.get(step)) way.unshift(step);
      return way;
    }
    for (const { project } of requiredBy.get(at) ?? []) if (!cameFrom.has(project)) cameFrom.set(project, at);
  }
  return undefined;
}
