import { homedir } from 'node:os';
import { leftAlone, processes } from '../clients';
import { approachCluster, contextMemoryFile, removeRelease } from '../deploy';
import type { CleanUpOrder } from './cleanUpOrder';
import { giveBackLeases, giveBackPulses } from './leases';

/**
 * The script of the process that stands by while dev cleans up. A runner may kill dev before it has come to the deletes: Nx leaves it
 * 5 s, pnpm a third of a second. Then they are done here, where the guard says yes to the same context again: it may mean another
 * cluster by now.
 */
async function finishCleanUp(): Promise<void> {
  const order = (await leftAlone()) as CleanUpOrder | undefined;
  if (!order) return;
  const { kubeconfig, context, allowContexts, workspaceId, holder, keepVolumes, releases } = order;
  const approached = await approachCluster({ env: process.env, context, ...(kubeconfig !== undefined && { kubeconfig }) });
  if (!approached.ok) return;
  const entered = await approached.value.enter({ allowContexts, memoryFile: contextMemoryFile(process.env, homedir()) });
  if (!entered.ok) return;
  const { kube } = entered.value;
  await Promise.all(
    releases.map(({ release, namespace }) => {
      const request = { kube, owner: { workspaceId, release }, namespaces: [namespace], keepVolumes, patienceMs: 0 };
      // Releases of helm are known by what they have installed.
      return removeRelease({ sources: [] }, request, { processes, root: process.cwd(), cluster: kube.target, namespace });
    }),
  );
  await giveBackLeases({ kube, holder }, releases);
  // A loop that goes on gives another one soon.
  await giveBackPulses(
    { kube, holder },
    releases.map(({ namespace }) => namespace),
  );
}

void finishCleanUp().finally(() => process.exit());
