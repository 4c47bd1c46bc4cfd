import { followLogs, readLogs, replicasOf, type LoggedContainer, type LogLine } from '../logs';
import type { Problem } from '../model';
import { ageMs } from './age';
import type { CommandOptions, CommandResult, LogsDocument } from './command';
import { deployedContainers, watchDeployedContainers, type DeployedPodsRequest } from './deployedPods';
import { nothingDeployed } from './nothingDeployed';
import { deployableGoalFor } from './selection';
import { namespaceOf, preflight, withBrokenReleases } from './session';
import { untilAborted } from './untilAborted';
import { withProblems, worstExit } from './worstExit';

export interface LogsOptions extends CommandOptions {
  /** Goes on until it is interrupted. */
  readonly follow?: boolean;
  /** How far back: `10m`, `1h30m`. */
  readonly since?: string;
  /** How many of the last lines of each container. */
  readonly tail?: number;
  /** Only containers of this name. */
  readonly container?: string;
}

/** The logs of all containers in the pods of the projects' releases: what they have said, in the order of time, and with `follow` what they say next. */
export async function logsCommand(options: LogsOptions): Promise<CommandResult<LogsDocument>> {
  const empty: LogsDocument = { containers: 0, lines: 0 };
  const refuse = (problems: readonly Problem[]) => ({ exitCode: worstExit(problems), problems, document: empty });
  const age = options.since === undefined ? undefined : ageMs(options.since);
  if (age && !age.ok) return refuse([age.problem]);
  const { session: found, problems } = await preflight(options, new Set(['workspace', 'cluster']), 'deploy');
  if (!found?.kube) return refuse(problems);
  const session = withBrokenReleases(found);
  const { kube } = found;
  const { workspace } = session.read;
  const chosen = deployableGoalFor(workspace, 'deployed', options);
  if (!chosen.ok) return refuse(chosen.problems);
  const releases = [...chosen.goal.releases]
    .flatMap((name) => workspace.releases.get(name) ?? [])
    .map((release) => ({ release, namespace: namespaceOf(session, release) }));

  const request: DeployedPodsRequest = { kube, workspaceId: session.workspaceId, releases };
  const there = await deployedContainers(request);
  if (!there.ok) return refuse([there.problem]);
  if (there.value.length === 0) return refuse([nothingDeployed(releases)]);
  const wanted = (containers: readonly LoggedContainer[]) =>
    containers.filter(({ container }) => options.container === undefined || container === options.container);
  if (wanted(there.value).length === 0) return refuse([containerUnknown(options.container ?? '', there.value)]);

  const since = age && new Date(Date.now() - age.value);
  const from = { ...(since && { since }), ...(options.tail !== undefined && { tail: options.tail }) };
  let replicas = replicasOf(there.value);
  let lines = 0;
  const tell = (line: LogLine): void => {
    lines += 1;
    options.report({ kind: 'log', ...line, replicas: replicas.get(line.pod) ?? 1 });
  };
  if (options.follow !== true) {
    const containers = wanted(there.value);
    const read = await readLogs({ kube, containers, signal: options.signal, ...from });
    for (const line of read.lines) tell(line);
    return { ...withProblems(options.signal.aborted ? [] : read.problems), document: { containers: containers.length, lines } };
  }
  const seen = new Set<string>();
  const logs = followLogs({ kube, onLine: tell, ...from });
  const watch = watchDeployedContainers(request, (containers) => {
    replicas = replicasOf(containers);
    for (const { podUid, container } of wanted(containers)) seen.add(`${podUid} ${container}`);
    logs.update(wanted(containers));
  });
  await untilAborted(options.signal);
  watch.stop();
  logs.stop();
  return { exitCode: 0, problems: [], document: { containers: seen.size, lines } };
}

function containerUnknown(name: string, containers: readonly LoggedContainer[]): Problem {
  return {
    code: 'containerUnknown',
    message: `no pod has a container "${name}"`,
    hint: `there are: ${[...new Set(containers.map(({ container }) => container))].sort().join(', ')}`,
    retry: 'never',
    exitCode: 2,
  };
}
