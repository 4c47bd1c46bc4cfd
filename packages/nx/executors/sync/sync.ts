import { join } from 'node:path';
import type { ExecutorContext } from '@nx/devkit';
import type { GivenSync } from '../../../dev';
import { syncLines } from '../../../report';
import { execute, type ExecutorOptions } from '../execute';
import { inThisProcess } from '../thisProcess';

export interface SyncExecutorOptions extends ExecutorOptions, GivenSync {
  readonly once?: boolean;
  readonly verify?: boolean;
  readonly wait?: boolean;
}

/** `nx-slipway:sync`, a continuous target unless it is to sync once, or to verify. */
export default async function sync(options: SyncExecutorOptions, context: ExecutorContext): Promise<{ success: boolean }> {
  const { syncCommand } = await import('../../../dev/index.js');
  const { once = false, verify = false, wait = false } = options;
  return inThisProcess(async (surroundings) => {
    const { success, document } = await execute(options, context, surroundings, (common) =>
      syncCommand({ ...common, once, verify, wait, given: options, cwd: folderOf(context) }),
    );
    if (once || verify) for (const line of syncLines(document)) surroundings.stdout.write(`${line}\n`);
    return { success };
  });
}

/** Where relative paths begin: in the project, whose folder is what is brought when nothing else is named. */
function folderOf({ root, projectName, projectsConfigurations }: ExecutorContext): string {
  const project = projectName === undefined ? undefined : projectsConfigurations.projects[projectName];
  return join(root, project?.root ?? '');
}
