import type { Processes } from '../clients';
import { failed, succeeded, type Problem, type Result, type WorkspacePath } from '../model';

export interface ChangesRequest {
  /** Absolute path of the workspace; it may be a folder of a larger repository. */
  readonly root: string;
  /** Refs in order of preference; the first that git knows is compared with. `asked` ones must be known. */
  readonly bases: readonly { readonly ref: string; readonly asked: boolean }[];
  /** Compared with instead of the files on disk. */
  readonly head?: string;
  readonly processes: Processes;
  readonly signal: AbortSignal;
}

export interface ChangedFiles {
  /** The ref that was compared with, and the commit where the ways part. */
  readonly base: string;
  readonly commit: string;
  /** Files that are there and have another content than in the commit, or are new. */
  readonly present: readonly WorkspacePath[];
  /** Files that were there in the commit, with the text of those that say how something is made or deployed. */
  readonly removed: ReadonlyMap<WorkspacePath, string | undefined>;
}

/**
 * What changed since the head left the base: commits, and without a head of its own also what is not committed or not even added.
 * A file that was renamed is one that was removed and one that is new. Failures, all exit 2: `gitMissing`, `notARepository`,
 * `refUnknown`, `historyMissing`, `gitFailed`.
 */
export async function changedFiles(request: ChangesRequest): Promise<Result<ChangedFiles>> {
  const git = gitIn(request);
  const head = request.head ?? 'HEAD';
  const parted = await whereTheyPart(git, request.bases, head);
  if (!parted.ok) return parted;
  const { base, commit } = parted.value;
  const [diff, untracked] = await Promise.all([
    git(['diff', '--name-status', '--no-renames', '--relative', '-z', commit, ...(request.head === undefined ? [] : [request.head]), '--']),
    request.head === undefined ? git(['ls-files', '--others', '--exclude-standard', '-z']) : undefined,
  ]);
  if (!diff.ok) return diff;
  if (untracked && !untracked.ok) return untracked;
  for (const ran of [diff.value, ...(untracked ? [untracked.value] : [])]) {
    if (ran.exitCode !== 0) return failed(gitFailed(ran.stderr));
  }
  const present = new Set(untracked ? fields(untracked.value.stdout) : []);
  const gone = new Set<WorkspacePath>();
  const changes = fields(diff.value.stdout);
  for (let index = 0; index + 1 < changes.length; index += 2) {
    const path = changes[index + 1] ?? '';
    if (changes[index] === 'D') gone.add(path);
    else present.add(path);
  }
  // Taken out of git and still on disk.
  for (const path of present) gone.delete(path);
  const removed = await textsAt(git, commit, [...gone]);
  return removed.ok ? succeeded({ base, commit, present: [...present].sort(), removed: removed.value }) : removed;
}

type Git = (
  args: readonly string[],
  input?: string,
) => Promise<Result<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>>;

function gitIn({ root, processes, signal }: ChangesRequest): Git {
  return async (args, input) => {
    // Words of git are looked at, so they are to be English; and looking must not wait for a lock.
    const env = { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0' };
    const ran = await processes.run({ command: 'git', args, cwd: root, env, signal, ...(input !== undefined && { input }) });
    return !ran.ok && ran.problem.code === 'commandNotFound' ? failed(gitMissing) : ran;
  };
}

function fields(text: string): readonly string[] {
  return text.split('\0').filter((field) => field !== '');
}

async function whereTheyPart(
  git: Git,
  bases: ChangesRequest['bases'],
  head: string,
): Promise<Result<{ readonly base: string; readonly commit: string }>> {
  for (const { ref, asked } of bases) {
    const parted = await git(['merge-base', ref, head]);
    if (!parted.ok) return parted;
    if (parted.value.exitCode === 0) return succeeded({ base: ref, commit: parted.value.stdout.trim() });
    const { stderr } = parted.value;
    if (/not a git repository/i.test(stderr)) return failed(notARepository);
    for (const each of [head, ref]) {
      const known = await git(['rev-parse', '--verify', '--quiet', `${each}^{commit}`]);
      if (!known.ok) return known;
      if (known.value.exitCode === 0) continue;
      if (each === head || asked) return failed(refUnknown(each, await isShallow(git)));
    }
    const baseKnown = await git(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`]);
    if (baseKnown.ok && baseKnown.value.exitCode === 0) return failed(historyMissing(ref, head, await isShallow(git)));
  }
  return failed(
    noBase(
      bases.map(({ ref }) => ref),
      await isShallow(git),
    ),
  );
}

async function isShallow(git: Git): Promise<boolean> {
  const answer = await git(['rev-parse', '--is-shallow-repository']);
  return answer.ok && answer.value.stdout.trim() === 'true';
}

/** Files whose text is asked for when a workspace is put together. */
const spoken = /\.(ya?ml|json|dockerignore)$|(^|\/|\.)(Dockerfile|Containerfile)(\.|$)|\.tpl$/i;

async function textsAt(
  git: Git,
  commit: string,
  paths: readonly WorkspacePath[],
): Promise<Result<ReadonlyMap<WorkspacePath, string | undefined>>> {
  const texts = new Map<WorkspacePath, string | undefined>(paths.map((path) => [path, undefined]));
  // A line break in a name would be two questions.
  const wanted = paths.filter((path) => spoken.test(path) && !path.includes('\n'));
  if (wanted.length === 0) return succeeded(texts);
  const ran = await git(['cat-file', '--batch=%(objectsize)'], wanted.map((path) => `${commit}:./${path}\n`).join(''));
  if (!ran.ok) return ran;
  if (ran.value.exitCode !== 0) return failed(gitFailed(ran.value.stderr));
  const answer = Buffer.from(ran.value.stdout, 'utf8');
  let at = 0;
  for (const path of wanted) {
    const lineEnd = answer.indexOf('\n', at);
    const size = Number(answer.toString('utf8', at, lineEnd < 0 ? undefined : lineEnd));
    at = lineEnd + 1;
    // `… missing`
    if (Number.isNaN(size)) continue;
    texts.set(path, answer.toString('utf8', at, at + size));
    at += size + 1;
  }
  return succeeded(texts);
}

function problem(code: string, message: string, hint: string): Problem {
  return { code, message, hint, retry: 'never', exitCode: 2 };
}

const gitMissing = problem('gitMissing', 'what is affected is asked of git, which is not installed', 'install git, or name the projects');
const notARepository = problem(
  'notARepository',
  'what is affected is asked of git, and the workspace is in no git repository',
  'name the projects instead',
);
const deepen = 'fetch it with its history: `git fetch --unshallow origin`, or fetch-depth: 0 of actions/checkout';

function refUnknown(ref: string, shallow: boolean): Problem {
  const hint = shallow
    ? `this is a shallow clone; ${deepen}`
    : `fetch it (\`git fetch origin ${ref.replace(/^origin\//, '')}\`), or name another with --base`;
  return problem('refUnknown', `git knows no commit ${ref}`, hint);
}

function historyMissing(base: string, head: string, shallow: boolean): Problem {
  return problem(
    'historyMissing',
    `${base} and ${head} have no commit in common${shallow ? ', as far as this shallow clone goes back' : ''}`,
    shallow ? deepen : 'name the commit to compare with: --base',
  );
}

function noBase(refs: readonly string[], shallow: boolean): Problem {
  return problem(
    'refUnknown',
    `nothing says what to compare with: git knows none of ${refs.join(', ')}`,
    shallow ? `this is a shallow clone; ${deepen}` : 'name it with --base, NX_BASE or TURBO_SCM_BASE, or as defaultBase in nx.json',
  );
}

function gitFailed(said: string): Problem {
  return { ...problem('gitFailed', 'git cannot say what changed', 'see what it says'), detail: said };
}
