import { attach } from './attachment';
import type { CommandResult, TimedDevOptions } from './command';
import { Forwards } from './forwards';
import { rememberedGraph } from './rememberedGraph';
import { SessionLogs } from './sessionLogs';
import { shownLogs } from './shownLogs';
import { syncAttached } from './syncCommand';
import { resync } from './wishes';
import { worstExit } from './worstExit';

/**
 * `dev` on what runs already, whoever deployed it from this workspace: edits are copied, logs shown and ports forwarded. Nothing is
 * built or applied, and nothing is deleted when it ends.
 */
export async function attachCommand(options: TimedDevOptions): Promise<CommandResult<{ readonly stopped: string }>> {
  const told = { ...options, graph: rememberedGraph(options.graph) };
  const attachment = await attach(told, { namespace: options.namespace, debounceMs: 0, deletes: true, folder: undefined });
  if (!attachment.ok) {
    const { problems } = attachment;
    return { exitCode: worstExit(problems), problems, document: { stopped: 'preflight' } };
  }
  const { session, goal: wanted } = attachment.value;
  const shown = shownLogs(options.logs, session.read.workspace);
  if (!shown.ok) return { exitCode: shown.problem.exitCode, problems: [shown.problem], document: { stopped: 'preflight' } };
  const ending = new AbortController();
  const signal = AbortSignal.any([options.signal, ending.signal]);
  const logs = new SessionLogs(session, options.report, shown.value, attachment.value.foreign);
  const forwards = options.forward ? new Forwards(session, options.report, signal) : undefined;
  const { exitCode, problems } = await syncAttached({ ...told, signal, cwd: options.root }, attachment.value, {
    begin: (run, goal) => {
      logs.follow(run.kube, session.read.workspace, goal);
      options.onWishes?.((wish) => {
        if (wish.kind === 'showLogs') logs.choose(wish.services);
        else if (wish.kind === 'end') ending.abort();
        else if (wish.kind === 'resync') resync(wish.services, run, options.report);
      });
    },
    onTurn: ({ after }) => forwards?.update(after),
    onWritten: ({ pod }, runInPod) => forwards?.mayRestart(pod, runInPod),
    ...(options.exitWhenReady !== undefined && { exitWhenReady: options.exitWhenReady }),
    timeoutMs: options.timeoutMs,
    ...(forwards && { missing: () => forwards.problems(wanted.releases) }),
  });
  logs.stop();
  forwards?.close();
  return { exitCode, problems, document: { stopped: 'interrupted' } };
}
