import { posix } from 'node:path';
import { inputsOf, mountsAsCopies, readDockerfile } from '../dockerfile';
import {
  emptyDir,
  entryAt,
  leavesOf,
  platformsOf,
  withEntries,
  type Artifact,
  type DirEntry,
  type Entry,
  type Problem,
  type WorkspacePath,
} from '../model';
import { landingOf } from '../plan';
import { namedInWorkspace } from './namedInWorkspace';

export interface FailedBuild {
  readonly artifact: Artifact;
  /** What the builder was given. */
  readonly sources: DirEntry;
  /** The text of the Dockerfile. */
  readonly text: string;
  /** Every step was run. */
  readonly noCache: boolean;
}

/** A build that failed, as people know their files: a compiler in a RUN names them by where they lie in the image that is being made. */
export function failedBuild(problem: Problem, build: FailedBuild): Problem {
  const hint = problem.hint ?? (build.noCache ? undefined : staleCacheHint(problem, build.artifact));
  const hinted = hint === undefined ? problem : { ...problem, hint };
  const { detail, location } = problem;
  if (detail === undefined || location?.file !== build.artifact.recipe.dockerfile || location.line === undefined) return hinted;
  const there = filesBefore(location.line, build);
  if (!there) return hinted;
  const { sources, workdir } = there;
  const files = withEntries(
    emptyDir,
    [...sources].map(([path, { entry }]) => [path.slice(1), entry] as const),
  );
  const translated = namedInWorkspace(detail, { files, sourceOf: (path) => sources.get(path)?.source, workdir });
  return { ...hinted, detail: translated.text };
}

interface FilesThere {
  /** By path in the image. */
  readonly sources: ReadonlyMap<string, { readonly source: WorkspacePath; readonly entry: Entry }>;
  readonly workdir: string | undefined;
}

/** What of the workspace lies where when a line of the Dockerfile is reached. Undefined: what stands before it cannot be read by itself. */
function filesBefore(line: number, { artifact, sources, text }: FailedBuild): FilesThere | undefined {
  const { context, dockerfile: file, args } = artifact.recipe;
  const [platform] = platformsOf(artifact.recipe);
  // While a RUN runs, what it mounts lies there as if it had been copied.
  const before = [...text.split('\n', line - 1), ...mountsAsCopies(text, line)].join('\n');
  const at = (path: string): Entry | undefined => entryAt(sources, posix.join(context, path).replace(/^\.$|\/$/g, ''));
  const { facts } = readDockerfile(before, {
    file,
    args,
    ...(platform !== undefined && { platform }),
    kindOf: (path) => at(path)?.kind,
    namesIn: (directory) => {
      const entry = at(directory);
      return entry?.kind === 'dir' ? [...entry.entries.keys()].sort() : [];
    },
  });
  if (!facts) return undefined;
  const there = new Map<string, { readonly source: WorkspacePath; readonly entry: Entry }>();
  for (const input of inputsOf(facts, { file, context, ignore: undefined })) {
    const entry = entryAt(sources, input.path);
    if (!entry) continue;
    for (const [source, leaf] of leavesOf(entry, input.path)) {
      const path = leaf.kind === 'dir' ? undefined : landingOf(input, source)?.containerPath;
      if (path !== undefined) there.set(path, { source, entry: leaf });
    }
  }
  return { sources: there, workdir: facts.workdir };
}

/** What tools say of things that are gone, of which a step that is not run again may still tell. */
const stale =
  /404 +Not Found|Unable to locate package|Hash Sum mismatch|no such package|unable to select packages|ETARGET|No matching (version|distribution) found|parent snapshot \S+ does not exist|failed to (get state for index|load cache key)|content digest \S+: not found|unknown blob|checksum mismatch/i;

function staleCacheHint({ code, message, detail = '' }: Problem, { project }: Artifact): string | undefined {
  if (code !== 'buildFailed' || !(stale.test(detail) || stale.test(message))) return undefined;
  return `an earlier step may be out of date that was not run again: slipway build ${project} --no-cache runs them all`;
}
