import { resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface DeployOptions extends ExecutorOptions {
  /** False: a missing image is a failure. */
  readonly build?: boolean;
  /** Relative to the workspace, or absolute. */
  readonly buildArtifacts?: string;
  readonly withRequired?: boolean;
}

/** `nx-slipway:deploy`. */
export default async function deploy(options: DeployOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { deployCommand } = await import('../../../dev/index.js');
  const own = deployOptions(options, context);
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(options, context, surroundings, (common) => deployCommand({ ...common, ...own }));
    return { success };
  });
}

/** What `slipway deploy` is asked for beside what all commands are. */
export function deployOptions(
  { build = true, buildArtifacts, withRequired = false }: DeployOptions,
  { root }: Pick<ExecutorContext, 'root'>,
): { readonly noBuild: boolean; readonly withRequired: boolean; readonly buildArtifacts?: string } {
  return { noBuild: !build, withRequired, ...(buildArtifacts !== undefined && { buildArtifacts: resolve(root, buildArtifacts) }) };
}
