import { join } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface DeployOptions extends ExecutorOptions {
  /** False: a missing image is a failure. */
  readonly build?: boolean;
  /** Relative to the workspace. */
  readonly buildArtifacts?: string;
  readonly withRequired?: boolean;
}

/** `nx-slipway:deploy`. */
export default async function deploy(options: DeployOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { deployCommand } = await import('../../../dev/index.js');
  const { build = true, buildArtifacts, withRequired = false } = options;
  const own = {
    noBuild: !build,
    withRequired,
    ...(buildArtifacts !== undefined && { buildArtifacts: join(context.root, buildArtifacts) }),
  };
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(options, context, surroundings, (common) => deployCommand({ ...common, ...own }));
    return { success };
  });
}
