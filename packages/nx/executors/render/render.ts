import { resolve } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import { renderLines } from '../../../report';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface RenderExecutorOptions extends ExecutorOptions {
  readonly output?: string;
  readonly offline?: boolean;
}

/** `nx-slipway:render`. */
export default async function render(options: RenderExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { renderCommand } = await import('../../../dev/index.js');
  const { output = '-', offline = false } = options;
  return inThisProcess(async (surroundings) => {
    const { success, document } = await execute(options, context, surroundings, (common) =>
      renderCommand({ ...common, offline, ...(output === '-' ? {} : { output: resolve(context.cwd, output) }) }),
    );
    if (success) for (const line of renderLines(document)) surroundings.stdout.write(`${line}\n`);
    return { success };
  });
}
