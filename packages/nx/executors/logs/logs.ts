import type { ExecutorContext } from '@nx/devkit';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface LogsExecutorOptions extends ExecutorOptions {
  readonly follow?: boolean;
  readonly since?: string;
  readonly tail?: number;
  readonly container?: string;
}

/** `nx-slipway:logs`. */
export default async function logs(options: LogsExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { logsCommand } = await import('../../../dev/index.js');
  const { follow, since, tail, container } = options;
  return inThisProcess(async (surroundings) => {
    const { success } = await execute(options, context, surroundings, (common) =>
      logsCommand({
        ...common,
        ...(follow === undefined ? {} : { follow }),
        ...(since === undefined ? {} : { since }),
        ...(tail === undefined ? {} : { tail }),
        ...(container === undefined ? {} : { container }),
      }),
    );
    return { success };
  });
}
