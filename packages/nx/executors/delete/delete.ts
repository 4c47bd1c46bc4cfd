import type { ExecutorContext } from '@nx/devkit';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

/** `nx-slipway:delete`. */
export default async function deleteDeployed(options: ExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { deleteCommand } = await import('../../../dev/index.js');
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(options, context, surroundings, deleteCommand);
    return { success };
  });
}
