import { readFile } from 'node:fs/promises';
import { isAbsolute, relative } from 'node:path';
import {
  failed,
  messageOf,
  succeeded,
  type Artifact,
  type ArtifactName,
  type Goal,
  type Problem,
  type Result,
  type Workspace,
} from '../model';
import { digestOfRef, parseReference } from '../tag';
import type { Session } from './session';

/** Images that were built before, as the document of a build names them. */
export interface GivenImages {
  /** For people: from the workspace, when it lies there. */
  readonly file: string;
  readonly images: readonly GivenImage[];
}

interface GivenImage {
  /** What is told of it: the name that it has here, its project and its name in manifests; in a document of Skaffold the last alone. */
  readonly names: { readonly artifact?: string; readonly project?: string; readonly image?: string };
  readonly ref: string;
  /** What it was made from. Absent: the document does not say so, or says it of another image than that of the reference. */
  readonly inputs?: string;
}

/** Reads what `slipway build --file-output` wrote; what `skaffold build --file-output` wrote will do. `path` and `root` are absolute. */
export async function readGivenImages(path: string, root: string): Promise<Result<GivenImages>> {
  const below = relative(root, path);
  const file = below.startsWith('..') || isAbsolute(below) ? path : below;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    return failed(invalid(file, 'cannot be read', messageOf(error)));
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return failed(invalid(file, 'is not JSON', messageOf(error)));
  }
  const images = imagesIn(value);
  if (!images) return failed(invalid(file, 'is not the document of a build', undefined));
  for (const { names, ref } of images) {
    const reference = parseReference(ref);
    const name = names.artifact ?? names.project ?? names.image ?? '';
    if (!reference.ok) return failed(invalid(file, `has a reference for ${name} that is none`, reference.problem.message));
  }
  return succeeded({ file, images });
}

function imagesIn(value: unknown): readonly GivenImage[] | undefined {
  const { images, builds } = Object(value) as { readonly images?: unknown; readonly builds?: unknown };
  const list = Array.isArray(images) ? images : Array.isArray(builds) ? builds : undefined;
  const found = list?.map((each: unknown) => {
    const { artifact, project, image, ref, imageName, tag, inputs, digest } = Object(each) as Readonly<Record<string, unknown>>;
    const names = { ...named('artifact', artifact), ...named('project', project), ...named('image', image ?? imageName) };
    const reference = ref ?? tag;
    if (Object.keys(names).length === 0 || typeof reference !== 'string') return undefined;
    // A reference that somebody put in its place leads to an image of which nothing is known.
    const isOfRef = (digestOfRef(reference) ?? digest) === digest;
    return { names, ref: reference, ...(typeof inputs === 'string' && isOfRef && { inputs }) };
  });
  return found?.every((each) => each !== undefined) === true ? found : undefined;
}

function named(key: keyof GivenImage['names'], value: unknown): GivenImage['names'] {
  return typeof value === 'string' ? { [key]: value } : {};
}

/** The image of an artifact, by the first of the names that anything has; a project's name is that of its only image. */
function imageFor({ name, project, image }: Artifact, images: readonly GivenImage[]): GivenImage | undefined {
  return (
    images.find(({ names }) => names.artifact === name) ??
    images.find(({ names }) => names.image === image) ??
    images.find(({ names }) => names.artifact === undefined && names.project === project && project === name)
  );
}

/**
 * A session in which the goal's images are those that were given: nothing of how they are made counts any more, and nobody says
 * that they were made from the files as they are.
 */
export function withGivenImages(session: Session, goal: Goal, { file, images }: GivenImages): Result<Session> {
  const { workspace } = session.read;
  const artifacts = new Map<ArtifactName, Artifact>();
  const missing: string[] = [];
  for (const name of goal.artifacts) {
    const artifact = workspace.artifacts.get(name);
    const image = artifact && imageFor(artifact, images);
    if (!artifact) continue;
    if (!image) {
      missing.push(artifact.name);
      continue;
    }
    artifacts.set(name, asGiven(artifact, image));
  }
  if (missing.length > 0) return failed(notGiven(file, missing));
  const read = { ...session.read, workspace: { ...workspace, artifacts, targets: new Map() } };
  return succeeded({ ...session, read });
}

/** A workspace in which the images of some projects are those that are named. */
export function withNamedImages(workspace: Workspace, named: ReadonlyMap<string, string>): Workspace {
  if (named.size === 0) return workspace;
  const artifacts = new Map(
    [...workspace.artifacts].map(([name, artifact]): readonly [ArtifactName, Artifact] => {
      // Of a project with several images it is the one that is called like the project.
      const ref = name === artifact.project ? named.get(artifact.project) : undefined;
      return [name, ref === undefined ? artifact : asGiven(artifact, { ref })];
    }),
  );
  return { ...workspace, artifacts };
}

/** An image of which nothing counts but that it is there. */
function asGiven(artifact: Artifact, { ref, inputs }: Pick<GivenImage, 'ref' | 'inputs'>): Artifact {
  return {
    ...artifact,
    recipe: { ...artifact.recipe, builder: `given ${ref}` },
    inputs: [],
    requires: [],
    targets: [],
    given: { ref, digest: digestOfRef(ref) ?? '' },
    ...(inputs !== undefined && { givenInputs: inputs }),
  };
}

function notGiven(file: string, projects: readonly string[]): Problem {
  return {
    code: 'imageNotGiven',
    message: `${file} has no image of ${projects.join(' and ')}`,
    hint: `build ${projects.length === 1 ? 'it' : 'them'} too: slipway build --file-output ${file}, or name the projects that are to be deployed`,
    retry: 'never',
    exitCode: 2,
    location: { file },
  };
}

function invalid(file: string, what: string, detail: string | undefined): Problem {
  return {
    code: 'buildArtifactsInvalid',
    message: `${file} ${what}`,
    hint: 'name a file that slipway build --file-output wrote',
    retry: 'never',
    exitCode: 2,
    location: { file },
    ...(detail !== undefined && { detail }),
  };
}
