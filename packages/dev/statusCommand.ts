import { leavesOf, type ContainerState, type Problem, type SeenRelease, type Workspace, type World } from '../model';
import { fingerprintOf, isInStep, suits, viewOf } from '../plan';
import type { CommandOptions, CommandResult, StatusDocument } from './command';
import { rememberedGraph } from './rememberedGraph';
import { openRun, type Run } from './run';
import { scopeFor } from './scope';
import { deployableGoalFor, problemsOf } from './selection';
import { namespaceOf, preflight, readFor, withBrokenReleases } from './session';
import { liveSessions } from './syncSessions';
import { withProblems, worstExit } from './worstExit';

/** How long status waits for the cluster's first answer about every release. */
const patienceMs = 10_000;

/** What runs in the cluster, and whether it is what is on disk. Changes nothing. */
export async function statusCommand(given: CommandOptions): Promise<CommandResult<StatusDocument>> {
  const options = { ...given, graph: rememberedGraph(given.graph) };
  const sessions = await liveSessions(options.env);
  const empty: StatusDocument = { containers: [], releases: [], sessions };
  const graph = await options.graph.read();
  // Sessions can be asked for from anywhere, without a workspace and without a cluster.
  if (graph.ok && graph.value.projects.length === 0) return { ...withProblems(sessions.length > 0 ? [] : [nothingHere]), document: empty };
  const { session: found, problems } = await preflight(options, new Set(['workspace', 'cluster']), 'dev');
  if (!found) return { exitCode: worstExit(problems), problems, document: empty };
  const session = withBrokenReleases(found);
  const { workspace } = session.read;
  const chosen = deployableGoalFor(workspace, 'live', options);
  if (!chosen.ok) return { exitCode: worstExit(chosen.problems), problems: chosen.problems, document: empty };
  const { goal } = chosen;
  // What `deploy` has put there is the last stage, which may take other files, and takes them otherwise.
  const deployed = await readFor(options, 'deploy');
  const workspaces = [workspace, ...(deployed.ok ? [deployed.value.workspace] : [])];

  // Without the workspace among its facts the loop plans nothing: it only listens.
  const run = await openRun({ session, goal, report: options.report, watch: false, listenOnly: true });
  const scopes = workspaces.map((each) => scopeFor(each, goal, undefined));
  await run.source.setScope({
    paths: scopes.flatMap(({ paths }) => paths),
    accepts: (path, kind) => scopes.some(({ accepts }) => accepts?.(path, kind) ?? true),
  });
  const isKnown = (world: World, name: string): boolean => (world.releases.get(name)?.live.state ?? 'unknown') !== 'unknown';
  const timeout = new Promise<void>((resolve) => setTimeout(resolve, patienceMs).unref());
  await Promise.race([run.loop.until(({ after }) => after.scanned && [...goal.releases].every((name) => isKnown(after, name))), timeout]);
  await run.source.settle();
  const world = run.loop.world();
  const worlds = workspaces.map((each) => ({ ...world, workspace: each }));
  const containers = await Promise.all([...world.containers.values()].map((container) => containerStatus(container, worlds, run)));
  const releases = [...goal.releases].map((name): StatusDocument['releases'][number] => {
    const release = workspace.releases.get(name);
    const namespace = release ? namespaceOf(session, release) : '';
    const live = world.releases.get(name)?.live;
    if (live?.state !== 'found') return { release: name, namespace, state: 'absent', message: '', current: false };
    const { rollout } = live.value;
    const message = rollout.state === 'failed' ? rollout.problem.message : rollout.state === 'progressing' ? rollout.message : '';
    return {
      release: name,
      namespace,
      state: rollout.state,
      message,
      current: worlds.some((each) => isOfTheFiles(each, name, live.value)),
    };
  });
  await run.close();
  return { ...withProblems(problemsOf(workspace, options.projects)), document: { containers, releases, sessions } };
}

const nothingHere: Problem = {
  code: 'nothingToDo',
  message: 'there is no workspace here, and no sync session runs',
  hint: 'run it in a workspace; `slipway sync` starts a session',
  retry: 'never',
  exitCode: 2,
};

type Looked = World & { readonly workspace: Workspace };

async function containerStatus(
  container: ContainerState,
  worlds: readonly Looked[],
  run: Run,
): Promise<StatusDocument['containers'][number]> {
  const { seen } = container;
  const held = seen.running ? await run.look(seen) : undefined;
  const known = held ? { ...container, files: held.files, taken: held.files } : container;
  const views = worlds.flatMap((world) => {
    const artifact = world.workspace.artifacts.get(seen.artifact);
    return artifact ? [viewOf(world, artifact, [container])] : [];
  });
  const inStep = views.some((view) => isInStep(view, known) && view.now.rebuildHash === seen.snapshot?.rebuildHash);
  return {
    artifact: seen.artifact,
    pod: seen.pod,
    container: seen.container,
    agent: held?.agent,
    files: held ? [...leavesOf(held.files)].filter(([, entry]) => entry.kind !== 'dir').length : 0,
    treeHash: held?.files.hash,
    inSync: views.length > 0 && held ? inStep : undefined,
    running: seen.running,
    restarts: seen.restarts,
  };
}

/** Whether a release was applied from the manifests as they are, with images that serve the files as they are. */
function isOfTheFiles(world: Looked, name: string, { fingerprint, images }: SeenRelease): boolean {
  const release = world.workspace.releases.get(name);
  if (!release) return false;
  if (fingerprintOf(release, world.disk, images) !== fingerprint) return false;
  return release.artifacts.every((each) => {
    const artifact = world.workspace.artifacts.get(each);
    const image = images[each];
    if (!artifact || !image) return false;
    const view = viewOf(world, artifact);
    return image.inputsHash === view.now.inputsHash || (image.snapshot !== undefined && suits(image.snapshot, view));
  });
}
