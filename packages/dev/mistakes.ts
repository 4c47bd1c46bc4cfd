import type { Problem, Workspace } from '../model';

/** Of the mistakes in a project, those in its manifests keep it from being applied, and the others its image from being made. */
export function mistakeIn(what: 'image' | 'manifests', project: string, { problems }: Workspace): Problem | undefined {
  return problems.find((problem) => problem.project === project && problem.code.startsWith('manifest') === (what === 'manifests'));
}
