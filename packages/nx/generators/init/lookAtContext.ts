import { homedir } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { connectKube } from '../../../clients';
import { contextMemoryFile, guard } from '../../../deploy';
import type { ContextSeen } from '../../../scaffold';

/** A generator has better things to do than to wait for a cluster. */
const patienceMs = 5_000;

/** Asks the cluster of the current context whether it is a local one. Nothing is changed there, and nothing is remembered of it. */
export async function lookAtContext(env: NodeJS.ProcessEnv, allowContexts: readonly string[]): Promise<ContextSeen> {
  const connected = await connectKube({ env });
  if (!connected.ok) return { kind: 'unknown', reason: connected.problem.message };
  const { context, server } = connected.value.target;
  if (allowContexts.includes(context)) return { kind: 'allowed', context };
  const asked = guard({ kube: connected.value, allowContexts: [], memoryFile: contextMemoryFile(env, homedir()) });
  const verdict = await Promise.race([asked, pause(patienceMs, undefined, { ref: false })]);
  if (verdict === undefined)
    return { kind: 'unknown', reason: `context ${context} (${server}) has not answered within ${patienceMs / 1000} s` };
  if (verdict.ok) return { kind: 'local', context, because: verdict.value.because };
  if (verdict.problem.code === 'contextNotAllowed') return { kind: 'foreign', context, server };
  return { kind: 'unknown', reason: verdict.problem.message };
}
