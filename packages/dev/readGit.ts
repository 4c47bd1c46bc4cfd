import type { Processes } from '../clients';
import { failed, succeeded, type Problem, type Result, type WorkspacePath } from '../model';
import type { GitFacts } from '../tag';

export interface GitRequest {
  /** Absolute path of the workspace, which may be a directory of a larger repository. */
  readonly root: string;
  /** Directories of which the trees are wanted. */
  readonly directories: readonly WorkspacePath[];
  readonly processes: Processes;
}

/** What git says of the workspace, asked at once. Undefined: there is no repository, or no commit in it. */
export async function readGit({ root, directories, processes }: GitRequest): Promise<Result<GitFacts | undefined>> {
  // Reading must not write the index: an editor or a commit that runs at the same time would find it locked.
  const git = (...args: readonly string[]) => processes.run({ command: 'git', args: ['--no-optional-locks', ...args], cwd: root });
  const below = directories.filter((directory) => directory !== '');
  const head = await git('rev-parse', '--verify', '--quiet', 'HEAD');
  if (!head.ok) return failed(head.problem);
  if (head.value.exitCode !== 0) return isNone(head.value.stderr) ? succeeded(undefined) : failed(refused(head.value.stderr));
  const [short, described, prefix, own, trees, status] = await Promise.all([
    git('rev-parse', '--short', 'HEAD'),
    git('describe', '--tags', '--always'),
    git('rev-parse', '--show-prefix'),
    git('rev-parse', '--verify', '--quiet', 'HEAD:./'),
    below.length === 0 ? undefined : git('ls-tree', '-z', 'HEAD', '--', ...below),
    git('status', '--porcelain', '-z', '--untracked-files=all', '--no-renames', '--', '.'),
  ]);
  for (const answer of [short, described, prefix, status, ...(trees ? [trees] : [])]) {
    if (!answer.ok) return failed(answer.problem);
    if (answer.value.exitCode !== 0) return failed(refused(answer.value.stderr));
  }
  const textOf = (answer: Awaited<ReturnType<typeof git>> | undefined): string => (answer?.ok ? answer.value.stdout : '');
  const ownTree = own.ok && own.value.exitCode === 0 ? [['', own.value.stdout.trim()] as const] : [];
  return succeeded({
    commit: head.value.stdout.trim(),
    shortCommit: textOf(short).trim(),
    described: textOf(described).trim(),
    trees: new Map([...ownTree, ...treesIn(textOf(trees))]),
    changed: changedIn(textOf(status), textOf(prefix).trim()),
  });
}

function isNone(said: string): boolean {
  return said.trim() === '' || said.includes('not a git repository');
}

/** Entries of `MODE tree HASH<tab>PATH`. */
function treesIn(text: string): readonly (readonly [WorkspacePath, string])[] {
  return text.split('\0').flatMap((entry) => {
    const [, hash, path] = /^\d+ tree ([0-9a-f]+)\t(.*)$/s.exec(entry) ?? [];
    return hash === undefined || path === undefined ? [] : [[path, hash] as const];
  });
}

/** Entries of `XY PATH`, with paths of the repository. */
function changedIn(text: string, prefix: string): readonly WorkspacePath[] {
  return text.split('\0').flatMap((entry) => {
    const path = entry.slice(3);
    return path.startsWith(prefix) && path !== prefix ? [path.slice(prefix.length)] : [];
  });
}

function refused(said: string): Problem {
  return {
    code: 'gitFailed',
    message: `git does not tell what is checked out: ${said.trim().split('\n')[0] ?? ''}`,
    hint: 'run git status by hand to see more, or choose another image.tag, such as inputDigest',
    retry: 'afterDelay',
    exitCode: 2,
    detail: said,
  };
}
