import { posix } from 'node:path';
import { below } from './below';
import { coverWith, isKnownDirectory, placeOfFile, type Destination } from './destination';
import { isOn, type Instruction } from './instructions';
import { linkIn } from './links';
import { pathMatcher } from './pathMatcher';
import { addDirectory, cover, type Landing, type LandingFilter, type PathKind, type Stage } from './stage';
import { hasWildcard, wildcard, type Wildcard } from './wildcard';

/** A path of the context that an instruction names. */
export interface LocalSource {
  readonly path: string;
  readonly wildcard: boolean;
  readonly line: number;
}

/** COPY or ADD with its variables replaced. */
export interface CopyRequest {
  readonly instruction: Instruction;
  readonly sources: readonly string[];
  /** Names of variables in the sources or the destination whose value is not known. */
  readonly unknown: readonly string[];
  readonly destination: Destination;
  readonly kindOf: (path: string) => PathKind | undefined;
  readonly namesIn: (directory: string) => readonly string[];
}

/** Adds to a stage what COPY or ADD takes from the context. Returns the paths it names. */
export function copyFromContext(stage: Stage, request: CopyRequest): LocalSource[] {
  const { instruction, destination } = request;
  const flags = copyFlags(instruction);
  // BuildKit takes several sources without a final slash too, and copies them one after another.
  const severalIntoOne =
    request.sources.length > 1 && !destination.isDirectory && (flags.link || !isKnownDirectory(stage, destination.path, request.kindOf));
  const line = instruction.line;
  const base = { filter: undefined, mode: flags.mode, line };
  if (request.unknown.length > 0) {
    const because = `the value of ${request.unknown.join(', ')} is not known before the build`;
    cover(stage, '/', { because, line });
    stage.landings.push({ ...base, source: '', containerPath: undefined, rebuild: { because, line } });
    return [];
  }
  const named: LocalSource[] = [];
  for (const raw of request.sources) {
    if (instruction.keyword === 'ADD' && isRemote(raw)) {
      const name = flags.unpacks ? undefined : loadedName(raw);
      coverWith(stage, destination, { name, isLinked: flags.link, because: `hidden by what ADD loads from ${raw}`, line });
      continue;
    }
    const [pivot, path] = splitPivot(raw, flags.parents);
    named.push({ path: unescaped(path), wildcard: hasWildcard(path), line });
    const uncertain =
      destination.uncertain ?? flags.uncertain ?? (severalIntoOne ? `${destination.path} is no directory for certain` : undefined);
    const link = linkOnTheWay(path, request.kindOf);
    const landings = link
      ? [rebuildFor('', `${link} is a link, and what it leads to is copied`, line)]
      : flags.parents
        ? withParents({ pivot, path, destination, request })
        : hasWildcard(path)
          ? matched(path, { destination, request, stage })
          : [single(stage, unescaped(path), { destination, request, flags })];
    for (const { hides, ...landing } of landings) {
      const complete = { ...base, ...landing };
      const why = complete.rebuild?.because ?? uncertain;
      if (why !== undefined && (hides ?? true)) cover(stage, destination.path, { because: why, line });
      stage.landings.push(why === undefined ? complete : { ...complete, containerPath: undefined, rebuild: { because: why, line } });
    }
  }
  if (destination.isDirectory) addDirectory(stage, destination.path);
  return named;
}

interface CopyFlags {
  readonly parents: boolean;
  readonly link: boolean;
  readonly exclude: readonly string[];
  readonly mode: number | undefined;
  readonly unpacks: boolean;
  /** A flag whose effect on files is not followed. */
  readonly uncertain: string | undefined;
}

function copyFlags(instruction: Instruction): CopyFlags {
  const on = (name: string) => isOn(instruction, name);
  const chmod = instruction.flags.find((flag) => flag.name === 'chmod')?.value;
  const octal = chmod !== undefined && /^0?[0-7]{3,4}$/.test(chmod);
  return {
    parents: on('parents'),
    link: on('link'),
    exclude: excludesOf(instruction),
    mode: octal ? Number.parseInt(chmod, 8) : undefined,
    unpacks: on('unpack'),
    uncertain: chmod !== undefined && !octal ? `--chmod=${chmod} depends on the file` : on('unpack') ? '--unpack unpacks it' : undefined,
  };
}

/** The directory that is a link, of those that a path leads through. */
function linkOnTheWay(path: string, kindOf: CopyRequest['kindOf']): string | undefined {
  return linkIn(hasWildcard(path) ? (wildcard(path)?.directory ?? '') : unescaped(path).replace(/[^/]*$/, ''), kindOf);
}

function excludesOf(instruction: Instruction): readonly string[] {
  return instruction.flags.flatMap((flag) => (flag.name === 'exclude' && flag.value !== undefined ? [flag.value] : []));
}

export function isRemote(source: string): boolean {
  return /^(https?|git|ssh|ftp):\/\//.test(source) || /^git@/.test(source);
}

/** The name that ADD gives to the one file that it loads. Undefined: it loads a repository, or what the file is called is not known. */
function loadedName(url: string): string | undefined {
  if (!/^https?:/.test(url) || /\.git([?#]|$)/.test(url)) return undefined;
  return /^https?:\/\/[^?#]*\/([^/?#%]+)([?#]|$)/.exec(url)?.[1];
}

/** A path of the context as BuildKit takes it: `../x` cannot leave it. */
function inContext(path: string): string {
  return posix.normalize(`/${path}`).replace(/\/$/, '').slice(1);
}

/** With `--parents`, `./` within a path says where the part that is kept begins. */
function splitPivot(source: string, parents: boolean): readonly [string, string] {
  const at = parents ? source.indexOf('/./') : -1;
  return at < 0 ? ['', inContext(source)] : [inContext(source.slice(0, at)), inContext(source)];
}

function unescaped(path: string): string {
  return path.replace(/\\(.)/gs, '$1');
}

interface Target {
  readonly destination: Destination;
  readonly request: CopyRequest;
}

type Partly = Pick<Landing, 'source' | 'containerPath' | 'rebuild'> & {
  readonly filter?: LandingFilter | undefined;
  /** Whether it may hide what was copied before; absent: yes, when it is not certain where it lands. */
  readonly hides?: boolean;
};

function rebuildFor(source: string, because: string, line: number): Partly {
  return { source, containerPath: undefined, rebuild: { because, line } };
}

function single(stage: Stage, source: string, { destination, request, flags }: Target & { readonly flags: CopyFlags }): Partly {
  const { line, keyword } = request.instruction;
  const { kindOf } = request;
  const kind = kindOf(source);
  switch (kind) {
    case undefined:
      stage.unknownPlaces.add(destination.path);
      return { ...rebuildFor(source, `${source} is not there yet`, line), hides: false };
    case 'link':
      // What it leads to may be anywhere in the context.
      return rebuildFor('', `${source} is a link, and what it leads to is copied`, line);
    case 'dir': {
      addDirectory(stage, destination.path);
      const filter = excludeFilter(source, flags.exclude);
      return { source, containerPath: destination.path, filter, rebuild: undefined };
    }
    case 'file': {
      if (keyword === 'ADD' && isArchive(source)) return rebuildFor(source, 'ADD unpacks it', line);
      if (flags.exclude.length > 0) return rebuildFor(source, 'what --exclude does to a single file is not followed', line);
      const { path, doubt } = placeOfFile(stage, destination, { name: posix.basename(source), isLinked: flags.link, line, kindOf });
      return doubt === undefined ? { source, containerPath: path, rebuild: undefined } : rebuildFor(source, doubt, line);
    }
  }
}

/** ADD looks into files for this; the names tell it well enough, and one more is only rebuilt. */
function isArchive(path: string): boolean {
  return /\.(tar|tar\.\w+|tgz|tbz2?|txz|tzst)$/i.test(path);
}

function excludeFilter(source: string, excludes: readonly string[]): LandingFilter | undefined {
  if (excludes.length === 0) return undefined;
  const matcher = pathMatcher(excludes);
  return {
    definition: `all of ${source} but ${matcher.definition}`,
    accepts(path, kind) {
      const rest = below(source, path) ?? '';
      return !matcher.matches(rest) || (kind === 'dir' && matcher.mayExcept(rest));
    },
  };
}

/** Files that match land by their last name; what is in a directory that matches loses the directory's name, so that is only rebuilt. */
function matched(pattern: string, { destination, request, stage }: Target & { readonly stage: Stage }): Partly[] {
  const { line, keyword } = request.instruction;
  const found = wildcard(pattern);
  if (!found) return [rebuildFor('', `${pattern} is not a valid pattern`, line)];
  const { directory, depth } = found;
  const link = linkMatched(found, request);
  if (link !== undefined) return [rebuildFor('', `${link} is a link, and what it leads to is copied`, line)];
  if (excludesOf(request.instruction).length > 0) return [rebuildFor(directory, `${pattern} with --exclude is not followed`, line)];
  if (depth > 1) {
    const whole: LandingFilter = {
      definition: `at or below ${pattern}`,
      accepts: (path, kind) => isUnder(found.matches, directory, path, kind),
    };
    return [{ ...rebuildFor(directory, `where each match of ${pattern} lands is not followed`, line), filter: whole }];
  }
  // What is linked is laid over the image without a look at what is there.
  const isThere = !copyFlags(request.instruction).link && isKnownDirectory(stage, destination.path, request.kindOf);
  if (!destination.isDirectory && !isThere) {
    return [rebuildFor(directory, `${destination.path} is no directory for certain`, line)];
  }
  const inDirectory = (name: string) => (directory === '' ? name : `${directory}/${name}`);
  const takesDirectory = request
    .namesIn(directory)
    .some((name) => found.matches(inDirectory(name)) && request.kindOf(inDirectory(name)) !== 'file');
  if (takesDirectory) {
    const whole: LandingFilter = {
      definition: `at or below ${pattern}`,
      accepts: (path, kind) => isUnder(found.matches, directory, path, kind),
    };
    // Their content comes over files of the same names that match too.
    return [{ ...rebuildFor(directory, `${pattern} matches a directory, whose content loses its place`, line), filter: whole }];
  }
  const unpacked = (path: string) => keyword === 'ADD' && isArchive(path);
  const isChild = (path: string) => !(below(directory, path) ?? '').includes('/') && path !== directory;
  return [
    {
      source: directory,
      containerPath: destination.path,
      filter: {
        definition: `files ${pattern} of ${keyword}`,
        accepts: (path, kind) => kind === 'file' && isChild(path) && found.matches(path) && !unpacked(path),
      },
      rebuild: undefined,
    },
    {
      source: directory,
      containerPath: undefined,
      filter: {
        definition: `directories ${pattern} of ${keyword}`,
        accepts(path, kind) {
          if (isChild(path)) return found.matches(path) && (kind === 'dir' || unpacked(path));
          return path !== directory && isUnder(found.matches, directory, path, kind);
        },
      },
      rebuild: { because: `${pattern} takes the content of directories`, line },
      hides: false,
    },
  ];
}

/** A link that a pattern matches. */
function linkMatched({ directory, depth, matches }: Wildcard, { namesIn, kindOf }: CopyRequest): string | undefined {
  const find = (at: string, left: number): string | undefined => {
    for (const name of namesIn(at)) {
      const path = at === '' ? name : `${at}/${name}`;
      const kind = kindOf(path);
      if (kind === 'link' && matches(path)) return path;
      const deeper = kind === 'dir' && left > 1 ? find(path, left - 1) : undefined;
      if (deeper !== undefined) return deeper;
    }
    return undefined;
  };
  return find(directory, depth);
}

/** Whether a path, or a directory it is in, is matched; or, for a directory, may lead to a match. */
function isUnder(matches: (path: string) => boolean, directory: string, path: string, kind: 'file' | 'dir'): boolean {
  if (kind === 'dir' && path === directory) return true;
  for (let at = path; at.length > directory.length; at = at.includes('/') ? at.slice(0, at.lastIndexOf('/')) : '') {
    if (matches(at)) return true;
  }
  return false;
}

/** `--parents` keeps the path below the destination. */
function withParents({ pivot, path, destination, request }: Target & { readonly pivot: string; readonly path: string }): Partly[] {
  const { line } = request.instruction;
  const kept = below(pivot, path);
  if (kept === undefined || hasWildcard(pivot)) return [rebuildFor('', `where ${path} lands is not followed`, line)];
  if (excludesOf(request.instruction).length > 0) return [rebuildFor('', '--parents with --exclude is not followed', line)];
  const root = destination.path === '/' ? '' : destination.path;
  if (!hasWildcard(path)) {
    const source = unescaped(path);
    const kind = request.kindOf(source);
    if (kind === undefined) return [{ ...rebuildFor(source, `${source} is not there yet`, line), hides: false }];
    if (kind === 'link') return [rebuildFor('', `${source} is a link`, line)];
    return [{ source, containerPath: unescaped(kept) === '' ? destination.path : `${root}/${unescaped(kept)}`, rebuild: undefined }];
  }
  const pattern = pathMatcher([kept]);
  const fixed = wildcard(path)?.directory ?? '';
  const keptDirectory = below(pivot, fixed) ?? '';
  return [
    {
      source: fixed,
      containerPath: keptDirectory === '' ? destination.path : `${root}/${keptDirectory}`,
      filter: {
        definition: `--parents ${kept} from ${pivot}`,
        // Directories that hold no match are not made; which do, only their files tell.
        accepts: (candidate, kind) => kind === 'dir' || pattern.matches(below(pivot, candidate) ?? ''),
      },
      rebuild: undefined,
    },
  ];
}
