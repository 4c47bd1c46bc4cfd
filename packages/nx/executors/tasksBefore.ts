import type { ExecutorContext } from '@nx/devkit';
import type { TargetId } from '../../model';

/** Ids until Nx 23; since then also what is read of the task. */
type Dependency = string | { readonly id: string };

/** The targets that Nx has run, or has taken from its cache, before the task of an executor: all that it depends on, directly or not. */
export function tasksBefore({
  projectName,
  targetName,
  configurationName,
  taskGraph,
}: Pick<ExecutorContext, 'projectName' | 'targetName' | 'configurationName' | 'taskGraph'>): ReadonlySet<TargetId> {
  const before = new Set<TargetId>();
  if (projectName === undefined || targetName === undefined || !taskGraph) return before;
  const dependencies = taskGraph.dependencies as Readonly<Record<string, readonly Dependency[] | undefined>>;
  const seen = new Set<string>();
  const visit = (id: string): void => {
    for (const dependency of dependencies[id] ?? []) {
      const lower = typeof dependency === 'string' ? dependency : dependency.id;
      if (seen.has(lower)) continue;
      seen.add(lower);
      const target = taskGraph.tasks[lower]?.target;
      if (target) before.add(`${target.project}:${target.target}`);
      visit(lower);
    }
  };
  visit([projectName, targetName, ...(configurationName === undefined ? [] : [configurationName])].join(':'));
  return before;
}
