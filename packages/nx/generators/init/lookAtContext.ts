import { homedir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { approachCluster, contextMemoryFile } from '../../../deploy';
import type { ContextSeen } from '../../../scaffold';

/** A generator has better things to do than to wait for a cluster. */
const patienceMs = 5_000;

/** Asks the cluster of the current context whether it is a local one. Nothing is changed there, and nothing is remembered of it. */
export async function lookAtContext(env: NodeJS.ProcessEnv, allowContexts: readonly string[]): Promise<ContextSeen> {
  const approached = await approachCluster({ env });
  if (!approached.ok) return { kind: 'unknown', reason: approached.problem.message };
  const { context, server } = approached.value.target;
  if (allowContexts.includes(context)) return { kind: 'allowed', context };
  const asked = approached.value.enter({ allowContexts: [], memoryFile: contextMemoryFile(env, homedir()) });
  const verdict = await Promise.race([asked, pause(patienceMs, undefined, { ref: false })]);
  if (verdict === undefined)
    return { kind: 'unknown', reason: `context ${context} (${server}) has not answered within ${patienceMs / 1000} s` };
  if (verdict.ok) return { kind: 'local', context, because: verdict.value.because };
  if (verdict.problem.code === 'contextNotAllowed') return { kind: 'foreign', context, server };
  return { kind: 'unknown', reason: verdict.problem.message };
}
