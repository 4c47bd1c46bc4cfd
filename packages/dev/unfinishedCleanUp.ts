import { connectKube, leftAlone, processes } from '../clients';
import { removeRelease } from '../deploy';
import type { CleanUpOrder } from './cleanUpOrder';
import { giveBackLeases, giveBackPulses } from './leases';

/**
 * The script of the process that stands by while dev cleans up. A runner may kill dev before it has come to the deletes: Nx leaves it
 * 5 s, pnpm a third of a second. Then they are done here. What it is told it was told after the guard had said yes to the context.
 */
async function finishCleanUp(): Promise<void> {
  const order = (await leftAlone()) as CleanUpOrder | undefined;
  if (!order) return;
  const { kubeconfig, context, workspaceId, holder, keepVolumes, releases } = order;
  const kube = await connectKube({ env: process.env, context, ...(kubeconfig !== undefined && { kubeconfig }) });
  if (!kube.ok) return;
  await Promise.all(
    releases.map(({ release, namespace }) => {
      const request = { kube: kube.value, owner: { workspaceId, release }, namespaces: [namespace], keepVolumes, patienceMs: 0 };
      // Releases of helm are known by what they have installed.
      return removeRelease({ sources: [] }, request, { processes, root: process.cwd(), cluster: kube.value.target, namespace });
    }),
  );
  await giveBackLeases({ kube: kube.value, holder }, releases);
  // A loop that goes on gives another one soon.
  await giveBackPulses(
    { kube: kube.value, holder },
    releases.map(({ namespace }) => namespace),
  );
}

void finishCleanUp().finally(() => process.exit());
