import { failed, succeeded, type GitTagger, type Problem, type Result, type WorkspacePath } from '../model';

/** What git says of the workspace at one moment. Paths are the workspace's. */
export interface GitFacts {
  /** The commit that is checked out, whole. */
  readonly commit: string;
  /** As short as git makes it: seven characters or more. */
  readonly shortCommit: string;
  /** `git describe --tags --always`: `v1.2`, `v1.2-3-g1a2b3c4`, or a short commit where there are no tags. */
  readonly described: string;
  /** The tree of a directory in that commit, whole; a directory without a file in it has none. */
  readonly trees: ReadonlyMap<WorkspacePath, string>;
  /** Files that differ from the commit: changed, added, removed or not known to git. */
  readonly changed: readonly WorkspacePath[];
}

export interface GitSubject {
  /** Undefined: there is no repository, or no commit in it. */
  readonly git: GitFacts | undefined;
  /** The project's directory, whose tree is taken. */
  readonly directory: WorkspacePath;
  /** Whether the image takes a file: a change elsewhere does not make it dirty. */
  readonly takes: (path: WorkspacePath) => boolean;
}

const longestTag = 128;

/** By what is checked out, as Skaffold's `gitCommit`; `-dirty` when a file that the image takes is not as it was committed. */
export function gitCommitTag({ variant, prefix, ignoreChanges }: GitTagger, { git, directory, takes }: GitSubject): Result<string> {
  if (!git) return failed(noCommit);
  const ref = refOf(variant, git, directory);
  if (ref === undefined) return failed(noTree(directory));
  const dirty = !ignoreChanges && git.changed.some(takes) ? '-dirty' : '';
  return succeeded(`${sanitized(`${prefix}${ref}`)}${dirty}`);
}

function refOf(variant: GitTagger['variant'], git: GitFacts, directory: WorkspacePath): string | undefined {
  switch (variant) {
    case 'Tags':
      return git.described;
    case 'CommitSha':
      return git.commit;
    case 'AbbrevCommitSha':
      return git.shortCommit;
    case 'TreeSha':
      return git.trees.get(directory);
    case 'AbbrevTreeSha':
      return git.trees.get(directory)?.slice(0, git.shortCommit.length);
  }
}

/** A git tag may have signs that an image's may not; each becomes an underscore, as Skaffold does it. */
export function sanitized(ref: string): string {
  return ref
    .replace(/[^a-zA-Z0-9._-]/g, '_')
    .replace(/^[-.]+/, (signs) => '_'.repeat(signs.length))
    .slice(0, longestTag);
}

const noCommit: Problem = {
  code: 'gitUnknown',
  message: 'image.tag is gitCommit, but the workspace is not in a git repository with a commit',
  hint: 'commit something, or choose another tag, such as inputDigest',
  retry: 'whenInputChanges',
  exitCode: 2,
};

function noTree(directory: WorkspacePath): Problem {
  return {
    code: 'gitUnknown',
    message: `image.tag is the tree of ${directory === '' ? 'the workspace' : directory}, but the commit that is checked out has no file there`,
    hint: 'commit its files, or choose another variant of gitCommit',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
