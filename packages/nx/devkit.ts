import { createRequire } from 'node:module';
import { join } from 'node:path';
import type * as WholeDevkit from '@nx/devkit';

/** The part of @nx/devkit that nx itself has. `emitReadySignal` came with Nx 24. */
export type Devkit = Pick<
  typeof WholeDevkit,
  | 'createProjectGraphAsync'
  | 'detectPackageManager'
  | 'getOutputsForTargetAndConfiguration'
  | 'getPackageManagerCommand'
  | 'getProjects'
  | 'isDaemonEnabled'
  | 'parseJson'
  | 'readJson'
  | 'updateJson'
  | 'workspaceRoot'
> &
  Partial<Pick<typeof WholeDevkit, 'emitReadySignal'>>;

/**
 * The devkit of the Nx that is installed in a workspace: the part of it that nx itself has, which a process that Nx started has loaded
 * already, and without all that @nx/devkit has for generators. Undefined when there is no Nx.
 */
export function devkitOf(root: string): Devkit | undefined {
  return firstFound(root, ['nx/src/devkit-exports', '@nx/devkit'], (path) => createRequire(join(root, 'package.json'))(path) as Devkit);
}

/** The part of it that a graph is read with which is there already. */
export type GraphReading = Pick<Devkit, 'getOutputsForTargetAndConfiguration' | 'workspaceRoot'>;

/** The same functions, from the modules of nx that have them: a process that Nx started for a task has loaded those, and not the devkit. */
export function graphReadingOf(root: string): GraphReading | undefined {
  const { getOutputsForTargetAndConfiguration } = partOf(root, 'nx/src/tasks-runner/utils');
  const { workspaceRoot } = partOf(root, 'nx/src/utils/workspace-root');
  if (!getOutputsForTargetAndConfiguration || workspaceRoot === undefined) return devkitOf(root);
  return { getOutputsForTargetAndConfiguration, workspaceRoot };
}

/** How Nx reads JSON, with comments and trailing commas. It is loaded without what a graph is read with, which takes far longer. */
export function parseJsonOf(root: string): Devkit['parseJson'] | undefined {
  return partOf(root, 'nx/src/utils/json').parseJson ?? devkitOf(root)?.parseJson;
}

/** What a module of nx has of the devkit. */
function partOf(root: string, path: string): Partial<Devkit> {
  return firstFound(root, [path], (found) => createRequire(join(root, 'package.json'))(found) as Partial<Devkit>) ?? {};
}

/** What `load` gives for the first of the modules that the workspace has. Which paths nx offers differs from one major to the next. */
export function firstFound<T>(root: string, modules: readonly string[], load: (path: string) => T): T | undefined {
  const { resolve } = createRequire(join(root, 'package.json'));
  for (const module of modules) {
    let path: string;
    try {
      path = resolve(module);
    } catch {
      continue;
    }
    return load(path);
  }
  return undefined;
}

/** What @nx/devkit has beyond nx, where it is installed. */
export function generatorsDevkitOf(root: string): Pick<typeof WholeDevkit, 'formatFiles'> | undefined {
  return firstFound(root, ['@nx/devkit'], (path) => createRequire(path)(path) as typeof WholeDevkit);
}
