import { posix } from 'node:path';
import type { ContainerPath } from '../model';
import { below } from './below';
import { coverWith, placeOfFile, type Destination } from './destination';
import { isCalledLikeFile } from './fileNames';
import { isOn, type Instruction } from './instructions';
import { linkIn } from './links';
import { addDirectory, cover, type Landing, type PathKind, type Stage } from './stage';
import { hasWildcard } from './wildcard';

export interface StageCopy {
  readonly instruction: Instruction;
  readonly from: Stage;
  readonly sources: readonly string[];
  readonly destination: Destination;
  /** Whether every variable in it is known. */
  readonly certain: boolean;
  readonly kindOf: (path: string) => PathKind | undefined;
}

/**
 * `COPY --from` of an earlier stage. Files that went into that stage unchanged are followed to where they land now; the rest of what it took
 * is read by whatever made the files that are copied.
 */
export function copyFromStage(stage: Stage, copy: StageCopy): void {
  const { instruction, from, destination } = copy;
  const plain = copy.certain && instruction.flags.every((flag) => flag.name === 'from' || flag.name === 'chown' || flag.name === 'link');
  stage.consumed.push(...readBy(from, instruction.line));
  for (const raw of copy.sources) {
    const source = posix.normalize(`/${raw}`).replace(/(?<=.)\/$/, '');
    // What a RUN read, or what is rebuilt anyway, has been taken as consumed above.
    const again = from.landings.filter(({ rebuild }) => !rebuild);
    const isFollowable = plain && !hasWildcard(raw) && !again.some((landing) => leadsThroughLink(landing, source, copy));
    const moves = again.flatMap((landing): Landing[] => {
      const moved = isFollowable ? followed(landing, source, copy) : 'unknown';
      if (moved === undefined) return [];
      const known = moved === 'unknown' ? undefined : landed({ moved, source, destination, stage, copy });
      if (moved !== 'unknown' && known !== undefined && destination.uncertain === undefined)
        return [{ ...landing, source: moved.source, containerPath: known, line: instruction.line }];
      const because = `copied again by COPY --from=${from.name ?? String(from.index)} in a way that is not followed`;
      return [{ ...landing, containerPath: undefined, rebuild: { because, line: instruction.line } }];
    });
    coverBySource(stage, { raw, source, isFollowed: moves.every(({ rebuild }) => !rebuild), destination, copy });
    stage.landings.push(...moves);
  }
  if (destination.isDirectory) addDirectory(stage, destination.path);
}

interface CoveringSource {
  /** As the instruction has it, and as a path. */
  readonly raw: string;
  readonly source: ContainerPath;
  /** Whether it is known of all files of the context that it holds where they land. */
  readonly isFollowed: boolean;
  readonly destination: Destination;
  readonly copy: StageCopy;
}

/** What else than files of the context is copied, or lands nobody knows where, hides what was there before. */
function coverBySource(stage: Stage, { raw, source, isFollowed, destination, copy }: CoveringSource): void {
  const { from, instruction } = copy;
  const within = from.landings.filter(
    (landing) => !landing.rebuild && landing.containerPath !== undefined && below(landing.containerPath, source) !== undefined,
  );
  const holdsNothingElse = from.base.kind === 'scratch' && from.runs.length === 0 && from.landings.every(({ rebuild }) => !rebuild);
  const because = `hidden by COPY --from=${from.name ?? String(from.index)}`;
  const { line } = instruction;
  if (isFollowed && (within.length > 0 || holdsNothingElse)) {
    const isFile = within.some((landing) => isFileIn(landing, source, copy));
    if (!isFile) coverWithDirectory(stage, { from, source, to: destination.path, because, line });
    return;
  }
  const name = fileNameIn({ raw, source, destination, from });
  coverWith(stage, destination, { name, isLinked: isOn(instruction, 'link'), because, line });
}

interface CopiedDirectory {
  readonly from: Stage;
  readonly source: ContainerPath;
  readonly to: ContainerPath;
  readonly because: string;
  readonly line: number;
}

/** Of a directory whose files are followed, what is not known of the stage that it comes from is not known where it lands. */
function coverWithDirectory(stage: Stage, { from, source, to, ...rebuild }: CopiedDirectory): void {
  for (const place of from.unknownPlaces) {
    const rest = below(source, place);
    if (rest !== undefined) cover(stage, posix.join(to, rest), rebuild);
    else if (below(place, source) !== undefined) cover(stage, to, rebuild);
  }
  for (const directory of from.directories) {
    const rest = below(source, directory);
    if (rest !== undefined) addDirectory(stage, posix.join(to, rest));
  }
}

/** The name of the one file that is copied. Undefined: a directory may be, whose content comes over what is at the destination. */
function fileNameIn({ raw, source, destination, from }: Pick<CoveringSource, 'raw' | 'source' | 'destination'> & Pick<StageCopy, 'from'>) {
  const name = posix.basename(source);
  const isFile = isCalledLikeFile(raw) && !hasWildcard(raw) && !from.directories.has(source);
  // A directory mostly keeps its name: `vue.js` onto `/opt/vue.js`.
  return isFile && name !== posix.basename(destination.path) ? name : undefined;
}

/** Everything that the content of a stage depends on beyond the plain files in it. */
export function readBy(from: Stage, line: number): Landing[] {
  const through = from.landings.filter((landing) => landing.rebuild).map((landing) => ({ ...landing, containerPath: undefined }));
  return [...from.consumed, ...through].map((landing) => (landing.rebuild ? landing : { ...landing, rebuild: { because: 'read', line } }));
}

interface Moved {
  readonly source: string;
  /** Below what is copied; `''` when it is what is copied. */
  readonly rest: string;
  readonly isFile: boolean;
}

/** The part of a landing that a path of its stage holds. Undefined: nothing of it. */
function followed(landing: Landing, path: ContainerPath, { kindOf }: StageCopy): Moved | 'unknown' | undefined {
  if (landing.containerPath === undefined) return 'unknown';
  const isFile = landing.filter === undefined && kindOf(landing.source) === 'file';
  const inside = below(path, landing.containerPath);
  if (inside !== undefined) return { source: landing.source, rest: inside, isFile };
  const within = below(landing.containerPath, path);
  if (within === undefined || isFile) return undefined;
  const source = landing.source === '' ? within : `${landing.source}/${within}`;
  const kind = kindOf(source);
  if (kind === undefined) return undefined;
  // A filter was made for the whole of what was copied first.
  if (landing.filter) return 'unknown';
  return { source, rest: '', isFile: kind === 'file' };
}

function isFileIn(landing: Landing, path: ContainerPath, copy: StageCopy): boolean {
  const moved = followed(landing, path, copy);
  return moved !== undefined && moved !== 'unknown' && moved.rest === '' && moved.isFile;
}

/** Whether a path of its stage is reached by a link that was copied: what it leads to may be anywhere in the stage. */
function leadsThroughLink({ containerPath, source }: Landing, path: ContainerPath, { kindOf }: StageCopy): boolean {
  const rest = containerPath === undefined ? undefined : below(containerPath, path);
  return rest !== undefined && rest !== '' && linkIn(posix.join(source, rest), kindOf) !== undefined;
}

interface Landed {
  readonly moved: Moved;
  readonly source: ContainerPath;
  readonly destination: Destination;
  readonly stage: Stage;
  readonly copy: StageCopy;
}

function landed({ moved, source, destination, stage, copy }: Landed): ContainerPath | undefined {
  if (moved.rest !== '' || !moved.isFile) {
    addDirectory(stage, destination.path);
    return posix.join(destination.path, moved.rest);
  }
  const { instruction, kindOf } = copy;
  const name = posix.basename(source);
  const { path, doubt } = placeOfFile(stage, destination, { name, isLinked: isOn(instruction, 'link'), line: instruction.line, kindOf });
  return doubt === undefined ? path : undefined;
}
