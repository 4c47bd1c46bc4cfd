import type { ExecutorContext } from '@nx/devkit';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface DeployOptions extends ExecutorOptions {
  /** False: a missing image is a failure. */
  readonly build?: boolean;
}

/** `nx-slipway:deploy`. */
export default async function deploy(options: DeployOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { deployCommand } = await import('../../../dev/index.js');
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(options, context, surroundings, (common) =>
      deployCommand({ ...common, noBuild: options.build === false }),
    );
    return { success };
  });
}
