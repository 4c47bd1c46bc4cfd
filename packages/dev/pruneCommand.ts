import { labelValue, ownedReleases, type OwnedRelease } from '../deploy';
import type { Problem, Workspace } from '../model';
import type { CommandOptions, CommandResult, PruneDocument } from './command';
import { documentOf, removeOwned, unsaidOf } from './leftBehind';
import { buildCommand } from './oneShot';
import { pruneImages } from './pruneImages';
import { preflight } from './session';
import { withProblems, worstExit } from './worstExit';

export interface PruneOptions extends CommandOptions {
  /** Only says what would be removed. */
  readonly dryRun?: boolean;
  /** Also images that nothing uses any more. */
  readonly images?: boolean;
  /** Asks whether to go on; absent where nobody can answer, then nothing is asked. */
  readonly confirm?: (left: PruneDocument['releases']) => Promise<boolean>;
}

/** Removes what this workspace has deployed and no project of it stands for any more. What is another workspace's, or nobody's, stays. */
export async function pruneCommand(options: PruneOptions): Promise<CommandResult<PruneDocument>> {
  const pruned = await pruneReleases(options);
  if (options.images !== true || pruned.exitCode !== 0) return pruned;
  const dryRun = options.dryRun === true;
  const { session, problems } = await preflight(options, new Set(['workspace', 'cluster', 'delivery']), 'deploy');
  if (!session) return { ...withProblems(problems), document: pruned.document };
  // What a build of the files as they are would find, and what it would not find is not there.
  const quiet = { ...options, projects: [], report: () => undefined, dryRun: true };
  const { document } = await buildCommand(quiet);
  const current = new Set(document.images.flatMap(({ tag, digest }) => [tag, digest]));
  const left = await pruneImages(session, { current, dryRun });
  return { ...withProblems(left.problems), document: { ...pruned.document, images: left.images } };
}

async function pruneReleases(options: PruneOptions): Promise<CommandResult<PruneDocument>> {
  const refuse = (problems: readonly Problem[], document: PruneDocument = { dryRun, releases: [] }) => ({
    exitCode: worstExit(problems),
    problems,
    document,
  });
  const dryRun = options.dryRun === true;
  const { session, problems } = await preflight(options, new Set(['workspace', 'cluster']), 'deploy');
  if (!session?.kube) return refuse(problems);
  const { kube, workspaceId } = session;
  const { namespace } = options;
  const owned = await ownedReleases({ kube, workspaceId, ...(namespace === undefined ? {} : { namespace }) });
  const unreachable = owned.problems.find(({ code }) => code === 'clusterUnreachable');
  if (unreachable) return refuse([unreachable]);
  const [forbidden] = owned.problems;
  if (forbidden && owned.releases.length === 0) return refuse([mayNotList(forbidden, namespace)]);
  if (forbidden)
    options.report({ kind: 'notice', message: mayNotList(forbidden, namespace).message, hint: 'what is not seen is not removed' });

  const orphans = orphansOf(session.read.workspace, owned.releases);
  for (const { release, namespaces } of unsaidOf(session.read.workspace, owned.releases)) {
    const message = `${release} is deployed in ${namespaces.join(', ')}, and its project has no manifests any more`;
    options.report({ kind: 'notice', message, hint: `slipway delete ${release} removes it` });
  }
  const listed = orphans.map((orphan) => documentOf(orphan, false));
  const document: PruneDocument = { dryRun, releases: listed };
  if (dryRun || orphans.length === 0) return { exitCode: 0, problems: [], document };
  if (options.confirm && !(await options.confirm(listed))) return { exitCode: 0, problems: [], document };
  const { releases, failures } = await removeOwned({ ...session, kube }, orphans);
  return { ...withProblems(failures), document: { dryRun, releases } };
}

/** What no project stands for any more. One whose manifests are gone for now, or cannot be read, keeps what it has. */
export function orphansOf(
  { projects, releases }: Pick<Workspace, 'projects' | 'releases'>,
  owned: readonly OwnedRelease[],
): readonly OwnedRelease[] {
  const known = new Set([...projects.keys(), ...releases.keys()].map(labelValue));
  return owned.filter(({ release }) => !known.has(release));
}

function mayNotList({ message, detail }: Problem, namespace: string | undefined): Problem {
  const where = namespace === undefined ? 'all namespaces' : `namespace ${namespace}`;
  return {
    code: 'listForbidden',
    message: `what this workspace has deployed in ${where} cannot be listed: ${message}`,
    hint:
      namespace === undefined
        ? 'name one that you may list with --namespace'
        : 'ask for the right to list there, or name another namespace',
    retry: 'never',
    exitCode: 3,
    ...(detail === undefined ? {} : { detail }),
  };
}
