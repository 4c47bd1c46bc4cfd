import { posix } from 'node:path';
import type { ContainerPath } from '../model';
import { below } from './below';
import { isMeantAsFile } from './fileNames';
import { addDirectory, cover, type Landing, type PathKind, type Stage } from './stage';

/** A word of an instruction with its variables replaced, and the names of those whose value is not known. */
export interface ExpandedWord {
  readonly text: string;
  readonly unknown: readonly string[];
}

/** Where COPY or ADD says that something goes. */
export interface Destination {
  /** Not so while a variable in it is not known: then it may be anywhere. */
  readonly isKnown: boolean;
  readonly path: ContainerPath;
  /** By how it is written; without, it may still be one. */
  readonly isDirectory: boolean;
  readonly uncertain: string | undefined;
}

/** The destination as it is written, below the working directory of the stage. */
export function destinationOf(stage: Stage, { text: raw, unknown }: ExpandedWord): Destination {
  const relative = !raw.startsWith('/');
  const path = posix.normalize(posix.join(relative ? stage.workdir.path : '/', raw === '' ? '.' : raw)).replace(/(?<=.)\/$/, '');
  return {
    isKnown: unknown.length === 0,
    path,
    isDirectory: raw === '' || raw === '.' || raw.endsWith('/'),
    uncertain:
      relative && !stage.workdir.known && stage.base.kind === 'image'
        ? `the working directory of ${stage.base.name} is not known`
        : // Some versions of BuildKit take it for a directory, others do not.
          raw.endsWith('/.') && !stage.directories.has(path)
          ? `whether ${raw} is a directory depends on the builder`
          : undefined,
  };
}

/** One file on its way into a stage. */
export interface ArrivingFile {
  readonly name: string;
  /** What is linked is laid over the image without a look at what is there. */
  readonly isLinked: boolean;
  readonly line: number;
  readonly kindOf: (path: string) => PathKind | undefined;
}

/** Where one file lands: in the destination, or as it. A doubt says why that is not known. */
export function placeOfFile(
  stage: Stage,
  destination: Destination,
  { name, isLinked, line, kindOf }: ArrivingFile,
): { readonly path: ContainerPath; readonly doubt: string | undefined } {
  const { path } = destination;
  const isThere = isKnownDirectory(stage, path, kindOf);
  if (destination.isDirectory || (!isLinked && isThere)) {
    addDirectory(stage, path);
    return { path: posix.join(path, name), doubt: undefined };
  }
  addDirectory(stage, posix.dirname(path));
  if (!isLinked) return { path, doubt: mayBeDirectory(stage, path, { name, kindOf }) };
  if (isThere) replaceDirectory(stage, path, { because: `hidden by what is linked to ${path}`, line });
  return { path, doubt: undefined };
}

/** What does not come from the context, on its way into a stage. */
export interface OtherContent {
  /** Of the one file that it is. Undefined: it may be a directory, whose content comes over what is at the destination. */
  readonly name: string | undefined;
  readonly isLinked: boolean;
  readonly because: string;
  readonly line: number;
}

/** What does not come from the context lands in a stage. */
export function coverWith(stage: Stage, destination: Destination, content: OtherContent): void {
  const { name, isLinked } = content;
  const { path } = destination;
  if (!destination.isKnown) cover(stage, '/', content);
  else if (name === undefined) cover(stage, path, content);
  else if (destination.isDirectory || (!isLinked && stage.directories.has(path))) cover(stage, posix.join(path, name), content);
  else if (isLinked) replaceDirectory(stage, path, content);
  else cover(stage, path, content);
}

/** Whether an instruction of the Dockerfile made a directory at a path, or copied one there. */
export function isKnownDirectory(stage: Stage, path: ContainerPath, kindOf: ArrivingFile['kindOf']): boolean {
  return stage.directories.has(path) || stage.landings.some((landing) => !landing.filter && hasDirectory(landing, path, kindOf));
}

/** Whether what was copied has a directory for a path, be it left out or not. */
function hasDirectory({ containerPath, source }: Landing, path: ContainerPath, kindOf: ArrivingFile['kindOf']): boolean {
  const rest = containerPath === undefined ? undefined : below(containerPath, path);
  return rest !== undefined && rest !== '' && kindOf(posix.join(source, rest)) === 'dir';
}

/** Whether a destination without a final slash might be a directory that the base image, a RUN or an unknown source made: then the file lands in it. */
function mayBeDirectory(stage: Stage, path: ContainerPath, { name, kindOf }: Pick<ArrivingFile, 'name' | 'kindOf'>): string | undefined {
  const made = stage.runs.some((run) => run.includes(path));
  if (stage.unknownPlaces.has(path) || stage.landings.some((landing) => hasDirectory(landing, path, kindOf)))
    return `${path} is no directory for certain`;
  const looksLikeFile = isMeantAsFile(path) || posix.basename(path) === name;
  if (looksLikeFile && !made) return undefined;
  if ([...stage.unknownPlaces].some((place) => below(place, path) !== undefined)) return `${path} is no directory for certain`;
  if (stage.base.kind === 'scratch') return undefined;
  return `${path} may be a directory in ${stage.base.name}`;
}

/** A file takes the place of a directory, with all that is in it. */
function replaceDirectory(stage: Stage, path: ContainerPath, rebuild: { readonly because: string; readonly line: number }): void {
  for (const directory of stage.directories) if (below(path, directory) !== undefined) stage.directories.delete(directory);
  cover(stage, path, rebuild);
}
